"""From authorizers, throttles and quotas to the literals that the runtime's gates are made of, and what they need.

    policies          None if no route or mount has a gate, else:
      authorizers     kind (jwt, api_key, iam, function) and the fields of each
      throttles       rate, burst, per of each
      quotas          limit, period, per of each
      gates           authorizers (any one is enough), scopes (all), throttle, quota: indices of the above, or None

A throttle or quota is one counter for all that it is stated for: an API's counts every route that inherits it. A secret
is named by the environment variable that will hold it; no value is read here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import Any

import attrs

from multicloud.errors import ConfigError, DefinitionError, Problem
from multicloud.model import ApiDefinition, FunctionDefinition
from multicloud.model.authorizers import ApiKeyAuthorizer, Authorizer, FunctionAuthorizer, JwtAuthorizer
from multicloud.model.policies import Quota, Throttle
from multicloud.model.routes import MountDefinition, RouteDefinition
from multicloud.runtime.authorizers import is_sendable

JWT_REQUIREMENT = "pyjwt[crypto]>=2.10,<3"
"""What a bundle needs in which the runtime verifies tokens; the extra ``jwt`` of this package is the same."""

JWT_HINT = "pip install 'multicloud[jwt]'"

GATE_MODULES = frozenset(("authorizers", "fetching", "gate", "jwks", "throttles", "tokens"))
"""Modules of ``multicloud.runtime`` that only a function with a gate may need."""

AddFunction = Callable[[Any, str], tuple[int, bool]]


@attrs.define
class GateCompiler:
    """Collects the gates of some functions of an API.

    add: takes a user's callable and its place; returns the index of the object and whether it is async.
    """

    definition: ApiDefinition
    add: AddFunction
    _authorizers: list[Authorizer] = attrs.field(factory=list)
    _authorizer_literals: list[dict[str, Any]] = attrs.field(factory=list)
    _limits: dict[str, dict[str, dict[str, Any]]] = attrs.field(factory=lambda: {"throttles": {}, "quotas": {}})
    _gates: list[dict[str, Any]] = attrs.field(factory=list)

    def gate(self, function: FunctionDefinition, part: RouteDefinition | MountDefinition) -> int | None:
        """Return the number of a route's or mount's gate, None if it needs none."""
        route = part if isinstance(part, RouteDefinition) else None
        definition = self.definition
        gate = {
            "authorizers": tuple(self._authorizer(one, part.place) for one in definition.authorizers(function, route)),
            "scopes": tuple(sorted(route.scopes)) if route else (),
            "throttle": self._limit("throttles", "throttle", definition.throttle_of(function, route), function, route),
            "quota": self._limit("quotas", "quota", definition.quota_of(function, route), function, route),
        }
        if not gate["authorizers"] and gate["throttle"] is None and gate["quota"] is None:
            return None
        if gate not in self._gates:
            self._gates.append(gate)
        return self._gates.index(gate)

    def literals(self) -> dict[str, Any] | None:
        """Return ``policies``, as the module's docstring says."""
        if not self._gates:
            return None
        return {
            "authorizers": tuple(self._authorizer_literals),
            "throttles": tuple(self._limits["throttles"].values()),
            "quotas": tuple(self._limits["quotas"].values()),
            "gates": tuple(self._gates),
        }

    def _authorizer(self, authorizer: Authorizer, place: str) -> int:
        if authorizer not in self._authorizers:
            self._authorizers.append(authorizer)
            self._authorizer_literals.append(self._literal(authorizer, place))
        return self._authorizers.index(authorizer)

    def _literal(self, authorizer: Authorizer, place: str) -> dict[str, Any]:
        if isinstance(authorizer, JwtAuthorizer):
            return {"kind": "jwt", **attrs.asdict(authorizer)}
        if isinstance(authorizer, ApiKeyAuthorizer):
            secrets = tuple((key_id, secret_variable(name)) for key_id, name in authorizer.keys.items())
            return {"kind": "api_key", "header": authorizer.header, "secrets": secrets}
        if isinstance(authorizer, FunctionAuthorizer):
            handler, is_async = self.add(authorizer.handler, f"{place}: authorizer")
            kept = ("identity_headers", "cache_seconds")
            return {
                "kind": "function",
                "handler": handler,
                "async": is_async,
                **{name: getattr(authorizer, name) for name in kept},
            }
        return {"kind": "iam"}

    def _limit(
        self,
        table: str,
        name: str,
        limit: Throttle | Quota | None,
        function: FunctionDefinition,
        route: RouteDefinition | None,
    ) -> int | None:
        if limit is None:
            return None
        stated_by = next(part for part in (route, function, self.definition) if part and getattr(part, name))
        limits = self._limits[table]
        limits.setdefault(_owner(function, stated_by), attrs.asdict(limit))
        return list(limits).index(_owner(function, stated_by))


def _owner(function: FunctionDefinition, part: RouteDefinition | FunctionDefinition | ApiDefinition) -> str:
    return part.place if isinstance(part, ApiDefinition) else f"{function.name} {part.place}"


def secret_variable(name: str) -> str:
    """Return the environment variable that holds a stored secret inside a function and on the developer's machine."""
    return "MULTICLOUD_SECRET_" + re.sub("[^A-Z0-9]", "_", name.upper())


def used_authorizers(
    definition: ApiDefinition, functions: Iterable[FunctionDefinition]
) -> dict[type, list[tuple[Authorizer, str]]]:
    """Return the authorizers that routes and mounts of functions have, each once with a place, by their class."""
    found: dict[type, list[tuple[Authorizer, str]]] = {}
    for function in functions:
        parts = [*((route, route.place) for route in function.routes), *((None, one.place) for one in function.mounts)]
        for route, place in parts:
            for authorizer in definition.authorizers(function, route):
                known = found.setdefault(type(authorizer), [])
                if not any(one == authorizer for one, _ in known):
                    known.append((authorizer, place))
    return found


def gate_modules(definition: ApiDefinition, function: FunctionDefinition) -> set[str]:
    """Return the modules of ``multicloud.runtime`` that the gates of a function's routes and mounts import."""
    used = used_authorizers(definition, [function]).keys()
    is_limited = any(
        definition.throttle_of(function, route) or definition.quota_of(function, route)
        for route in (*function.routes, *(None for _ in function.mounts))
    )
    modules = {"gate", "throttles"} if used or is_limited else set()
    if JwtAuthorizer in used:
        modules |= {"tokens", "jwks", "fetching"}
    return modules | ({"authorizers"} if used - {JwtAuthorizer} else set())


def runtime_requirements(definition: ApiDefinition, function: FunctionDefinition) -> tuple[str, ...]:
    """Return the packages that the runtime itself needs in a function's bundle."""
    return (JWT_REQUIREMENT,) if JwtAuthorizer in used_authorizers(definition, [function]) else ()


def check_secrets(definition: ApiDefinition) -> None:
    """Raise DefinitionError if two stored secrets have names that one environment variable stands for."""
    names: dict[str, str] = {}
    problems = []
    for authorizer, place in used_authorizers(definition, definition.functions).get(ApiKeyAuthorizer, ()):
        for name in getattr(authorizer, "keys", {}).values():
            other = names.setdefault(secret_variable(name), name)
            if other != name:
                expected = "secrets whose names differ in more than case and punctuation"
                problems.append(Problem(f"{place}: authorizer", expected, f"{other!r} and {name!r}"))
    if problems:
        raise DefinitionError(problems)


def check_at_home(definition: ApiDefinition, environment: Mapping[str, str] = os.environ) -> None:
    """Raise ConfigError if what is to run in this process lacks a secret, or the packages that verify tokens.

    In a function the first request that needs it finds out, and is answered 500.
    """
    used = used_authorizers(definition, definition.functions)
    lacks_packages = find_spec("jwt") is None or find_spec("cryptography") is None
    problems = [
        Problem(f"{place}: authorizer", "PyJWT and cryptography, which verify tokens", "neither", JWT_HINT)
        for _, place in used.get(JwtAuthorizer, ())
        if lacks_packages
    ]
    problems += [
        Problem(
            f"{place}: authorizer",
            f"the secret {name!r} in the environment variable {secret_variable(name)}",
            "characters that a header does not carry" if environment.get(secret_variable(name)) else "none",
            f"set {secret_variable(name)} to any ASCII text for the key that callers will send here",
        )
        for authorizer, place in used.get(ApiKeyAuthorizer, ())
        for name in getattr(authorizer, "keys", {}).values()
        if not is_sendable(environment.get(secret_variable(name), ""))
    ]
    if problems:
        raise ConfigError(problems)
