"""JSON bodies both ways: strict about what comes in, compact and never NaN about what goes out."""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from json import JSONDecoder
from json.encoder import JSONEncoder, c_make_encoder, encode_basestring

from multicloud.runtime.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_DEPTH = 64
"""Nested containers of a JSON body (CONTRACT.md, section 1)."""

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is out of range")
    return number


_decode = JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode


def loads(body: bytes) -> Any:
    """Parse a JSON body. Raises HttpError 400 for anything that is not UTF-8 JSON of at most 64 levels."""
    if not body:
        raise HttpError(400, "The body is empty; JSON was expected.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not valid UTF-8.") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise HttpError(400, f"The JSON body is nested deeper than {MAX_DEPTH} levels.")
    try:
        return _decode(text)
    except ValueError as error:  # JSONDecodeError, a refused number, or more digits than int() takes
        position = getattr(error, "pos", None)
        where = "" if position is None else f" at position {position}"
        raise HttpError(400, f"The body is not valid JSON{where}.") from None


def _depth(text: str) -> int:
    """Return how deep containers are nested, strings left out."""
    steps = [_STEPS[char] for char in _STRINGS.sub("", text) if char in _STEPS]
    return max(accumulate(steps), default=0)


def encode_value(value: Any) -> Any:
    """Return the JSON form of a value that json does not know. Raises TypeError if it has none.

    attrs and dataclass instances become objects, date, time and datetime ISO 8601, UUID and Decimal strings, an Enum
    its value. No class is imported for this: a value of a class can only exist when its module is loaded.
    """
    fields = getattr(type(value), "__attrs_attrs__", None)
    if fields is not None:
        return {field.name: getattr(value, field.name) for field in fields}
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(value, name) for name in fields if fields[name]._field_type.name == "_FIELD"}
    for module, names, convert in _CONVERSIONS:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(value, tuple(getattr(loaded, name) for name in names)):
            return convert(value)
    raise TypeError(f"{type(value).__qualname__} has no JSON form")


_CONVERSIONS: tuple[tuple[str, tuple[str, ...], Callable[[Any], Any]], ...] = (
    ("datetime", ("date", "time"), lambda value: value.isoformat()),
    ("uuid", ("UUID",), str),
    ("decimal", ("Decimal",), str),
    ("enum", ("Enum",), lambda value: value.value),
)

if c_make_encoder is not None:
    # What JSONEncoder.encode builds anew at each call. No circle check (the first argument): a circle ends in
    # RecursionError, and one shared table of markers would not bear two threads.
    _chunks = c_make_encoder(None, encode_value, encode_basestring, None, ":", ",", False, False, False)

    def dumps(value: Any) -> bytes:
        """Return compact UTF-8 JSON. Raises TypeError, ValueError (NaN) or RecursionError for what has none."""
        return "".join(_chunks(value, 0)).encode("utf-8")

else:
    _encoder = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=encode_value)

    def dumps(value: Any) -> bytes:
        """Return compact UTF-8 JSON. Raises TypeError, ValueError (NaN) or RecursionError for what has none."""
        return _encoder.encode(value).encode("utf-8")
