"""Which features a definition uses, and whether a provider realises them. Nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from multicloud.errors import DefinitionError, Problem
from multicloud.model import PUBLIC, ApiDefinition
from multicloud.model.authorizers import ApiKeyAuthorizer, FunctionAuthorizer, IamAuthorizer, JwtAuthorizer
from multicloud.provider import Level, Provider, Support


def _parts(definition: ApiDefinition) -> Iterator[Any]:
    """Yield everything that policies are stated on."""
    yield definition
    yield from definition.functions
    for _, route in definition.routes:
        yield route


def _stated(name: str) -> Callable[[ApiDefinition], bool]:
    """Return a test for a policy stated on the API, a function or a route."""

    def is_stated(definition: ApiDefinition) -> bool:
        values = [getattr(part, name, None) for part in _parts(definition)]
        return any(value and value != (PUBLIC,) for value in values)  # a public route asks nothing of anyone

    return is_stated


def _has_authorizer(cls: type) -> Callable[[ApiDefinition], bool]:
    """Return a test for an authorizer of one class, as an alternative or alone."""
    return lambda definition: any(
        isinstance(one, cls) for part in _parts(definition) for one in getattr(part, "authorizer", None) or ()
    )


def _is_counted_per(client: str) -> Callable[[ApiDefinition], bool]:
    """Return a test for a throttle that counts one client's requests apart from the others'."""
    return lambda definition: any(
        (throttle := getattr(part, "throttle", None)) is not None and throttle.per == client
        for part in _parts(definition)
    )


FEATURES: dict[str, Callable[[ApiDefinition], bool]] = {
    "authorizer.api_key": _has_authorizer(ApiKeyAuthorizer),
    "authorizer.function": _has_authorizer(FunctionAuthorizer),
    "authorizer.iam": _has_authorizer(IamAuthorizer),
    "authorizer.jwt": _has_authorizer(JwtAuthorizer),
    "cache_seconds": _stated("cache_seconds"),
    "cdn": _stated("cdn"),
    "cors": _stated("cors"),
    "quota": _stated("quota"),
    "scopes": _stated("scopes"),
    "throttle": _stated("throttle"),
    "throttle.address": _is_counted_per("address"),
    "throttle.caller": _is_counted_per("caller"),
}
"""Feature to whether a definition uses it: what decides who may call and what is answered. What concerns a deployment
alone (domain, encryption, logging, tracing, alarms) is not part of a bundle or of the local gateway."""

_TOO_LATE = "a request that is refused has started the function and is paid for"
_EACH = "each instance counts by itself, so n instances let in up to n times as much; bound them by max_instances"
EMULATED: Mapping[str, Support] = {
    "authorizer.api_key": Support(Level.EMULATED, f"the function compares the keys: {_TOO_LATE}"),
    "authorizer.function": Support(Level.EMULATED, f"the function calls yours: {_TOO_LATE}"),
    "authorizer.jwt": Support(Level.EMULATED, f"each instance fetches the issuer's keys: {_TOO_LATE}"),
    "quota": Support(Level.EMULATED, f"{_EACH}; an instance that ends forgets its counts"),
    "scopes": Support(Level.EMULATED, f"the function compares them: {_TOO_LATE}"),
    "throttle": Support(Level.EMULATED, _EACH),
    "throttle.address": Support(Level.EMULATED, f"{_EACH}; an instance remembers 100,000 addresses"),
    "throttle.caller": Support(Level.EMULATED, f"{_EACH}; an instance remembers 100,000 callers"),
}
"""What the runtime does on any cloud whose gateway does not: where a provider's own table begins."""


def check_support(definition: ApiDefinition, provider: Provider) -> None:
    """Raise DefinitionError if the definition uses what the provider refuses, naming each such feature."""
    refused = [
        Problem(
            f"api {definition.name}: {feature}", f"a feature that {provider.name} realises", "one that it refuses", note
        )
        for feature, is_used in FEATURES.items()
        if is_used(definition) and (note := _refusal(provider, feature)) is not None
    ]
    if refused:
        raise DefinitionError(refused)


def _refusal(provider: Provider, feature: str) -> str | None:
    support = provider.support[feature]
    return support.note if support.level is Level.REFUSED else None
