"""Which features a definition uses, and how a provider realises them. Nothing is dropped silently.

A provider has one table for each flavour of its gateway; the definition leads to one flavour, and so to one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from multicloud.deploy.references import load
from multicloud.errors import DefinitionError, Problem
from multicloud.model import PUBLIC, ApiDefinition, FunctionDefinition, RouteDefinition
from multicloud.model.authorizers import ApiKeyAuthorizer, FunctionAuthorizer, IamAuthorizer, JwtAuthorizer
from multicloud.model.calls import read_call
from multicloud.provider import Flavour, Level, Provider, Support

Test = Callable[[ApiDefinition], bool]


def _parts(definition: ApiDefinition) -> Iterator[Any]:
    """Yield everything that policies are stated on."""
    yield definition
    yield from definition.functions
    for _, route in definition.routes:
        yield route


def _stated(name: str) -> Test:
    """Return a test for a policy stated on the API, a function or a route."""
    return lambda definition: any(getattr(part, name, None) for part in _parts(definition))


def _has_authorizer(cls: type) -> Test:
    """Return a test for an authorizer of one class, as an alternative or alone."""
    return lambda definition: any(
        isinstance(one, cls) for part in _parts(definition) for one in getattr(part, "authorizer", None) or ()
    )


def _has_throttle(per: str | None, cls: type | None = None) -> Test:
    """Return a test for a throttle that counts so: of each caller or address wherever stated, of all on one class."""
    return lambda definition: any(
        (throttle := getattr(part, "throttle", None)) is not None and throttle.per == per
        for part in _parts(definition)
        if cls is None or isinstance(part, cls)
    )


def _validates(definition: ApiDefinition) -> bool:
    """Tell whether a handler has parameters that are converted before it is called."""
    return any(read_call(load(route.handler), route.template)[0].arguments for _, route in definition.routes)


FEATURES: Mapping[str, Test] = {
    "authorizer.api_key": _has_authorizer(ApiKeyAuthorizer),
    "authorizer.function": _has_authorizer(FunctionAuthorizer),
    "authorizer.iam": _has_authorizer(IamAuthorizer),
    "authorizer.jwt": _has_authorizer(JwtAuthorizer),
    "scopes": _stated("scopes"),
    "public": lambda definition: any(getattr(part, "authorizer", None) == (PUBLIC,) for part in _parts(definition)),
    "cors": _stated("cors"),
    "throttle.api": _has_throttle(None, ApiDefinition),
    "throttle.function": _has_throttle(None, FunctionDefinition),
    "throttle.route": _has_throttle(None, RouteDefinition),
    "throttle.caller": _has_throttle("caller"),
    "throttle.address": _has_throttle("address"),
    "quota": _stated("quota"),
    "validation": _validates,
    "cache_seconds": _stated("cache_seconds"),
    "cdn": _stated("cdn"),
    "domain": _stated("domain"),
    "encryption": _stated("encryption"),
    "logging": _stated("logging"),
    "tracing": _stated("tracing"),
    "alarms": _stated("alarms"),
}
"""Feature to whether a definition uses it. Every policy of the model is here, and so in every flavour's table.

``throttle.api``, ``throttle.function`` and ``throttle.route`` count everyone's requests together."""

_TOO_LATE = "a request that is refused has started the function and is paid for"
_EACH = "each instance counts by itself, so n instances let in up to n times as much; bound them by max_instances"
_LATER = "a deployment sets it up, which this version cannot make yet; a bundle leaves it out"


def by_gateway(note: str = "") -> Support:
    """Return what the deployed gateway will do, and the runtime does until then. note: what differs there."""
    until = "the deployed gateway does it; until this version can deploy one, the function does"
    return Support(Level.NATIVE, f"{until}; {note}" if note else until)


RUNTIME: Mapping[str, Support] = {
    "authorizer.api_key": Support(Level.EMULATED, f"the function compares the keys: {_TOO_LATE}"),
    "authorizer.function": Support(Level.EMULATED, f"the function calls yours: {_TOO_LATE}"),
    "authorizer.jwt": Support(Level.EMULATED, f"each instance fetches the issuer's keys: {_TOO_LATE}"),
    "scopes": Support(Level.EMULATED, f"the function compares them: {_TOO_LATE}"),
    "public": Support(Level.NATIVE),
    "cors": Support(Level.EMULATED, "the function answers preflights, so each one is an invocation"),
    "throttle.api": Support(Level.EMULATED, _EACH),
    "throttle.function": Support(Level.EMULATED, _EACH),
    "throttle.route": Support(Level.EMULATED, _EACH),
    "throttle.caller": Support(Level.EMULATED, f"{_EACH}; an instance remembers 100,000 callers"),
    "throttle.address": Support(Level.EMULATED, f"{_EACH}; an instance remembers 100,000 addresses"),
    "quota": Support(Level.EMULATED, f"{_EACH}; an instance that ends forgets its counts"),
    "validation": Support(Level.EMULATED, f"the function validates: {_TOO_LATE}"),
    "cache_seconds": Support(
        Level.EMULATED, "clients alone keep answers: a request of another client, and a 304, is an invocation"
    ),
    "domain": Support(Level.NATIVE, _LATER),
    "encryption": Support(Level.NATIVE, _LATER),
    "logging": Support(Level.NATIVE, _LATER),
    "tracing": Support(Level.NATIVE, _LATER),
    "alarms": Support(Level.NATIVE, _LATER),
}
"""What any cloud's function does by itself, and what is the same on every cloud: where a flavour's table begins.

A flavour adds ``authorizer.iam`` and ``cdn``, and replaces what its gateway does.
"""


@attrs.frozen
class Explanation:
    """How a provider realises a definition.

    flavour: the one that the definition leads to; why: as ``Choice`` has it. features: those that are used.
    """

    provider: str
    flavour: Flavour
    why: str
    features: tuple[tuple[str, Support], ...]

    @property
    def refused(self) -> tuple[tuple[str, Support], ...]:
        """The features that it refuses."""
        return tuple(row for row in self.features if row[1].level is Level.REFUSED)


def used_features(definition: ApiDefinition) -> tuple[str, ...]:
    """Return the features that a definition uses, in the order of ``FEATURES``."""
    return tuple(feature for feature, is_used in FEATURES.items() if is_used(definition))


def explain(definition: ApiDefinition, provider: Provider) -> Explanation:
    """Return how a provider realises each feature that a definition uses, behind the gateway that it leads to."""
    choice = provider.flavour_of(definition)
    flavour = next(one for one in provider.flavours if one.name == choice.flavour)
    rows = tuple((feature, flavour.support[feature]) for feature in used_features(definition))
    return Explanation(provider.name, flavour, choice.why, rows)


def check_support(definition: ApiDefinition, provider: Provider) -> None:
    """Raise DefinitionError if the definition uses what the provider refuses, naming each such feature."""
    refused = [
        Problem(
            f"api {definition.name}: {feature}",
            f"a feature that {provider.name} realises",
            "one that it refuses",
            support.note,
        )
        for feature, support in explain(definition, provider).refused
    ]
    if refused:
        raise DefinitionError(refused)
