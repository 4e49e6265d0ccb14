"""Shapes as the literals that ``multicloud.runtime.converters`` reads.

    "int", "uuid", ...              a scalar, by its kind
    ("literal", values)             constants
    ("enum", object)                an Enum's members, by value
    ("list", shape)                 a list
    ("dict", shape)                 an object with any names
    ("either", shapes)              alternatives
    ("record", number)              an entry of the config's ``records``: object (None for a TypedDict) and fields, each
                                    (name in JSON, argument, shape, whether it is required)
    ("model", object)               a pydantic model

where ``object`` is an index into the tuple of the user's objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from multicloud.deploy.references import load
from multicloud.model.calls import CallPlan, read_call
from multicloud.model.functions import FunctionDefinition
from multicloud.model.shapes import Choice, Either, ListOf, MapOf, Model, Record, Scalar, Shape, without_none

TYPED_MODULES = ("converters", "typed")
"""The runtime's modules that typed handlers alone need."""


def is_typed(function: FunctionDefinition) -> bool:
    """Return whether a function has a handler whose arguments are converted."""
    return any(read_call(load(route.handler), route.template)[0].arguments for route in function.routes)


@attrs.define
class ShapeCompiler:
    """Writes shapes. add: takes a class, and returns its index among the user's objects. records: the config's."""

    add: Callable[[type], int]
    records: list[dict[str, Any]] = attrs.field(factory=list)
    _numbers: dict[type, int] = attrs.field(factory=dict)
    _objects: dict[type, int] = attrs.field(factory=dict)

    def typed(self, plan: CallPlan, *, development: bool) -> dict[str, Any] | None:
        """Return what a route's config says of a plan's types; None if there is nothing to convert or to check."""
        returns = None
        if development and plan.returns is not None and _can_be_wrong(plan.returns):
            returns = self.write(plan.returns)
        if not plan.arguments and returns is None:
            return None
        arguments = []
        for argument in plan.arguments:
            shape, source = argument.shape, argument.source
            or_none = isinstance(shape, Either) and shape.takes_none and not argument.has_default
            if source == "query":
                shape = without_none(shape)
                if isinstance(shape, ListOf):
                    shape, source = shape.item, "list"
            arguments.append((argument.name, source, self.write(shape), argument.required, or_none))
        return {"arguments": tuple(arguments), "returns": returns}

    def write(self, shape: Shape) -> Any:
        """Return a shape's literals."""
        match shape:
            case Scalar(kind):
                return kind
            case Choice(values, None):
                return "literal", values
            case Choice(_, cls):
                return "enum", self._object(cls)
            case ListOf(item):
                return "list", self.write(item)
            case MapOf(value):
                return "dict", self.write(value)
            case Either(options):
                return "either", tuple(self.write(option) for option in options)
            case Model(cls):
                return "model", self._object(cls)
            case Record():
                return "record", self._record(shape)

    def _object(self, cls: Any) -> int:
        if cls not in self._objects:
            self._objects[cls] = self.add(cls)
        return self._objects[cls]

    def _record(self, record: Record) -> int:
        number = self._numbers.get(record.cls)
        if number is None:
            number = self._numbers[record.cls] = len(self.records)
            written: dict[str, Any] = {"object": None if record.is_mapping else self._object(record.cls)}
            self.records.append(written)
            written["fields"] = tuple(
                (field.name, field.argument, self.write(field.shape), field.required) for field in record.fields
            )
        return number


def _can_be_wrong(shape: Shape) -> bool:
    """Return whether an answer's shape is worth a check: a bare dict, a list of anything or a text is not."""
    match shape:
        case ListOf(item):
            return item != Scalar("any")
        case MapOf(value):
            return value != Scalar("any")
        case Either(options):
            return any(_can_be_wrong(option) for option in options)
        case _:
            return isinstance(shape, Record | Model)
