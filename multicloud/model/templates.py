"""Path templates: what a route's path may look like, and what it means.

A template starts with ``/``. Each segment is a literal, a parameter ``{name}`` or, in the last place, a greedy
parameter ``{name+}`` that takes one segment or more. Literals are decoded text (``/café``, not ``/caf%C3%A9``). ``/``
is a path, and a path that ends in ``/`` is another one than without.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem
from multicloud.model.checks import show

_LONGEST = 1024


@attrs.frozen
class PathTemplate:
    """A path template taken apart.

    segments: as written, without the slashes (``/orders/{id}`` gives ``("orders", "{id}")``, ``/`` gives ``("",)``).
    parameters: their names in order. greedy: whether the last parameter is.
    """

    segments: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    greedy: bool = False

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)

    @property
    def shape(self) -> str:
        """One digit for each segment: 0 literal, 1 parameter, 2 greedy. The smaller of two is the more specific."""
        return "".join("2" if is_greedy(part) else "1" if is_parameter(part) else "0" for part in self.segments)

    @property
    def anonymous(self) -> str:
        """The template without its parameters' names. Two templates that share it match the same paths."""
        return "/" + "/".join(
            "{+}" if is_greedy(part) else "{}" if is_parameter(part) else part for part in self.segments
        )


def is_parameter(segment: str) -> bool:
    """Return whether a segment is a parameter, greedy or not."""
    return segment.startswith("{")


def is_greedy(segment: str) -> bool:
    """Return whether a segment is a greedy parameter."""
    return segment.endswith("+}")


def parse_template(path: str) -> PathTemplate:
    """Take a template apart. Raises DefinitionError with every fault in it."""
    problems = [attrs.evolve(problem, place=f"path {show(path)}") for problem in template(path)]
    if problems:
        raise DefinitionError(problems)
    return split_template(path)


def split_template(path: str) -> PathTemplate:
    """Take a template apart that ``template`` has checked."""
    segments = tuple(path.split("/")[1:])
    parameters = tuple(part.strip("{+}") for part in segments if is_parameter(part))
    return PathTemplate(segments, parameters, is_greedy(segments[-1]))


def template(value: Any) -> Iterator[Problem]:
    """Check for a path template."""
    if not isinstance(value, str) or not value.startswith("/"):
        yield Problem("", "a path that starts with '/'", show(value))
        return
    if len(value) > _LONGEST:
        yield Problem("", f"a path of at most {_LONGEST} characters", f"{len(value)} characters")
        return
    segments = value.split("/")[1:]
    seen: set[str] = set()
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if "{" in segment or "}" in segment:
            yield from _parameter(segment, last, seen)
        else:
            yield from _literal(segment, last)


def _parameter(segment: str, last: bool, seen: set[str]) -> Iterator[Problem]:
    name = segment[1:-1].removesuffix("+")
    if segment[0] != "{" or segment[-1] != "}" or "{" in name or "}" in name:
        hint = "a parameter takes its whole segment; split the value in the handler"
        yield Problem("", "a segment that is text or one {name}", show(segment), hint)
    elif not (name.isascii() and name.isidentifier()):
        yield Problem("", "a parameter name of letters, digits and '_', such as {order_id}", show(segment))
    elif name == "request":
        yield Problem("", "another parameter name than 'request'", show(segment), "a handler's request bears it")
    elif name in seen:
        yield Problem("", "each parameter name once", f"{show(segment)} again")
    elif segment.endswith("+}") and not last:
        yield Problem("", "a greedy parameter in the last place", f"{show(segment)} before others")
    seen.add(name)


def _literal(segment: str, last: bool) -> Iterator[Problem]:
    if not segment and not last:
        yield Problem("", "segments that are not empty", "'//'", "only a greedy parameter matches an empty segment")
    elif segment in (".", ".."):
        yield Problem("", "segments other than '.' and '..'", show(segment), "requests with them are refused")
    elif "%" in segment:
        yield Problem("", "decoded text", show(segment), "write the character itself, not its %XX form")
    elif "?" in segment or "#" in segment:
        yield Problem("", "a path without query or fragment", show(segment), "read request.query in the handler")
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in segment):
        yield Problem("", "text without control characters", show(segment))
