"""How a handler is called: read from its signature once, at deploy time, so that a request costs no inspection.

A handler takes the request first: a parameter named ``request``, or any first positional parameter without a default
that is no path parameter and whose annotation, if it has one, is nothing that a request could hold. Path parameters
come by name. Either may be absent. ``multicloud.model.arguments`` says what the other annotated parameters mean; one
without an annotation needs a default, and keeps it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem
from multicloud.model.arguments import Argument, Namespace
from multicloud.model.checks import show
from multicloud.model.shapes import Shape
from multicloud.model.templates import PathTemplate
from multicloud.runtime.request import BODILESS

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@attrs.frozen
class CallPlan:
    """How to call a handler.

    wants_request: the request is its first positional argument. parameters: the path parameters to pass by name, in the
    template's order; None: all of them, because it takes ``**kwargs``. is_async: calling it gives a coroutine; a plain
    wrapper around an async handler cannot be told, so an awaitable that comes back from any handler must still be
    awaited. arguments: what is converted before the call; empty for an untyped handler. returns: what it answers,
    if its annotation says so. varies: whether it may choose another status than that of what it returns.
    """

    wants_request: bool
    parameters: tuple[str, ...] | None
    is_async: bool
    arguments: tuple[Argument, ...] = ()
    returns: Shape | None = None
    varies: bool = True

    @property
    def body(self) -> Argument | None:
        """The argument that the request's body becomes."""
        return next((argument for argument in self.arguments if argument.source == "body"), None)


def call_plan(handler: Callable[..., Any], template: PathTemplate, method: str = "POST") -> CallPlan:
    """Return how to call a handler of a route. Raises DefinitionError if it cannot be called."""
    plan, problems = read_route(handler, template, method)
    if problems:
        raise DefinitionError([attrs.evolve(problem, place=f"handler {show(handler)}") for problem in problems])
    return plan


def read_route(handler: Callable[..., Any], template: PathTemplate, method: str) -> tuple[CallPlan, list[Problem]]:
    """Return how to call a handler for a method, and the problems (without a place) that forbid it."""
    plan, problems = read_call(handler, template)
    if plan.body is not None and method in BODILESS:
        got = f"{plan.body.name!r}, which only a body can hold, on {method}"
        hint = "use POST, or take its parts from the query one by one"
        problems.append(Problem("", "parameters that the path and the query can hold", got, hint))
    return plan, problems


def read_call(handler: Callable[..., Any], template: PathTemplate) -> tuple[CallPlan, list[Problem]]:
    """Return how to call a handler, whatever the method, and the problems (without a place) that forbid it."""
    is_async = _is_async(handler)
    inner = _wrapped(handler)
    try:
        signature = inspect.signature(handler, follow_wrapped=False)
    except (TypeError, ValueError):
        if inner is not None:
            return _called_as(inner, template, is_async)
        problem = Problem("", "a callable whose signature can be read", show(handler), "wrap it in a function")
        return CallPlan(False, (), is_async), [problem]
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if inner is None or Parameter.VAR_KEYWORD not in kinds:
        return _read(signature, handler, template, is_async)
    if kinds == {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}:
        return _called_as(inner, template, is_async)
    return _through_wrapper(signature, handler, inner, template, is_async)


def _called_as(inner: Callable[..., Any], template: PathTemplate, is_async: bool) -> tuple[CallPlan, list[Problem]]:
    """Read a wrapper that passes everything on: it is called as what it wraps would be."""
    plan, problems = read_call(inner, template)
    return attrs.evolve(plan, is_async=is_async), problems


def _through_wrapper(
    signature: inspect.Signature,
    handler: Callable[..., Any],
    inner: Callable[..., Any],
    template: PathTemplate,
    is_async: bool,
) -> tuple[CallPlan, list[Problem]]:
    """Read a wrapper that names some parameters and passes on others: it may add what the inner function still needs.

    The wrapper is what gets called, never the inner function: skipping it would skip what it guards.
    """
    plan, problems = _read(signature, handler, template, is_async)
    inner_plan = read_call(inner, template)[0]
    named = {parameter.name for parameter in signature.parameters.values() if parameter.kind in _BY_NAME}
    passed_on = tuple(argument for argument in inner_plan.arguments if argument.name not in named)
    plan = attrs.evolve(plan, arguments=(*plan.arguments, *passed_on))
    if plan.returns is None:
        plan = attrs.evolve(plan, returns=inner_plan.returns, varies=inner_plan.varies)
    if inner_plan.parameters is not None:
        names = tuple(name for name in template.parameters if name in named or name in inner_plan.parameters)
        plan = attrs.evolve(plan, parameters=names)
    return plan, problems


def _read(
    signature: inspect.Signature, handler: Callable[..., Any], template: PathTemplate, is_async: bool
) -> tuple[CallPlan, list[Problem]]:
    """Match a signature's own parameters against a template's."""
    parameters, paths = list(signature.parameters.values()), template.parameters
    namespace = Namespace.of(handler)
    wants_request = bool(parameters) and _is_request(parameters[0], paths, namespace)
    problems, taken, arguments = [], set(), []
    for parameter in parameters[1:] if wants_request else parameters:
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            continue
        if parameter.name == "request":
            problems.append(Problem("", "request as the first positional parameter", "request in another place"))
        elif parameter.name in paths and parameter.kind not in _BY_NAME:
            problems.append(
                Problem("", "path parameters that can be passed by name", f"positional-only {parameter.name}")
            )
        elif parameter.name in paths:
            taken.add(parameter.name)
            arguments += namespace.path_argument(parameter, problems)
        elif namespace.is_untyped(parameter):
            problems += _unknown(parameter, paths)
        else:
            arguments += namespace.argument(parameter, problems)
    problems += _bodies(arguments)
    everything = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters)
    names = None if everything else tuple(name for name in paths if name in taken)
    returns, varies = namespace.returns(signature.return_annotation)
    return CallPlan(wants_request, names, is_async, tuple(arguments), returns, varies), problems


def _is_request(parameter: Parameter, paths: tuple[str, ...], namespace: Namespace) -> bool:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return True
    if parameter.kind not in _POSITIONAL or parameter.name in paths:
        return False
    if parameter.name == "request":
        return True
    return parameter.default is Parameter.empty and namespace.may_be_request(parameter)


def _unknown(parameter: Parameter, paths: tuple[str, ...]) -> list[Problem]:
    if parameter.default is not Parameter.empty:
        return []
    known = " and ".join(["request", *paths]) if paths else "request alone"
    hint = "annotate it, give it a default, or put it into the path"
    got = f"a required parameter {parameter.name!r}"
    return [Problem("", f"parameters that the route can fill ({known})", got, hint)]


def _bodies(arguments: list[Argument]) -> list[Problem]:
    bodies = [argument.name for argument in arguments if argument.source == "body"]
    if len(bodies) < 2:
        return []
    return [Problem("", "one parameter for the body", " and ".join(bodies), "put them into one class")]


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
