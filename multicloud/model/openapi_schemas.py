"""Shapes as JSON schemas (draft 2020-12, as OpenAPI 3.1 has them); classes become components of their own name."""

from __future__ import annotations

import inspect
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from multicloud.model.shapes import (
    NO_DEFAULT,
    Choice,
    Either,
    Field,
    ListOf,
    MapOf,
    Model,
    Record,
    Scalar,
    Shape,
)
from multicloud.runtime.response import dumps

Schema = dict[str, Any]

_PREFIX = "#/components/schemas/"
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_SCALARS: dict[str, Schema] = {
    "any": {},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "decimal": {"type": "string", "pattern": _NUMBER},
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "none": {"type": "null"},
    "str": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
}
_TYPES = {str: "string", int: "integer", bool: "boolean", type(None): "null"}
_BOUNDS = {">=": "minimum", ">": "exclusiveMinimum", "<=": "maximum", "<": "exclusiveMaximum"}
_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


class SchemaWriter:
    """Writes schemas. schemas: the components, by name; what is in it already keeps its name."""

    def __init__(self, schemas: Schema) -> None:
        self.schemas = schemas
        self._names: dict[type, str] = {}

    def write(self, shape: Shape) -> Schema:
        """Return the schema of a shape; a class's is a reference to its component."""
        match shape:
            case Scalar(kind):
                return dict(_SCALARS[kind])
            case Choice(values, cls) if cls is not None:
                return self._component(cls, lambda _: _described(cls, _constants(values)))
            case Choice(values):
                return _constants(values)
            case ListOf(item):
                return {"type": "array", "items": self.write(item)}
            case MapOf(value):
                return {"type": "object", "additionalProperties": self.write(value)}
            case Either(options):
                return {"anyOf": [self.write(option) for option in options]}
            case Model(cls):
                return self._component(cls, lambda name: self._model(cls, name))
            case Record(cls):
                return self._component(cls, lambda _: self._record(shape))

    def parameter(self, shape: Shape, default: Any) -> Schema:
        """Return the schema of a parameter. default: ``NO_DEFAULT`` for none."""
        return _with_default(self.write(shape), default)

    def _component(self, cls: Any, make: Any) -> Schema:
        if cls not in self._names:
            name = self._names[cls] = self._free(re.sub(r"[^A-Za-z0-9._-]", "_", cls.__name__))
            self.schemas[name] = {}  # taken, and its place in the order kept, while its members are written
            self.schemas[name] = make(name)
        return {"$ref": _PREFIX + self._names[cls]}

    def _free(self, name: str) -> str:
        """Return a name that no component has: a number is added where need be."""
        numbered = (f"{name}{number}" for number in itertools.count(2))
        return name if name not in self.schemas else next(one for one in numbered if one not in self.schemas)

    def _record(self, record: Record) -> Schema:
        schema: Schema = {"type": "object", "properties": {}}
        validators = {field.name: field.validator for field in getattr(record.cls, "__attrs_attrs__", ())}
        for field in record.fields:
            schema["properties"][field.name] = self._member(field, validators.get(field.name))
        required = [field.name for field in record.fields if field.required]
        if required:
            schema["required"] = required
        return _described(record.cls, schema)

    def _member(self, field: Field, validator: Any) -> Schema:
        schema = self.write(field.shape)
        schema |= _constraints(validator, schema)
        if field.description:
            schema["description"] = field.description
        if field.examples:
            schema["examples"] = [_plain(example) for example in field.examples]
        return _with_default(schema, field.default)

    def _model(self, cls: Any, name: str) -> Schema:
        """Return pydantic's own schema, the models inside it moved to components that begin with its name."""
        schema: Schema = cls.model_json_schema(ref_template=_PREFIX + name + ".{model}")
        for inner, definition in schema.pop("$defs", {}).items():
            self.schemas[f"{name}.{inner}"] = definition
        return schema


def _constants(values: tuple[Any, ...]) -> Schema:
    types = list(dict.fromkeys(_TYPES[type(value)] for value in values))
    return {"type": types[0] if len(types) == 1 else types, "enum": list(values)}


def _described(cls: type, schema: Schema) -> Schema:
    """Add a class's own docstring; not the one that dataclasses make up."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    if text and not text.startswith(f"{cls.__name__}("):
        schema["description"] = text
    return schema


def _with_default(schema: Schema, default: Any) -> Schema:
    if default is NO_DEFAULT:
        return schema
    try:
        return {**schema, "default": _plain(default)}
    except (TypeError, ValueError):  # a sentinel of the user's own, say
        return schema


def _plain(value: Any) -> Any:
    return json.loads(dumps(value))


def _constraints(validator: Any, schema: Mapping[str, Any]) -> Schema:
    """Return what attrs' own validators say that JSON schema can say too."""
    found: Schema = {}
    for one in _each(validator):
        kind = type(one).__name__
        lengths = [_LENGTHS[name] for name in _type_names(schema) if name in _LENGTHS]
        if kind == "_NumberValidator" and one.compare_op in _BOUNDS and type(one.bound) in (int, float):
            found[_BOUNDS[one.compare_op]] = one.bound
        elif kind == "_MinLengthValidator":
            found.update({f"min{name}": one.min_length for name in lengths})
        elif kind == "_MaxLengthValidator":
            found.update({f"max{name}": one.max_length for name in lengths})
    return found


def _each(validator: Any) -> Iterator[Any]:
    """Yield the validators inside ``and_`` and ``optional``."""
    if validator is None:
        return
    inner = getattr(validator, "_validators", None) or getattr(validator, "validator", None)
    if inner is None:
        yield validator
    else:
        for one in inner if isinstance(inner, tuple | list) else (inner,):
            yield from _each(one)


def _type_names(schema: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(schema.get("type"), str):
        yield schema["type"]
    for option in schema.get("anyOf", ()):
        yield from _type_names(option)


def default_of(has_default: bool, default: Any) -> Any:
    """Return a handler's default as ``SchemaWriter.parameter`` takes it; None says no more than the absence does."""
    return default if has_default and default is not None else NO_DEFAULT
