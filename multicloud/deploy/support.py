"""Which features a definition uses, and whether a provider realises them. Nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Callable

from multicloud.errors import DefinitionError, Problem
from multicloud.model import PUBLIC, ApiDefinition
from multicloud.provider import Level, Provider


def _stated(name: str) -> Callable[[ApiDefinition], bool]:
    """Return a test for a policy stated on the API, a function or a route."""

    def is_stated(definition: ApiDefinition) -> bool:
        parts = [definition, *definition.functions, *(route for _, route in definition.routes)]
        values = [getattr(part, name, None) for part in parts]
        return any(value and value != (PUBLIC,) for value in values)  # a public route asks nothing of anyone

    return is_stated


FEATURES: dict[str, Callable[[ApiDefinition], bool]] = {
    "authorizer": _stated("authorizer"),
    "cache_seconds": _stated("cache_seconds"),
    "cdn": _stated("cdn"),
    "cors": _stated("cors"),
    "quota": _stated("quota"),
    "throttle": _stated("throttle"),
}
"""Feature to whether a definition uses it: what decides who may call and what is answered. What concerns a deployment
alone (domain, encryption, logging, tracing, alarms) is not part of a bundle or of the local gateway."""


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
