"""What an annotation asks of a request or an answer, read once, at deploy time.

A shape is a small value: a scalar, a choice of constants, a list, a mapping, alternatives, a record (an attrs class, a
dataclass or a TypedDict) or a pydantic model. ``multicloud.deploy.shapes`` writes shapes as literals, from which
``multicloud.runtime.converters`` makes converters; ``multicloud.model.openapi_schemas`` writes them as JSON schemas. So
no function that runs in a cloud ever reads an annotation.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import attrs

from multicloud.model.checks import show

READABLE = (
    "str, int, float, bool, UUID, Decimal, date, datetime, an Enum, a Literal, a list or dict of these, "
    "an attrs class, a dataclass, a TypedDict, a pydantic model, or one of these and None"
)
_SHOWN_CHARACTERS = 80
NO_DEFAULT: Any = MISSING
"""The default of what has none."""

_SCALARS: dict[Any, str] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    UUID: "uuid",
    Decimal: "decimal",
    date: "date",
    datetime: "datetime",
    Any: "any",
    object: "any",
    None: "none",
    type(None): "none",
}
_JSON_KINDS = {"int": "number", "float": "number", "bool": "boolean", "none": "null"}


class UnreadableError(Exception):
    """An annotation that is no shape. The message says which and where inside it."""


@attrs.frozen
class Scalar:
    """kind: str, int, float, bool, uuid, decimal, date, datetime, none, or any, which is anything at all."""

    kind: str


@attrs.frozen
class Choice:
    """One of some constants. values: their JSON forms. cls: the Enum whose members they are; None for a Literal."""

    values: tuple[Any, ...]
    cls: type[Enum] | None = None


@attrs.frozen
class ListOf:
    """A list. item: what each of it is."""

    item: Shape


@attrs.frozen
class MapOf:
    """A dict with text as its keys. value: what each of its values is."""

    value: Shape


@attrs.frozen
class Either:
    """Alternatives that JSON itself tells apart: no two of them are both a string, for instance."""

    options: tuple[Shape, ...]

    @property
    def takes_none(self) -> bool:
        """Whether None is among them."""
        return Scalar("none") in self.options


@attrs.frozen
class Field:
    """A member of a record.

    name: in JSON. argument: what the class's constructor calls it. default: ``NO_DEFAULT`` if it has none, or one that
    is made anew each time. description, examples: from the field's metadata of those names.
    """

    name: str
    argument: str
    shape: Shape
    required: bool
    default: Any = NO_DEFAULT
    description: str = ""
    examples: tuple[Any, ...] = ()


@attrs.define(eq=False)
class Record:
    """An object with known members. cls: what is made of it. is_mapping: it is a TypedDict, so a dict is made."""

    cls: type
    is_mapping: bool
    fields: tuple[Field, ...] = attrs.field(default=(), repr=False)  # set later: a record may hold itself


@attrs.frozen
class Model:
    """A pydantic model, which validates by its own rules."""

    cls: type


Shape = Scalar | Choice | ListOf | MapOf | Either | Record | Model


def read_shape(annotation: Any) -> Shape:
    """Return the shape of a type. Raises UnreadableError for one that has none."""
    return _Reader().read(annotation)


def is_text(shape: Shape) -> bool:
    """Return whether one piece of text in a URL can be it."""
    return isinstance(shape, Choice) or (isinstance(shape, Scalar) and shape.kind not in ("any", "none"))


def without_none(shape: Shape) -> Shape:
    """Return what remains of an optional shape when None is left out; anything else as it is."""
    if not isinstance(shape, Either) or not shape.takes_none:
        return shape
    rest = tuple(option for option in shape.options if option != Scalar("none"))
    return rest[0] if len(rest) == 1 else Either(rest)


def resolve(annotation: Any, namespace: Mapping[str, Any]) -> Any:
    """Return the type that an annotation means, text in it resolved. Raises whatever its text raises."""
    if annotation is None or isinstance(annotation, type):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    return typing.get_type_hints(holder, dict(namespace), include_extras=True)["it"]


def type_name(found: Any) -> str:
    """Return a type as a message shows it, its arguments included."""
    text = show(found) if isinstance(found, type) else repr(found)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


class _Reader:
    """Reads one annotation. A class is read once, so that a class may hold itself."""

    def __init__(self) -> None:
        self._records: dict[type, Record] = {}

    def read(self, found: Any) -> Shape:
        found = _plain(found)
        origin, arguments = typing.get_origin(found), typing.get_args(found)
        if origin is typing.Literal:
            return _literal(arguments)
        if origin in (typing.Union, types.UnionType):
            return self._either(found, arguments)
        if found in (list, Sequence) or origin in (list, Sequence):
            return ListOf(self.read(arguments[0]) if arguments else Scalar("any"))
        if found in (dict, Mapping) or origin in (dict, Mapping):
            if arguments and _plain(arguments[0]) not in (str, Any):
                raise UnreadableError(f"{type_name(found)}, whose keys are not str")
            return MapOf(self.read(arguments[1]) if arguments else Scalar("any"))
        kind = _SCALARS.get(found) if found is None or isinstance(found, type) or found is Any else None
        if kind is not None:
            return Scalar(kind)
        if isinstance(found, type):
            return self._class(found)
        raise UnreadableError(type_name(found))

    def _either(self, found: Any, arguments: Sequence[Any]) -> Shape:
        options = tuple(self.read(argument) for argument in arguments)
        seen: set[str] = set()
        for option in options:
            kinds = set(_kinds(option))
            if kinds & seen:
                raise UnreadableError(f"{type_name(found)}, whose alternatives JSON does not tell apart")
            seen |= kinds
        return Either(options)

    def _class(self, cls: type) -> Shape:
        if issubclass(cls, Enum):
            values = tuple(member.value for member in cls)
            if not values or not all(type(value) in (str, int) for value in values):
                raise UnreadableError(f"{type_name(cls)}, whose values are not all str or int")
            return Choice(values, cls)
        if cls in self._records:
            return self._records[cls]
        if hasattr(cls, "model_validate") and hasattr(cls, "__pydantic_validator__"):
            return Model(cls)
        if typing.is_typeddict(cls):
            return self._record(cls, True, _typed_dict_fields)
        if attrs.has(cls):
            return self._record(cls, False, _attrs_fields)
        if hasattr(cls, "__dataclass_fields__"):
            return self._record(cls, False, _dataclass_fields)
        raise UnreadableError(type_name(cls))

    def _record(self, cls: type, is_mapping: bool, fields: Any) -> Record:
        record = self._records[cls] = Record(cls, is_mapping)
        try:
            hints = typing.get_type_hints(cls, include_extras=True)
        except Exception as error:  # a name that is imported for type checkers alone, for instance
            raise UnreadableError(f"{type_name(cls)}, whose annotations cannot be resolved: {error}") from None
        found = []
        for field, annotation in fields(cls, hints):
            try:
                found.append(attrs.evolve(field, shape=self.read(annotation)))
            except UnreadableError as error:
                raise UnreadableError(f"{cls.__name__}.{field.name}: {error}") from None
        record.fields = tuple(found)
        return record


def _plain(found: Any) -> Any:
    """Return what a NewType, a ``type`` statement's alias, Required or NotRequired stands for."""
    while True:
        if typing.get_origin(found) in (typing.Required, typing.NotRequired):
            found = typing.get_args(found)[0]
        elif hasattr(found, "__supertype__"):
            found = found.__supertype__
        elif type(found).__name__ == "TypeAliasType":
            found = found.__value__
        else:
            return found


def _literal(values: tuple[Any, ...]) -> Choice:
    if not all(value is None or type(value) in (str, int, bool) for value in values):
        raise UnreadableError(f"Literal{list(values)}, whose values are not all str, int, bool or None")
    return Choice(values)


def _kinds(shape: Shape) -> Iterator[str]:
    """Yield the kinds of JSON value that a shape takes."""
    match shape:
        case Scalar("any"):
            yield from ("string", "number", "boolean", "null", "array", "object")
        case Scalar(kind):
            yield _JSON_KINDS.get(kind, "string")
        case Choice(values):
            names = {str: "string", int: "number", bool: "boolean"}
            yield from {names.get(type(value), "null") for value in values}
        case ListOf():
            yield "array"
        case Either(options):
            for option in options:
                yield from _kinds(option)
        case _:
            yield "object"


_Fields = Iterator[tuple[Field, Any]]
_NO_SHAPE: Shape = Scalar("any")


def _attrs_fields(cls: Any, hints: Mapping[str, Any]) -> _Fields:
    for field in attrs.fields(cls):
        if field.init:
            made = isinstance(field.default, attrs.Factory)  # type: ignore[arg-type] # a class to the interpreter
            default = NO_DEFAULT if made or field.default is attrs.NOTHING else field.default
            required = field.default is attrs.NOTHING
            yield _field(field, field.alias or field.name, required, default), hints.get(field.name, Any)


def _dataclass_fields(cls: Any, hints: Mapping[str, Any]) -> _Fields:
    for name, field in cls.__dataclass_fields__.items():
        kind = field._field_type.name
        if kind == "_FIELD_INITVAR":
            raise UnreadableError(f"{cls.__name__}.{name}: InitVar, which no value could be read back from")
        if kind == "_FIELD" and field.init:
            required = field.default is MISSING and field.default_factory is MISSING
            yield _field(field, name, required, field.default), hints[name]


def _typed_dict_fields(cls: Any, hints: Mapping[str, Any]) -> _Fields:
    for name, annotation in hints.items():
        origin = typing.get_origin(annotation)
        required = origin is typing.Required or (origin is not typing.NotRequired and name in cls.__required_keys__)
        yield Field(name, name, _NO_SHAPE, required), annotation


def _field(field: Any, argument: str, required: bool, default: Any) -> Field:
    metadata = field.metadata
    description, examples = metadata.get("description", ""), tuple(metadata.get("examples", ()))
    return Field(field.name, argument, _NO_SHAPE, required, default, description, examples)
