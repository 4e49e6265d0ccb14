from __future__ import annotations

import functools

import pytest

from multicloud.model import MountDefinition, Quota, RouteDefinition, Throttle
from multicloud.model.routes import handler_name
from tests.model.problems import places_of, problems_of


def handler(request):
    return None


def test_a_route_knows_its_template():
    route = RouteDefinition("GET", "/orders/{order_id}", lambda order_id: None)
    assert route.template.parameters == ("order_id",)


@pytest.mark.parametrize("method", ["get", "TRACE", "PROPFIND", "", None, 5, "GET "])
def test_a_method_is_one_that_every_runtime_answers(method):
    assert places_of(lambda: RouteDefinition(method, "/", handler))[0].endswith(": method")


def test_a_method_in_lower_case_is_answered_with_the_right_one():
    assert problems_of(lambda: RouteDefinition("get", "/", handler))[0].hint == "did you mean 'GET'?"


def test_a_route_reports_all_of_its_problems_under_its_own_place():
    problems = problems_of(
        lambda: RouteDefinition(
            "GET",
            "/a/../b",
            5,
            operation_id="1 x",
            summary=5,
            tags="orders",
            deprecated="no",
            scopes=["a b"],
            throttle=5,
            quota=Throttle(1, 1),
            cache_seconds=0,
            middleware=[5],
        )
    )
    assert [problem.place.removeprefix("route GET /a/../b: ") for problem in problems] == [
        "path",
        "handler",
        "operation_id",
        "summary",
        "tags",
        "deprecated",
        "scopes[0]",
        "throttle",
        "quota",
        "cache_seconds",
        "middleware[0]",
    ]


def test_a_place_stays_on_one_line_whatever_the_path_is():
    for problem in problems_of(lambda: RouteDefinition("GET\n", "/a\nb", handler)):
        assert "\n" not in str(problem)


def test_only_answers_to_get_are_kept():
    assert places_of(lambda: RouteDefinition("POST", "/", handler, cache_seconds=5)) == ["route POST /: cache_seconds"]
    assert RouteDefinition("GET", "/", handler, cache_seconds=5, quota=Quota(5, "day")).cache_seconds == 5


def test_a_handler_may_be_named_instead_of_given():
    assert RouteDefinition("GET", "/{id}", "shop.orders:read").operation_id == "read"
    assert places_of(lambda: RouteDefinition("GET", "/", "shop.orders")) == ["route GET /: handler"]


class Orders:
    def __call__(self, request): ...

    def read_one(self, request): ...


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (handler, "handler"),
        (lambda: None, "lambda"),
        (functools.partial(functools.partial(handler)), "handler"),
        (Orders(), "Orders"),
        (Orders().read_one, "read_one"),
        ("shop:Orders.read_one", "read_one"),
        (5, "int"),
    ],
)
def test_an_operation_id_is_the_handlers_name_by_default(given, name):
    assert handler_name(given) == name


def app(environ, start_response): ...


@pytest.mark.parametrize("prefix", ["/a/", "/{a}", "a", "", "/a//b", None])
def test_a_mount_has_a_literal_prefix(prefix):
    assert places_of(lambda: MountDefinition(prefix, app, "wsgi"))[0].endswith(": prefix")


@pytest.mark.parametrize("prefix", ["/", "/a", "/a/b"])
def test_a_mount_may_be_anywhere(prefix):
    assert MountDefinition(prefix, app, "wsgi").prefix == prefix


def test_a_mount_reports_every_wrong_field():
    assert places_of(lambda: MountDefinition("/a", 5, "ASGI")) == ["mount /a: app", "mount /a: kind"]
