from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.model import MountDefinition, RouteDefinition, parse_template
from multicloud.model.conflicts import mount_conflicts, route_conflicts
from multicloud.runtime.router import Router, build


def handler():
    return None


def route(line: str, operation_id: str | None = None) -> tuple[str, RouteDefinition]:
    method, path = line.split(" ", 1)
    return "api", RouteDefinition(method, path, handler, operation_id=operation_id or f"_{abs(hash(line))}")


def conflicts(*lines: str) -> list[str]:
    return [problem.place for problem in route_conflicts([route(line) for line in lines])]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /items/{id}", "GET /items/{name}"),
        ("GET /items/{id}", "DELETE /items/{name}"),
        ("GET /files/{a+}", "GET /files/{b+}"),
        ("GET /{a}/x", "GET /x/{b}"),
        ("GET /{a}/x", "GET /y/{b}"),
        ("GET /{a}/x/y", "GET /z/{b}/y"),
        ("GET /{a}/{b}/x", "GET /x/{b}/{c}"),
        ("GET /a/{r+}", "GET /{x}/b/{r+}"),
        ("GET /{a}/x/", "GET /x/{b}/"),
    ],
)
def test_templates_between_which_nothing_chooses_are_ambiguous_in_either_order(first, second):
    assert conflicts(first, second) == [f"route {second}"]
    assert conflicts(second, first) == [f"route {first}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /items/{id}", "GET /items/new"),
        ("GET /items/{id}", "GET /items/{id}/"),
        ("GET /items/{id}", "DELETE /items/{id}"),
        ("GET /a/{b}/c", "GET /a/{rest+}"),
        ("GET /{a}/x", "POST /x/{b}"),
        ("GET /{a}/x/y", "GET /x/{b}/z"),
        ("GET /{a}/x", "GET /x/{b}/c"),
        ("GET /a/{r+}", "GET /a/{b}/{r+}"),
        ("GET /a/b/{r+}", "GET /{x}/{y}/{z}"),
        ("GET /{a}/", "GET /x/{b}"),
        ("GET /{a}/x/y", "GET /x/{b}/{c}"),
        ("GET /", "GET /{a}"),
    ],
)
def test_templates_that_the_contracts_order_tells_apart_are_accepted(first, second):
    assert conflicts(first, second) == []


def test_a_template_that_is_ambiguous_with_several_others_is_reported_once():
    assert conflicts("GET /{a}/{b}/x", "GET /{a}/y/{c}", "GET /z/{b}/{c}") == [
        "route GET /{a}/y/{c}",
        "route GET /z/{b}/{c}",
    ]


def test_a_method_has_one_handler_on_a_path_and_the_message_names_both_functions():
    found = list(route_conflicts([("orders", route("GET /a")[1]), ("stock", route("GET /a", "b")[1])]))
    assert [problem.place for problem in found] == ["route GET /a"]
    assert "orders" in found[0].got
    assert "stock" in found[0].got


def test_an_operation_id_is_borne_once():
    (problem,) = route_conflicts([route("GET /a", "same"), route("GET /b", "same")])
    assert problem.place == "route GET /b: operation_id"
    assert "route GET /a" in problem.got


def test_a_prefix_is_mounted_once_and_prefixes_may_lie_within_one_another():
    def app(environ, start_response): ...

    mounts = [("a", MountDefinition(prefix, app, "wsgi")) for prefix in ("/", "/old", "/old/admin", "/older")]
    assert list(mount_conflicts(mounts)) == []
    (problem,) = mount_conflicts([*mounts, ("b", MountDefinition("/old", app, "wsgi"))])
    assert problem.place == "mount /old"
    assert "function a and function b" in problem.got


SEGMENTS = st.sampled_from(["a", "b", "{p}"])
SMALL = st.builds(
    lambda parts, end: (
        "/" + "/".join([*(f"{{p{i}}}" if part == "{p}" else part for i, part in enumerate(parts)), *end])
    ),
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from([["a"], ["{q}"], ["{r+}"], [""]]),
)
PATHS = ["/" + "/".join(parts) for size in range(1, 6) for parts in itertools.product(["a", "b", "c", ""], repeat=size)]


@given(st.lists(SMALL, min_size=2, max_size=5, unique_by=lambda path: parse_template(path).anonymous))
def test_without_conflicts_the_router_chooses_the_same_route_in_whatever_order_they_are_defined(paths):
    if conflicts(*(f"GET {path}" for path in paths)):
        return
    forward = Router(*build([("GET", path) for path in paths]))
    backward = Router(*build([("GET", path) for path in reversed(paths)]))
    for path in PATHS:
        one, two = forward.match("GET", path), backward.match("GET", path)
        assert (one and paths[one[0]]) == (two and paths[::-1][two[0]])


@given(SMALL, SMALL)
def test_two_templates_conflict_exactly_when_a_path_fits_both_and_the_order_leaves_it_open(first, second):
    one, two = parse_template(first), parse_template(second)
    routers = [Router(*build([("GET", path)])) for path in (first, second)]
    both = any(all(router.match("GET", path) for router in routers) for path in PATHS)
    pairs = list(zip(one.shape, two.shape, strict=False))
    crossed = any(x < y for x, y in pairs) and any(x > y for x, y in pairs)
    even = one.greedy == two.greedy and one.shape.count("0") == two.shape.count("0")
    expected = one.anonymous == two.anonymous or (both and even and crossed)
    assert bool(conflicts(f"GET {first}", f"GET {second}")) == expected


def seconds_for(count: int) -> float:
    lines = [f"GET /tenants/{{tenant}}/kind{i % 50}/{{item}}/{i}" for i in range(count // 2)]
    lines += [f"GET /{{area}}/{i}/{{item}}" for i in range(count - count // 2)]
    routes = [route(line, f"operation{i}") for i, line in enumerate(lines)]
    start = time.perf_counter()
    assert list(route_conflicts(routes)) == []
    return time.perf_counter() - start


def test_the_time_for_conflicts_grows_with_the_number_of_routes_and_not_with_its_square():
    seconds_for(100)
    small, large = min(seconds_for(1_000) for _ in range(3)), min(seconds_for(8_000) for _ in range(3))
    assert large < small * 24  # 8 if linear, 64 if quadratic


def test_thousands_of_templates_that_are_all_ambiguous_are_reported_once_each_in_linear_time():
    lines = [f"GET /{{a}}/x{i}" for i in range(1_500)] + [f"GET /y{i}/{{b}}" for i in range(1_500)]
    start = time.perf_counter()
    assert len(conflicts(*lines)) == 1_500
    assert time.perf_counter() - start < 2
