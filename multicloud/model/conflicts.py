"""What can be wrong between routes: found over the whole API, in time that grows with the number of routes.

Two templates match a path in common and the contract's order does not choose between them: that is ambiguous, and
refused. The order: a template without a greedy parameter beats one with; then more literal segments win; then, segment
by segment, a literal beats a parameter and a parameter beats a greedy one. So with one method in common

- ``/items/{id}`` and ``/items/{name}`` are ambiguous: they match the same paths. (Refused for different methods
  too: OpenAPI and gateways that keep one tree of paths want one name for one place.)
- ``/{a}/x`` and ``/x/{b}`` are ambiguous: both have one literal, each is the more specific in one place, and ``/x/x``
  is both.
- ``/items/{id}`` and ``/items/new``, ``/a/{b}/c`` and ``/a/{rest+}``, ``/{a}/x/y`` and ``/z/{b}/q`` (no path in
  common) are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from multicloud.errors import Problem
from multicloud.model.checks import bare, show
from multicloud.model.routes import MountDefinition, RouteDefinition
from multicloud.model.templates import PathTemplate

_HINT = "rename one path so that no request fits both"


def route_conflicts(routes: Sequence[tuple[str, RouteDefinition]]) -> Iterator[Problem]:
    """Yield duplicate and ambiguous routes and operation_ids. routes: pairs (function's name, route)."""
    sound = _sound(routes)
    yield from _duplicates(sound)
    yield from _same_paths(route for _, route in sound)
    yield from _operation_ids(route for _, route in routes)
    by_rank: dict[tuple[str, bool, int, int, bool], dict[str, PathTemplate]] = defaultdict(dict)
    for _, route in sound:
        template = route.template
        if template.parameters:
            length = 0 if template.greedy else len(template.segments)
            slash = template.segments[-1] == ""  # a path that ends in "/" and one that does not have none in common
            rank = (route.method, template.greedy, template.shape.count("0"), length, slash)
            by_rank[rank].setdefault(template.anonymous, template)
    for (method, *_), templates in by_rank.items():
        yield from _ambiguous(method, templates.values())


def _sound(routes: Iterable[tuple[str, RouteDefinition]]) -> list[tuple[str, RouteDefinition]]:
    """Leave out the routes whose own checks have failed: they are reported already."""
    return [pair for pair in routes if pair[1].template.segments and isinstance(pair[1].method, str)]


def mount_conflicts(mounts: Iterable[tuple[str, MountDefinition]]) -> Iterator[Problem]:
    """Yield mounts of one prefix. Nothing else collides: a route beats a mount, and the longest prefix wins.

    mounts: pairs (function's name, mount).
    """
    owners: dict[str, str] = {}
    for function, mount in mounts:
        prefix = bare(mount.prefix)
        if prefix in owners:
            places = f"function {owners[prefix]} and function {function}"
            places = f"function {function}, twice" if owners[prefix] == function else places
            yield Problem(mount.place, "one application for a prefix", f"another one, in {places}")
        owners.setdefault(prefix, function)


def _duplicates(routes: Iterable[tuple[str, RouteDefinition]]) -> Iterator[Problem]:
    owners: dict[tuple[str, str], str] = {}
    for function, route in routes:
        key = (route.method, route.path)
        if key in owners:
            places = f"function {owners[key]} and function {function}"
            places = f"function {function}, twice" if owners[key] == function else places
            yield Problem(route.place, "one handler for a method on a path", f"another one, in {places}")
        owners.setdefault(key, function)


def _same_paths(routes: Iterable[RouteDefinition]) -> Iterator[Problem]:
    """Yield templates that differ in their parameters' names alone."""
    first: dict[str, RouteDefinition] = {}
    for route in routes:
        other = first.setdefault(route.template.anonymous, route)
        if other.path != route.path:
            expected = f"the parameter names of {other.place}, which matches the same paths"
            yield Problem(route.place, expected, show(route.path), f"write {other.path}")


def _operation_ids(routes: Iterable[RouteDefinition]) -> Iterator[Problem]:
    first: dict[str, RouteDefinition] = {}
    for route in routes:
        if isinstance(route.operation_id, str) and (other := first.setdefault(route.operation_id, route)) is not route:
            expected = "an operation_id of its own"
            yield Problem(f"{route.place}: operation_id", expected, f"{route.operation_id!r}, as {other.place}")


def _ambiguous(method: str, templates: Iterable[PathTemplate]) -> Iterator[Problem]:
    """Yield templates of one rank that have a path in common, each once.

    Templates of one shape (literals and parameters in the same places) cannot be ambiguous, so only pairs of shapes are
    compared, by a hash join on the places where both have literals: linear in the templates for each shape, and an API
    has few.
    """
    by_shape: dict[str, list[PathTemplate]] = defaultdict(list)
    for template in templates:
        by_shape[template.shape].append(template)
    reported: set[PathTemplate] = set()
    for one, two in combinations(by_shape, 2):
        common = min(len(one), len(two))
        if not _crossed(one, two):
            continue
        places = [index for index in range(common) if one[index] == two[index] == "0"]
        known = {tuple(item.segments[index] for index in places): item for item in by_shape[one]}
        for item in by_shape[two]:
            other = known.get(tuple(item.segments[index] for index in places))
            if other is not None and item not in reported:
                reported.add(item)
                got = f"{other} and {item}, of which neither is the more specific"
                yield Problem(f"route {method} {item}", "one template to choose for every path", got, _HINT)


def _crossed(one: str, two: str) -> bool:
    """Return whether each of two shapes is the more specific in some place that both have."""
    pairs = list(zip(one, two, strict=False))
    return any(left < right for left, right in pairs) and any(left > right for left, right in pairs)
