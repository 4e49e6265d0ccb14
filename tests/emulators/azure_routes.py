"""ASP.NET's routing as the Functions host uses it: which function a path belongs to, and with which route values.

Templates follow ASP.NET: literals without regard to case, ``{name}``, ``{name?}``, ``{name:int}``, ``{*rest}``. Order
is RoutePrecedence's: literal, constrained parameter, parameter, catch-all, compared segment by segment. A slash at the
end of a path makes no difference; an empty segment matches a catch-all only. Composite segments are not supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CONSTRAINTS = {
    "int": re.compile(r"[+-]?[0-9]{1,10}"),
    "long": re.compile(r"[+-]?[0-9]{1,19}"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "alpha": re.compile(r"[A-Za-z]*"),
    "guid": re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
}
_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_][A-Za-z0-9_]*)((?::[a-z]+)*)(\?)?\}")
_LITERAL, _CONSTRAINED, _PLAIN, _CATCH_ALL = 1, 2, 3, 5


@dataclass(frozen=True)
class _Segment:
    text: str
    rank: int
    optional: bool = False
    constraints: tuple[re.Pattern[str], ...] = ()

    def accepts(self, value: str) -> bool:
        if self.rank == _LITERAL:
            return value.lower() == self.text.lower()
        return value != "" and all(constraint.fullmatch(value) for constraint in self.constraints)


@dataclass(frozen=True)
class Route:
    """One function's template. methods: upper case, empty for all."""

    function_id: str
    template: str
    methods: frozenset[str]
    auth_level: str
    binding: str
    segments: tuple[_Segment, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        """What routes are ordered by, lowest first."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route values of a decoded path that starts with a slash, or None if it is not this route's."""
        given = path[1:].split("/") if path != "/" else []
        values: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.rank == _CATCH_ALL:
                rest = "/".join(given[position:])
                return {**values, segment.text: rest} if rest else values
            if position >= len(given) or (given[position] == "" and position == len(given) - 1):
                return values if all(later.optional for later in self.segments[position:]) else None
            if not segment.accepts(given[position]):
                return None
            if segment.rank != _LITERAL:
                values[segment.text] = given[position]
        left = given[len(self.segments) :]
        return values if left in ([], [""]) else None


def parse(function_id: str, template: str, methods: Iterable[str], auth_level: str, binding: str) -> Route:
    """Return the route of a template. Raises ValueError for what is not supported."""
    segments = tuple(_segment(part) for part in template.strip("/").split("/") if part)
    return Route(function_id, template, frozenset(m.upper() for m in methods), auth_level.upper(), binding, segments)


def find(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the first route in order of precedence that takes the method and path; a foreign method is no match."""
    for route in sorted(routes, key=lambda route: route.precedence):
        values = route.match(path)
        if values is not None and (not route.methods or method.upper() in route.methods):
            return route, values
    return None


def _segment(text: str) -> _Segment:
    if "{" not in text:
        return _Segment(text, _LITERAL)
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise ValueError(f"the emulator does not know the route segment {text!r}")
    star, name, constraints, optional = found.groups()
    names = [part for part in constraints.split(":") if part]
    if unknown := [part for part in names if part not in _CONSTRAINTS]:
        raise ValueError(f"the emulator does not know the route constraint {unknown[0]!r}")
    rank = _CATCH_ALL if star else _CONSTRAINED if names else _PLAIN
    return _Segment(name, rank, optional == "?", tuple(_CONSTRAINTS[part] for part in names))
