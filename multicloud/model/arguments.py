"""What an annotated parameter of a handler is filled from, and how its annotation is resolved.

A parameter whose name is in the path comes from there; text unless it is annotated otherwise. Any other annotated one
comes from the query by its name if text can be it (a list: from all repeats of the name), else it is the body. Headers
and cookies are read from the request.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any, get_args, get_origin

import attrs

from multicloud.errors import Problem
from multicloud.model.checks import show
from multicloud.model.shapes import (
    READABLE,
    Either,
    ListOf,
    MapOf,
    Model,
    Record,
    Scalar,
    Shape,
    UnreadableError,
    is_text,
    read_shape,
    resolve,
    type_name,
    without_none,
)
from multicloud.runtime.request import Request
from multicloud.runtime.response import Response

_UNTYPED = (Parameter.empty, Any, object)
_TEXT = (str, "str", Parameter.empty)


@attrs.frozen
class Argument:
    """A parameter that is converted before the handler is called.

    source: ``path``, ``query`` or ``body``. required: whether its absence is an error. has_default, default: of the
    handler's own; without one, an optional parameter that is absent is None.
    """

    name: str
    source: str
    shape: Shape
    required: bool
    has_default: bool = False
    default: Any = None


@attrs.frozen
class Namespace:
    """Where a handler's annotations have their meaning. names: the globals of its module."""

    names: Mapping[str, Any]

    @classmethod
    def of(cls, handler: Callable[..., Any]) -> Namespace:
        """Return the namespace of a callable of any kind."""
        while isinstance(handler, functools.partial):
            handler = handler.func
        if inspect.isclass(handler):
            handler = handler.__init__
        call = handler if hasattr(handler, "__globals__") else getattr(handler, "__call__", handler)  # noqa: B004
        with contextlib.suppress(ValueError):  # a wrapper that wraps itself
            call = inspect.unwrap(call)
        return cls(getattr(call, "__globals__", {}))

    def is_untyped(self, parameter: Parameter) -> bool:
        """Return whether an annotation is absent or says nothing."""
        return self._resolved(parameter.annotation) in _UNTYPED

    def may_be_request(self, parameter: Parameter) -> bool:
        """Return whether a first parameter is the request, for its annotation is nothing that a request could hold."""
        found = self._resolved(parameter.annotation)
        if found in _UNTYPED:
            return True
        if isinstance(found, str):  # cannot be resolved: imported for type checkers alone
            return found.strip("'\"").rpartition(".")[2] == "Request"
        if isinstance(found, type) and issubclass(found, Request):
            return True
        try:
            read_shape(found)
        except UnreadableError:
            return True
        return False

    def path_argument(self, parameter: Parameter, problems: list[Problem]) -> list[Argument]:
        """Return how a path parameter is converted: not at all if it is text. What is wrong goes to problems."""
        if parameter.annotation in _TEXT or self.is_untyped(parameter):
            return []
        shape = self._shape(parameter, problems)
        if shape is None or shape == Scalar("str"):
            return []
        if not is_text(shape):
            expected = f"a type that text in a path can be for {parameter.name!r}"
            problems.append(Problem("", expected, type_name(self._resolved(parameter.annotation))))
        return [Argument(parameter.name, "path", shape, True)]

    def argument(self, parameter: Parameter, problems: list[Problem]) -> list[Argument]:
        """Return how a parameter is filled that is not in the path. What is wrong goes to problems."""
        shape = self._shape(parameter, problems)
        if shape is None:
            return []
        source = _source(shape)
        if source is None or parameter.kind is Parameter.POSITIONAL_ONLY:
            got = type_name(self._resolved(parameter.annotation)) if source is None else "a positional-only one"
            problems.append(Problem("", f"a parameter {parameter.name!r} that a request can fill", got))
            return []
        has_default = parameter.default is not Parameter.empty
        required = not has_default and not (isinstance(shape, Either) and shape.takes_none)
        default = parameter.default if has_default else None
        return [Argument(parameter.name, source, shape, required, has_default, default)]

    def returns(self, annotation: Any) -> tuple[Shape | None, bool]:
        """Return what a handler answers, None if that cannot be told, and whether it may choose its status.

        What is annotated as ``tuple[X, int]`` or ``X | Response`` is X, with any status.
        """
        if annotation is Parameter.empty:
            return None, True
        found, varies = self._resolved(annotation), False
        if get_origin(found) is tuple and len(get_args(found)) == 2:
            found, varies = get_args(found)[0], True
        options = [option for option in get_args(found) if not _is_response(option)]
        if options and len(options) < len(get_args(found)):
            found, varies = functools.reduce(lambda left, right: left | right, options), True
        try:
            return read_shape(found), varies
        except UnreadableError:
            return None, True

    def _shape(self, parameter: Parameter, problems: list[Problem]) -> Shape | None:
        found = self._resolved(parameter.annotation)
        if isinstance(found, str):
            expected = f"an annotation of {parameter.name!r} that has a meaning at run time"
            hint = "import its names outside of TYPE_CHECKING and define its classes at the top level of a module"
            problems.append(Problem("", expected, show(found), hint))
            return None
        try:
            return read_shape(found)
        except UnreadableError as error:
            expected = f"a type that {parameter.name!r} can be converted to"
            problems.append(Problem("", expected, str(error), f"known are {READABLE}"))
            return None

    def _resolved(self, annotation: Any) -> Any:
        """Return what an annotation means; its text where that cannot be found out."""
        if annotation is Parameter.empty or isinstance(annotation, type):
            return annotation
        try:
            return resolve(annotation, self.names)
        except Exception:  # an annotation's text may be any expression
            return annotation if isinstance(annotation, str) else str(annotation)


def _source(shape: Shape) -> str | None:
    """Return what can hold a shape: query or body; None if neither can."""
    inner = without_none(shape)
    if is_text(inner) or (isinstance(inner, ListOf) and is_text(inner.item)):
        return "query"
    options = inner.options if isinstance(inner, Either) else (inner,)
    return "body" if any(isinstance(option, Record | Model | MapOf | ListOf) for option in options) else None


def _is_response(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, Response)
