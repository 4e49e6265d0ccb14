"""From JSON values and URL text to the types that a handler asks for, every fault on the way listed.

Loaded only where a handler is typed. A converter is a function ``(value, at, faults)`` that returns the converted value
or adds to faults, a list of pairs of place and sentence; a place is a chain ``(the place around, name or index)``. They
are made of the literals that ``multicloud.deploy.shapes`` wrote, so no annotation is read here, and modules such as
uuid and datetime are imported only for shapes that need them.

The rules are strict: JSON text is never a number, ``"true"`` no boolean. Text of a URL, which has no types, is read by
JSON's own grammar for numbers, and ``true`` and ``false`` alone are booleans.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Place = tuple["Place", str | int] | None
    Faults = list[tuple[Place, str]]
    Convert = Callable[[Any, Place, Faults], Any]
    Shape = str | tuple[Any, ...]

MOST_FAULTS = 100
"""Faults that are listed; beyond them reading stops. A list of a million wrong items is not answered with a million."""

REQUIRED = "required, but absent"

_KINDS = {
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_NUMBER = r"-?(?:0|[1-9][0-9]*)"
_int = re.compile(_NUMBER).fullmatch
_float = re.compile(_NUMBER + r"(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_uuid = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_date = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_datetime = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_EXACT = {"str": str, "int": int, "float": float, "bool": bool}
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int, float),
    "float": (int, float),
    "bool": (bool,),
    "none": (type(None),),
}
_EXPECTED = {
    "uuid": "a UUID",
    "decimal": "a decimal number as a string",
    "date": "a date such as 2026-01-31",
    "datetime": "a date and time with its offset, such as 2026-01-31T12:00:00Z",
}


def pointer(place: Place) -> str:
    """Return a place as a JSON pointer (RFC 6901). A very long name in it is cut."""
    tokens: list[str] = []
    while place is not None:
        place, token = place
        tokens.append(str(token)[:200].replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{token}" for token in reversed(tokens))


class Converters:
    """Makes converters.

    records: the config's, which shapes refer to by number. objects: the user's, which records and shapes refer to.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]], objects: Sequence[Any]) -> None:
        self._records = records
        self._objects = objects
        self._made: dict[int, Convert] = {}

    def of(self, shape: Shape) -> Convert:
        """Return the converter of a JSON value."""
        if isinstance(shape, str):
            return _SCALARS[shape]() if shape in _SCALARS else _of_text(shape)
        kind, inner = shape[0], shape[1]
        if kind == "list":
            return _list(self.of(inner))
        if kind == "dict":
            return _dict(self.of(inner))
        if kind == "either":
            return self._either(inner)
        if kind == "record":
            return self._record(inner)
        if kind == "model":
            return _model(self._objects[inner])
        return _choice(self._constants(shape))

    def of_text(self, shape: Shape) -> Convert:
        """Return the converter of one piece of text in a URL."""
        if isinstance(shape, tuple):
            constants = {_spelled(value): meant for (_, value), meant in self._constants(shape).items()}
            return _constant_text(constants)
        return _TEXTS[shape] if shape in _TEXTS else _of_text(shape)

    def _constants(self, shape: tuple[Any, ...]) -> dict[tuple[type, Any], Any]:
        """Return what a choice takes, by type and value, because True equals 1."""
        if shape[0] == "enum":
            return {(type(member.value), member.value): member for member in self._objects[shape[1]]}
        return {(type(value), value): value for value in shape[1]}

    def _either(self, options: Sequence[Shape]) -> Convert:
        by_type: dict[type, Convert] = {}
        for option in options:
            convert = self.of(option)
            by_type.update(dict.fromkeys(self._types(option), convert))
        expected = " or ".join(dict.fromkeys(_KINDS[cls] for cls in by_type))

        def convert_either(value: Any, at: Place, faults: Faults) -> Any:
            convert = by_type.get(type(value))
            if convert is None:
                return _fault(value, at, faults, expected)
            return convert(value, at, faults)

        return convert_either

    def _types(self, shape: Shape) -> Sequence[type]:
        """Return the types of the JSON values that a shape takes."""
        if isinstance(shape, str):
            return tuple(_KINDS) if shape == "any" else _TYPES.get(shape, (str,))
        kind, inner = shape[0], shape[1]
        if kind in ("literal", "enum"):
            return [cls for cls, _ in self._constants(shape)]
        if kind == "either":
            return [cls for option in inner for cls in self._types(option)]
        return (list,) if kind == "list" else (dict,)

    def _record(self, number: int) -> Convert:
        """Return the converter of a record, made when the first value comes: a record may hold itself."""

        def convert(value: Any, at: Place, faults: Faults) -> Any:
            made = self._made.get(number)
            if made is None:
                record = self._records[number]
                cls = dict if record["object"] is None else self._objects[record["object"]]
                fields = [
                    (name, argument, _EXACT.get(shape) if isinstance(shape, str) else None, self.of(shape), required)
                    for name, argument, shape, required in record["fields"]
                ]
                made = self._made[number] = _object(cls, fields)
            return made(value, at, faults)

        return convert


def _fault(value: Any, at: Place, faults: Faults, expected: str) -> None:
    faults.append((at, f"expected {expected}, got {_KINDS[type(value)]}"))


def _object(cls: Callable[..., Any], fields: Sequence[tuple[str, str, type | None, Convert, bool]]) -> Convert:
    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if type(value) is not dict:
            return _fault(value, at, faults, "an object")
        before = len(faults)
        found = {}
        for name, argument, exact, convert_field, required in fields:
            if name in value:
                given = value[name]
                if type(given) is exact:  # most are, and need no call
                    found[argument] = given
                    continue
                known = len(faults)
                given = convert_field(given, (at, name), faults)
                if len(faults) == known:
                    found[argument] = given
            elif required:
                faults.append(((at, name), REQUIRED))
        if len(faults) > before:
            _ask_validators(cls, found, at, faults)
            return None
        try:
            return cls(**found)
        except (ValueError, TypeError) as error:
            return _refused(cls, found, error, at, faults)

    return convert


def _refused(cls: Any, found: dict[str, Any], error: Exception, at: Place, faults: Faults) -> None:
    """List what a class's own checks refuse: by field if attrs validators do, else what the exception says.

    Raises the error itself if it is no refusal: a TypeError from anything but an attrs validator is a mistake.
    """
    before = len(faults)
    _ask_validators(cls, found, at, faults)
    if len(faults) == before:
        if not isinstance(error, ValueError):
            raise error
        faults.append((at, _sentence(error)))


def _ask_validators(cls: Any, found: dict[str, Any], at: Place, faults: Faults) -> None:
    """List what each attrs validator says of the values found, on an instance that has no more than them."""
    fields = getattr(cls, "__attrs_attrs__", ())
    blank = cls.__new__(cls) if fields else None
    for name, value in found.items():
        field = next((field for field in fields if field.alias == name), None)
        if field is not None and field.converter is None:
            object.__setattr__(blank, field.name, value)
    for field in fields:
        if field.validator is not None and field.converter is None and field.alias in found:
            try:
                field.validator(blank, field, found[field.alias])
            except (ValueError, TypeError) as refusal:
                faults.append(((at, field.name), _sentence(refusal)))
            except AttributeError:
                continue  # it compares with a field that is not there


def _sentence(error: Exception) -> str:
    """Return what an exception says; attrs puts values behind its message."""
    return str(error.args[0])[:500] if error.args else "refused"


def _list(convert_item: Convert) -> Convert:
    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if type(value) is not list:
            return _fault(value, at, faults, "a list")
        found = []
        for index, item in enumerate(value):
            found.append(convert_item(item, (at, index), faults))
            if len(faults) > MOST_FAULTS:
                break
        return found

    return convert


def _dict(convert_value: Convert) -> Convert:
    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if type(value) is not dict:
            return _fault(value, at, faults, "an object")
        found = {}
        for name, item in value.items():
            found[name] = convert_value(item, (at, name), faults)
            if len(faults) > MOST_FAULTS:
                break
        return found

    return convert


def _model(cls: Any) -> Convert:
    def convert(value: Any, at: Place, faults: Faults) -> Any:
        try:
            return cls.model_validate(value)
        except ValueError as error:
            listed = getattr(error, "errors", None)
            if listed is None:
                faults.append((at, _sentence(error)))
                return None
            for each in listed(include_url=False, include_context=False, include_input=False):
                place = at
                for token in each["loc"]:
                    place = (place, token)
                faults.append((place, each["msg"]))
            return None

    return convert


def _choice(constants: Mapping[tuple[type, Any], Any]) -> Convert:
    expected = _one_of(_quoted(value) for _, value in constants)

    def convert(value: Any, at: Place, faults: Faults) -> Any:
        kind = type(value)
        if kind in (dict, list) or (kind, value) not in constants:
            faults.append((at, f"expected {expected}"))
            return None
        return constants[kind, value]

    return convert


def _constant_text(constants: Mapping[str, Any]) -> Convert:
    expected = _one_of(constants)

    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if value not in constants:
            faults.append((at, f"expected {expected}"))
        return constants.get(value)

    return convert


def _one_of(values: Any) -> str:
    shown = list(values)
    text = ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "")
    return f"one of {text}" if len(shown) > 1 else text


def _spelled(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else _spelled(value)


# Scalars as JSON has them.


def _any() -> Convert:
    return lambda value, at, faults: value


def _str() -> Convert:
    return lambda value, at, faults: value if type(value) is str else _fault(value, at, faults, "a string")


def _bool() -> Convert:
    return lambda value, at, faults: value if type(value) is bool else _fault(value, at, faults, "true or false")


def _none() -> Convert:
    return lambda value, at, faults: None if value is None else _fault(value, at, faults, "null")


def _whole() -> Convert:
    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if type(value) is int:
            return value
        if type(value) is not float:
            return _fault(value, at, faults, "an integer")
        if value.is_integer():  # JSON does not tell 1.0 from 1
            return int(value)
        faults.append((at, "expected an integer, got a fraction"))
        return None

    return convert


def _real() -> Convert:
    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if type(value) is float:
            return value
        if type(value) is not int:
            return _fault(value, at, faults, "a number")
        try:
            return float(value)
        except OverflowError:
            faults.append((at, "expected a number that a double can hold"))
            return None

    return convert


_SCALARS: dict[str, Callable[[], Convert]] = {
    "any": _any,
    "bool": _bool,
    "float": _real,
    "int": _whole,
    "none": _none,
    "str": _str,
}


# Scalars that are text, in JSON and in a URL alike.


def _of_text(kind: str) -> Convert:
    parse = _parser(kind)
    expected = _EXPECTED[kind]

    def convert(value: Any, at: Place, faults: Faults) -> Any:
        if type(value) is not str:
            return _fault(value, at, faults, expected)
        try:
            return parse(value)
        except (ValueError, ArithmeticError):
            faults.append((at, f"expected {expected}"))
            return None

    return convert


def _parser(kind: str) -> Callable[[str], Any]:
    """Return the function that makes the value, held to one spelling: Python's own are generous."""
    matches: Callable[[str], Any]
    make: Callable[[str], Any]
    if kind == "uuid":
        from uuid import UUID

        make, matches = UUID, _uuid
    elif kind == "decimal":
        from decimal import Decimal

        make, matches = Decimal, _float
    elif kind == "date":
        from datetime import date

        make, matches = date.fromisoformat, _date
    else:
        from datetime import datetime

        make, matches = (lambda text: datetime.fromisoformat(text.upper())), _datetime

    def parse(text: str) -> Any:
        if matches(text) is None:
            raise ValueError
        return make(text)

    return parse


# Scalars whose text in a URL is not what JSON has.


def _int_text(value: Any, at: Place, faults: Faults) -> Any:
    if _int(value) is None:
        faults.append((at, "expected an integer"))
        return None
    return int(value)


def _float_text(value: Any, at: Place, faults: Faults) -> Any:
    if _float(value) is None or (number := float(value)) in (float("inf"), float("-inf")):
        faults.append((at, "expected a number"))
        return None
    return number


def _bool_text(value: Any, at: Place, faults: Faults) -> Any:
    if value not in ("true", "false"):
        faults.append((at, "expected true or false"))
    return value == "true"


_TEXTS: dict[str, Convert] = {
    "bool": _bool_text,
    "float": _float_text,
    "int": _int_text,
    "str": lambda value, at, faults: value,
}
