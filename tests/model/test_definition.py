from __future__ import annotations

import pytest

from multicloud.model import (
    PUBLIC,
    Alarm,
    ApiDefinition,
    ApiKeyAuthorizer,
    FunctionAuthorizer,
    FunctionDefinition,
    IamAuthorizer,
    JwtAuthorizer,
    MountDefinition,
    Quota,
    RouteDefinition,
    Throttle,
)
from tests.model.problems import places_of, problems_of

JWT = JwtAuthorizer("https://id.example.com", ["shop"])
KEY = ApiKeyAuthorizer({"partner": "shop/partner"})


def route(path="/", method="GET", **settings):
    name = f"{method}{path}".replace("/", "_").replace("{", "").replace("}", "").replace("+", "")
    return RouteDefinition(method, path, "app:handler", operation_id=name, **settings)


def api(*routes, name="shop", **settings):
    return ApiDefinition(name, [FunctionDefinition(name, routes=routes or [route()])], **settings)


def test_routes_come_with_their_functions_in_the_order_of_definition():
    orders = FunctionDefinition("orders", routes=[route("/a"), route("/b")])
    own = FunctionDefinition("shop", routes=[route("/c")])
    definition = ApiDefinition("shop", [own, orders])
    assert [(function.name, item.path) for function, item in definition.routes] == [
        ("shop", "/c"),
        ("orders", "/a"),
        ("orders", "/b"),
    ]
    assert definition.default_function is own
    assert ApiDefinition("shop", [orders]).default_function is None


def test_the_nearest_policy_counts():
    own = route("/own", throttle=Throttle(1, 1), quota=Quota(1, "day"), authorizer=KEY)
    plain = route("/plain")
    function = FunctionDefinition("orders", routes=[own, plain], throttle=Throttle(2, 2))
    other = FunctionDefinition("stock", routes=[route("/stock", authorizer=PUBLIC)])
    definition = ApiDefinition(
        "shop", [function, other], throttle=Throttle(3, 3), quota=Quota(3, "day"), authorizer=JWT
    )
    assert definition.throttle_of(function, own) == Throttle(1, 1)
    assert definition.throttle_of(function, plain) == Throttle(2, 2)
    assert definition.throttle_of(other) == Throttle(3, 3)
    assert definition.quota_of(function, own) == Quota(1, "day")
    assert definition.quota_of(function, plain) == Quota(3, "day")
    assert definition.authorizers(function, own) == (KEY,)
    assert definition.authorizers(function, plain) == (JWT,)
    assert definition.authorizers(function) == (JWT,)
    assert definition.authorizers(other, other.routes[0]) == ()


def test_an_api_has_something_to_answer():
    assert places_of(lambda: ApiDefinition("shop", [])) == ["api shop: functions"]


def test_wrong_policies_are_reported_by_name():
    assert places_of(
        lambda: api(cors="*", throttle=5, cdn=True, domain="a.b", alarms=[5], version="", middleware=5)
    ) == [
        "api shop: cors",
        "api shop: throttle",
        "api shop: cdn",
        "api shop: domain",
        "api shop: alarms[0]",
        "api shop: version",
        "api shop: middleware",
    ]


def test_function_names_are_unique_and_the_default_function_comes_first():
    first, second = (FunctionDefinition("orders", routes=[route(path)]) for path in ("/a", "/b"))
    assert places_of(lambda: ApiDefinition("shop", [first, second])) == ["function orders"]
    own = FunctionDefinition("shop", routes=[route("/c")])
    assert places_of(lambda: ApiDefinition("shop", [first, own])) == ["function shop"]


def test_a_function_other_than_the_default_one_has_a_shorter_name():
    assert api(name="a" * 40)
    long = FunctionDefinition("b" * 33, routes=[route()])
    assert places_of(lambda: ApiDefinition("shop", [long])) == [f"function {'b' * 33}: name"]


def test_conflicts_are_found_across_functions():
    functions = [FunctionDefinition(name, routes=[route("/a")]) for name in ("orders", "stock")]
    assert places_of(lambda: ApiDefinition("shop", functions)) == ["route GET /a", "route GET /a: operation_id"]


def test_once_one_route_has_an_authorizer_every_other_must_say_what_it_has():
    (problem,) = problems_of(lambda: api(route("/a", authorizer=JWT), *(route(f"/{i}") for i in range(9))))
    assert problem.place == "api shop: authorizer"
    assert problem.got.startswith("9 without: route GET /0, ")
    assert api(route("/a", authorizer=JWT), route("/b", authorizer=PUBLIC))
    assert api(route("/a"), route("/b"))


def test_a_mount_is_not_left_open_beside_protected_routes():
    mount = MountDefinition("/old", "app:old", "wsgi")
    function = FunctionDefinition("shop", routes=[route("/a", authorizer=JWT)], mounts=[mount])
    assert "mount /old" in problems_of(lambda: ApiDefinition("shop", [function]))[0].got


@pytest.mark.parametrize("authorizer", [None, PUBLIC, KEY, IamAuthorizer()])
def test_scopes_need_an_authorizer_that_grants_them(authorizer):
    assert places_of(lambda: api(route("/a", scopes=["read"]), authorizer=authorizer)) == ["route GET /a: scopes"]


@pytest.mark.parametrize("authorizer", [JWT, FunctionAuthorizer("app:check"), [KEY, JWT]])
def test_scopes_are_accepted_where_a_request_can_have_them(authorizer):
    assert api(route("/a", scopes=["read"]), authorizer=authorizer)


def test_an_answer_to_one_caller_is_not_kept_for_others():
    assert places_of(lambda: api(route("/a", cache_seconds=60), authorizer=JWT)) == ["route GET /a: cache_seconds"]
    assert api(route("/a", cache_seconds=60, authorizer=PUBLIC), authorizer=JWT)


def test_an_alarm_watches_a_function_that_exists_and_bears_a_name_of_its_own():
    alarms = [Alarm("errors", 1, function="shopp"), Alarm("errors", 2)]
    problems = problems_of(lambda: api(alarms=alarms))
    assert [problem.place for problem in problems] == ["alarm errors: function", "alarm errors"]
    assert problems[0].hint == "did you mean 'shop'?"
