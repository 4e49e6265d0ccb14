"""From what the user wrote to what it means: recorders in, one validated ``ApiDefinition`` out.

The recorders (``multicloud.runtime.recorder``) ship in every function and check nothing. ``define`` reads them at
deploy time and reports everything that is wrong in any of them together.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from inspect import Parameter
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem
from multicloud.model.checks import bare, report, report_together, show, unknown_names
from multicloud.model.definition import ApiDefinition
from multicloud.model.functions import FunctionDefinition
from multicloud.model.routes import MountDefinition, RouteDefinition, handler_name
from multicloud.runtime.recorder import Api, Function, Route, Router

_RECORDED = {
    "name", "functions", "routes", "mounts", "middleware", "exception_handlers", "recorder",
}  # fmt: skip
ROUTE_SETTINGS = frozenset(attrs.fields_dict(RouteDefinition)) - {"method", "path", "handler", "template"}
FUNCTION_SETTINGS = frozenset(attrs.fields_dict(FunctionDefinition)) - _RECORDED
API_SETTINGS = frozenset(attrs.fields_dict(ApiDefinition)) - _RECORDED


def define(api: Api | ApiDefinition) -> ApiDefinition:
    """Return the definition of an API. Raises DefinitionError with every problem in it."""
    if isinstance(api, ApiDefinition):
        return api
    if not isinstance(api, Api):
        raise DefinitionError([Problem("api", "an Api", show(api), "name it as 'module:variable'")])
    with report_together():
        return definition_of(api)


def definition_of(api: Api) -> ApiDefinition:
    """Build the whole; what is wrong in it goes to the open report."""
    place = f"api {bare(api.name)}"
    report([*unknown_names(place, api.settings, API_SETTINGS | FUNCTION_SETTINGS)])
    named = [function for function in api.functions if isinstance(function, Function)]
    strangers = [item for item in api.functions if not isinstance(item, Function)]
    report([Problem(f"{place}: functions", "Function values", show(item)) for item in strangers])
    names = _operation_ids([api, *named])
    functions = [_function(function, function.settings, names) for function in named]
    own = {name: value for name, value in api.settings.items() if name in FUNCTION_SETTINGS - API_SETTINGS}
    if api.routes or api.mounts:
        functions.insert(0, _function(api, own, names))
    else:
        got = f"an Api whose routes are all in functions={[function.name for function in named]}"
        report([Problem(f"{place}: {name}", "a setting of the Api", got, "state it on the Function") for name in own])
    return ApiDefinition(
        api.name,
        functions,
        middleware=api.middlewares,
        exception_handlers=api.exception_handlers,
        recorder=api,
        **{name: value for name, value in api.settings.items() if name in API_SETTINGS},
    )


def _function(router: Router, settings: Mapping[str, Any], names: Mapping[int, str]) -> FunctionDefinition:
    """Build a function. An Api's middleware and exception handlers are the whole API's, not its default function's."""
    shared = isinstance(router, Api)
    if not shared:
        report([*unknown_names(f"function {bare(router.name)}", settings, FUNCTION_SETTINGS)])
    return FunctionDefinition(
        router.name,
        routes=[_route(route, names[id(route)]) for route in router.routes],
        mounts=[_mount(prefix, app) for prefix, app in router.mounts],
        middleware=() if shared else router.middlewares,
        exception_handlers=() if shared else router.exception_handlers,
        recorder=router,
        **{name: value for name, value in settings.items() if name in FUNCTION_SETTINGS},
    )


def _route(route: Route, operation_id: str) -> RouteDefinition:
    place = f"route {bare(route.method)} {bare(route.path)}"
    report([*unknown_names(place, route.options, ROUTE_SETTINGS)])
    options = {name: value for name, value in route.options.items() if name in ROUTE_SETTINGS - {"operation_id"}}
    stated = route.options.get("operation_id")
    return RouteDefinition(
        route.method, route.path, route.handler, operation_id if stated is None else stated, **options
    )


def _operation_ids(routers: Iterable[Router]) -> dict[int, str]:
    """Return an operation_id for each recorded route that states none: the handler's name, made unique.

    The first route of a handler's name bears it; further ones add their method, then a number. Stated ids are never
    taken. The result depends on the order of definition alone.
    """
    routes = [route for router in routers for route in router.routes]
    taken = {stated for route in routes if isinstance(stated := route.options.get("operation_id"), str)}
    counts: Counter[str] = Counter()
    names: dict[int, str] = {}
    for route in routes:
        name = handler_name(route.handler)
        candidates = _candidates(name, str(route.method).lower(), counts)
        names[id(route)] = next(candidate for candidate in candidates if candidate not in taken)
        if route.options.get("operation_id") is None:
            taken.add(names[id(route)])
    return names


def _candidates(name: str, method: str, counts: Counter[str]) -> Iterator[str]:
    """Yield names for a route; counts keeps the last number of each, so that no number is tried twice."""
    yield name
    name = f"{name[:60]}_{method}"
    yield name
    while True:
        counts[name] += 1
        yield f"{name}_{counts[name] + 1}"


def _mount(prefix: str, app: Any) -> MountDefinition:
    kind = app_kind(app)
    if not kind:
        hint = "an ASGI app takes (scope, receive, send), a WSGI app (environ, start_response)"
        report([Problem(f"mount {bare(prefix)}", "an ASGI or WSGI application", show(app), hint)])
    return MountDefinition(prefix, app if kind else _no_app, kind or "wsgi")


def app_kind(app: Any) -> str:
    """Return ``asgi`` or ``wsgi`` for an application by what it can be called with; empty if it is neither."""
    if not callable(app) or inspect.isclass(app):
        return ""
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return "asgi"
    try:
        signature = inspect.signature(app)
    except (TypeError, ValueError):
        return ""
    required = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.default is Parameter.empty
        and parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    ]
    return {3: "asgi", 2: "wsgi"}.get(len(required), "")


def _no_app() -> None:
    """Stand in a definition that is about to be refused for an application that is none."""
