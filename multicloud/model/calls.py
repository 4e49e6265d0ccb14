"""How a handler is called: read from its signature once, at deploy time, so that a request costs no inspection.

A handler takes the request first (a parameter named ``request``, or any first positional parameter without a default
that is not a path parameter) and path parameters by name; either may be absent. Any other parameter needs a default.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem
from multicloud.model.checks import show
from multicloud.model.templates import PathTemplate

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@attrs.frozen
class CallPlan:
    """How to call a handler.

    wants_request: the request is its first positional argument. parameters: the path parameters to pass by name, in the
    template's order; None: all of them, because it takes ``**kwargs``. is_async: calling it gives a coroutine; a plain
    wrapper around an async handler cannot be told, so an awaitable that comes back from any handler must still be
    awaited.
    """

    wants_request: bool
    parameters: tuple[str, ...] | None
    is_async: bool


def call_plan(handler: Callable[..., Any], template: PathTemplate) -> CallPlan:
    """Return how to call a handler of a route. Raises DefinitionError if it cannot be called."""
    plan, problems = read_call(handler, template)
    if problems:
        raise DefinitionError([attrs.evolve(problem, place=f"handler {show(handler)}") for problem in problems])
    return plan


def read_call(handler: Callable[..., Any], template: PathTemplate) -> tuple[CallPlan, list[Problem]]:
    """Return how to call a handler, and the problems (without a place) that forbid it."""
    is_async = _is_async(handler)
    inner = _wrapped(handler)
    try:
        parameters = list(inspect.signature(handler, follow_wrapped=False).parameters.values())
    except (TypeError, ValueError):
        if inner is not None:
            return _called_as(inner, template, is_async)
        problem = Problem("", "a callable whose signature can be read", show(handler), "wrap it in a function")
        return CallPlan(False, (), is_async), [problem]
    kinds = {parameter.kind for parameter in parameters}
    if inner is None or Parameter.VAR_KEYWORD not in kinds:
        return _read(parameters, template, is_async)
    if kinds == {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}:
        return _called_as(inner, template, is_async)
    return _through_wrapper(parameters, inner, template, is_async)


def _called_as(inner: Callable[..., Any], template: PathTemplate, is_async: bool) -> tuple[CallPlan, list[Problem]]:
    """Read a wrapper that passes everything on: it is called as what it wraps would be."""
    plan, problems = read_call(inner, template)
    return attrs.evolve(plan, is_async=is_async), problems


def _through_wrapper(
    parameters: list[Parameter], inner: Callable[..., Any], template: PathTemplate, is_async: bool
) -> tuple[CallPlan, list[Problem]]:
    """Read a wrapper that names some parameters and passes on others: it may add what the inner function still needs.

    The wrapper is what gets called, never the inner function: skipping it would skip what it guards.
    """
    plan, problems = _read(parameters, template, is_async)
    passed_on = read_call(inner, template)[0].parameters
    if passed_on is not None:
        named = {parameter.name for parameter in parameters if parameter.kind in _BY_NAME}
        names = tuple(name for name in template.parameters if name in named or name in passed_on)
        plan = attrs.evolve(plan, parameters=names)
    return plan, problems


def _read(parameters: list[Parameter], template: PathTemplate, is_async: bool) -> tuple[CallPlan, list[Problem]]:
    """Match a signature's own parameters against a template's."""
    paths = template.parameters
    wants_request = bool(parameters) and _is_request(parameters[0], paths)
    problems, taken = [], set()
    for parameter in parameters[1:] if wants_request else parameters:
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            continue
        if parameter.name in paths and parameter.kind in _BY_NAME:
            taken.add(parameter.name)
        elif parameter.name in paths:
            problems.append(
                Problem("", "path parameters that can be passed by name", f"positional-only {parameter.name}")
            )
        elif parameter.name == "request":
            problems.append(Problem("", "request as the first positional parameter", "request in another place"))
        elif parameter.default is Parameter.empty:
            problems.append(_unknown(parameter.name, paths))
    everything = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters)
    names = None if everything else tuple(name for name in paths if name in taken)
    return CallPlan(wants_request, names, is_async), problems


def _is_request(parameter: Parameter, paths: tuple[str, ...]) -> bool:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return True
    if parameter.kind not in _POSITIONAL or parameter.name in paths:
        return False
    return parameter.name == "request" or parameter.default is Parameter.empty


def _unknown(name: str, paths: tuple[str, ...]) -> Problem:
    known = " and ".join(["request", *paths]) if paths else "request alone"
    hint = "give it a default, or put it into the path"
    return Problem("", f"parameters that the route can fill ({known})", f"a required parameter {name!r}", hint)


def _wrapped(handler: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return what a ``functools.wraps`` wrapper stands for; None if it is no wrapper or wraps itself in a circle."""
    call = handler if hasattr(handler, "__wrapped__") else getattr(handler, "__call__", None)  # noqa: B004
    inner = getattr(call, "__wrapped__", None)
    try:
        inspect.unwrap(handler)
    except ValueError:
        return None
    if inspect.ismethod(call) and inspect.isfunction(inner):
        return inner.__get__(call.__self__)
    return inner if callable(inner) else None


def _is_async(handler: Callable[..., Any]) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    if inspect.iscoroutinefunction(handler):
        return True
    return not inspect.isclass(handler) and inspect.iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004
