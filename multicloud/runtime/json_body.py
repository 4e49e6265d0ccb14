"""JSON bodies that come in, read strictly. Imported when a handler first reads one."""

from __future__ import annotations

import re
from itertools import accumulate
from json import JSONDecoder

from multicloud.runtime.errors import HttpError
from multicloud.runtime.response import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 64
"""Nested containers of a JSON body (CONTRACT.md, section 1)."""

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
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
    if is_too_deep(text):
        raise HttpError(400, f"The JSON body is nested deeper than {MAX_DEPTH} levels.")
    try:
        value = _decode(text)
        if _SURROGATE.search(text):
            dumps(value)  # a pair of escapes is a character; half of one is none, and no answer could repeat it
        return value
    except ValueError:  # JSONDecodeError, a refused number, or more digits than int() takes
        # No position: Python 3.13 counts it differently, and a function may run another version than its neighbours.
        raise HttpError(400, "The body is not valid JSON.") from None


def is_too_deep(text: str) -> bool:
    """Tell whether containers are nested deeper than MAX_DEPTH, strings left out. How deep Python reads is chance."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    steps = [_STEPS[char] for char in _STRINGS.sub("", text) if char in _STEPS]
    return max(accumulate(steps), default=0) > MAX_DEPTH
