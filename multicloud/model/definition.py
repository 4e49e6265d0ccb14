"""The API as a whole: the value that everything downwards of it reads, valid once it exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from typing import Any

import attrs

from multicloud.errors import Problem
from multicloud.model.authorizers import (
    PUBLIC,
    Authorizer,
    FunctionAuthorizer,
    JwtAuthorizer,
    alternatives,
    authorizers,
)
from multicloud.model.checks import (
    Check,
    Checked,
    bare,
    callable_or_name,
    each,
    expects,
    instance,
    listed,
    nearest,
    optional,
    prose,
    show,
    text,
)
from multicloud.model.conflicts import mount_conflicts, route_conflicts
from multicloud.model.functions import (
    LONGEST_API_NAME,
    LONGEST_FUNCTION_NAME,
    FunctionDefinition,
    cloud_name,
    exception_pairs,
)
from multicloud.model.policies import Alarm, Cdn, Cors, Domain, Encryption, Logging, Quota, Throttle, Tracing
from multicloud.model.routes import RouteDefinition

_SHOWN = 5  # routes in one message


def _policy(cls: type) -> dict[str, tuple[Check, ...]]:
    """Return the metadata of a field that holds a policy of one class or None."""
    return expects(optional(instance(cls)))


@attrs.frozen
class ApiDefinition(Checked):
    """The whole API.

    name: 1 to 40 lower-case letters, digits and inner hyphens. functions: at least one; the default function, if there
    is one, is the first and bears the API's name. authorizer, throttle, quota: for every route that states none of its
    own; an authorizer or a list of alternatives is kept as a tuple. cors, cdn, domain, encryption, logging, tracing: a
    policy of that class; None (default): what the class's docstring says of its absence, or the provider's default.
    alarms: default none. description, version: for the API's documentation; default empty and ``1.0.0``. middleware,
    exception_handlers: around every function's own. recorder: the ``Api`` it was recorded by.

    Beyond each value's own checks: functions' names and operation_ids are unique, routes and mounts do not collide
    (``multicloud.model.conflicts``), what protects a route can be told from what it states, alarms watch functions that
    exist. Raises DefinitionError.
    """

    name: str = attrs.field(metadata=expects(cloud_name(LONGEST_API_NAME)))
    functions: tuple[FunctionDefinition, ...] = attrs.field(
        converter=listed, metadata=expects(each(instance(FunctionDefinition)))
    )
    authorizer: tuple[Authorizer, ...] | None = attrs.field(
        default=None, converter=alternatives, metadata=expects(authorizers)
    )
    cors: Cors | None = attrs.field(default=None, metadata=_policy(Cors))
    throttle: Throttle | None = attrs.field(default=None, metadata=_policy(Throttle))
    quota: Quota | None = attrs.field(default=None, metadata=_policy(Quota))
    cdn: Cdn | None = attrs.field(default=None, metadata=_policy(Cdn))
    domain: Domain | None = attrs.field(default=None, metadata=_policy(Domain))
    encryption: Encryption | None = attrs.field(default=None, metadata=_policy(Encryption))
    logging: Logging | None = attrs.field(default=None, metadata=_policy(Logging))
    tracing: Tracing | None = attrs.field(default=None, metadata=_policy(Tracing))
    alarms: tuple[Alarm, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(instance(Alarm))))
    description: str = attrs.field(default="", metadata=expects(prose(10_000)))
    version: str = attrs.field(default="1.0.0", metadata=expects(text(100)))
    middleware: tuple[Callable[..., Any] | str, ...] = attrs.field(
        default=(), converter=listed, metadata=expects(each(callable_or_name))
    )
    exception_handlers: tuple[tuple[type[BaseException], Callable[..., Any]], ...] = attrs.field(
        default=(), converter=listed, metadata=expects(exception_pairs)
    )
    recorder: Any = attrs.field(default=None, eq=False, repr=False)

    @property
    def place(self) -> str:
        """``api shop``."""
        return f"api {bare(self.name)}"

    @property
    def routes(self) -> tuple[tuple[FunctionDefinition, RouteDefinition], ...]:
        """Every route with its function, in the order of definition."""
        return tuple((function, route) for function in self.functions for route in function.routes)

    @property
    def default_function(self) -> FunctionDefinition | None:
        """The function that bears the API's name, if there is one."""
        return next((function for function in self.functions if function.name == self.name), None)

    def authorizers(self, function: FunctionDefinition, route: RouteDefinition | None = None) -> tuple[Authorizer, ...]:
        """Return who may call a route (None: a mount) of a function: any one of these; empty: anyone."""
        nearest_stated = (route and route.authorizer) or function.authorizer or self.authorizer or ()
        return () if nearest_stated == (PUBLIC,) else nearest_stated

    def throttle_of(self, function: FunctionDefinition, route: RouteDefinition | None = None) -> Throttle | None:
        """Return the throttle that counts for a route (None: a mount) of a function."""
        return (route and route.throttle) or function.throttle or self.throttle

    def quota_of(self, function: FunctionDefinition, route: RouteDefinition | None = None) -> Quota | None:
        """Return the quota that counts for a route (None: a mount) of a function."""
        return (route and route.quota) or function.quota or self.quota

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Yield what is wrong between values, in the order of the class's docstring."""
        if "functions" in wrong:
            return
        if not self.functions:
            yield Problem(self.at("functions"), "at least one route or mount", "none")
        yield from self._names()
        routes = [(str(function.name), route) for function, route in self.routes]
        mounts = [(str(function.name), mount) for function in self.functions for mount in function.mounts]
        yield from route_conflicts(routes)
        yield from mount_conflicts(mounts)
        if "authorizer" not in wrong:
            yield from self._protection()
        if "alarms" not in wrong:
            yield from self._alarms()

    def _names(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, function in enumerate(self.functions):
            name = bare(function.name)
            if name in seen:
                yield Problem(function.place, "a name of its own", "two functions of that name")
            elif name == self.name and index:
                yield Problem(function.place, "the default function first", f"it as number {index + 1}")
            seen.add(name)
            if name != self.name and LONGEST_FUNCTION_NAME < len(name) <= LONGEST_API_NAME:
                got = f"{len(name)} characters"
                yield Problem(function.at("name"), f"at most {LONGEST_FUNCTION_NAME} characters", got)

    def _protection(self) -> Iterator[Problem]:
        """Nothing is open by accident, nothing is closed for ever, no answer to one caller is kept for another."""
        parts: list[FunctionDefinition | RouteDefinition] = [*self.functions, *(route for _, route in self.routes)]
        if any(not isinstance(part.authorizer, tuple | None) for part in parts):
            return
        if self.authorizer is None and any(part.authorizer for part in parts):
            yield from self._unprotected()
        for function, route in self.routes:
            effective = self.authorizers(function, route)
            if route.scopes and not any(isinstance(one, JwtAuthorizer | FunctionAuthorizer) for one in effective):
                got = "none that does" if effective else "no authorizer"
                yield Problem(route.at("scopes"), "a JwtAuthorizer or FunctionAuthorizer, which grant scopes", got)
            if route.cache_seconds is not None and effective:
                hint = "answer with Cache-Control: private, or make the route PUBLIC"
                got = "an authorizer on the route"
                yield Problem(route.at("cache_seconds"), "a route that anyone may call", got, hint)

    def _unprotected(self) -> Iterator[Problem]:
        """Yield one problem for all routes and mounts that state nothing in an API without an authorizer of its own."""
        unstated = [
            part.place
            for function in self.functions
            if not function.authorizer
            for part in (*function.routes, *function.mounts)
            if not getattr(part, "authorizer", None)
        ]
        if unstated:
            shown = ", ".join(unstated[:_SHOWN]) + (", ..." if len(unstated) > _SHOWN else "")
            hint = "state it on the Api; authorizer=PUBLIC lets anyone in"
            expected = "an authorizer for everything once one route has it"
            yield Problem(self.at("authorizer"), expected, f"{len(unstated)} without: {shown}", hint)

    def _alarms(self) -> Iterator[Problem]:
        names = {bare(function.name) for function in self.functions}
        seen: set[str] = set()
        for alarm in self.alarms:
            if alarm.function is not None and alarm.function not in names:
                hint = nearest(alarm.function, names)
                yield Problem(f"alarm {alarm.name}: function", "a function's name", show(alarm.function), hint)
            if alarm.name in seen:
                yield Problem(f"alarm {alarm.name}", "a name of its own", "two alarms of that name")
            seen.add(alarm.name)
