from __future__ import annotations

import contextlib
import time

import pytest
from fastapi import FastAPI
from flask import Flask

from multicloud.errors import DefinitionError
from multicloud.model import ApiDefinition, Cors, JwtAuthorizer, Throttle, define
from multicloud.model.recording import API_SETTINGS, FUNCTION_SETTINGS, ROUTE_SETTINGS, app_kind
from multicloud.runtime.recorder import Api, Function
from tests.model.problems import places_of, problems_of


def handler(request):
    return None


def read(request, order_id):
    return None


def wsgi(environ, start_response): ...


async def asgi(scope, receive, send): ...


def shop(**settings) -> Api:
    api = Api("shop", **settings)
    api.get("/")(handler)
    return api


def test_an_api_of_one_file_has_one_function_of_its_name():
    definition = define(shop(memory_mb=1024, version="2.0.0"))
    (function,) = definition.functions
    assert (function.name, function.memory_mb, definition.version) == ("shop", 1024, "2.0.0")
    assert [(route.method, route.path, route.handler) for route in function.routes] == [("GET", "/", handler)]


def test_policies_of_an_api_are_the_whole_apis_and_functions_keep_their_own():
    orders = Function("orders", throttle=Throttle(1, 1), environment={"TABLE": "orders"})
    orders.get("/orders/{order_id}", scopes=["orders:read"])(read)
    jwt = JwtAuthorizer("https://id.example.com", ["shop"])
    definition = define(shop(functions=[orders], authorizer=jwt, throttle=Throttle(9, 9)))
    own, other = definition.functions
    assert (definition.authorizer, definition.throttle) == ((jwt,), Throttle(9, 9))
    assert (own.authorizer, own.throttle, other.throttle) == (None, None, Throttle(1, 1))
    assert other.routes[0].scopes == ("orders:read",)
    assert (definition.recorder.name, own.recorder.name, other.recorder) == ("shop", "shop", orders)


def test_middleware_and_exception_handlers_of_an_api_serve_every_function_and_stand_once():
    api, orders = shop(), Function("orders")
    orders.get("/orders")(lambda: None)
    api.functions.append(orders)

    @api.middleware
    def outer(request, call_next): ...

    @orders.middleware
    def inner(request, call_next): ...

    @api.exception_handler(ValueError, KeyError)
    def answer(request, error): ...

    definition = define(api)
    assert definition.middleware == (outer,)
    assert definition.exception_handlers == ((ValueError, answer), (KeyError, answer))
    assert [function.middleware for function in definition.functions] == [(), (inner,)]
    assert [function.exception_handlers for function in definition.functions] == [(), ()]


def test_a_definition_is_its_own_definition():
    definition = define(shop())
    assert define(definition) is definition


@pytest.mark.parametrize("wrong", [None, "app:api", Function("orders"), Api])
def test_what_is_no_api_is_refused(wrong):
    assert places_of(lambda: define(wrong)) == ["api"]


def test_everything_wrong_anywhere_is_reported_together_with_its_place():
    api = Api("shop", corss=Cors(["*"]), cors="*", memory_mb=1, functions=[5])
    api.get("/{id", scoops=["a"])(handler)
    api.get("/a")(5)
    api.post("/orders/{order_id}", scopes="orders")(lambda request, order: None)
    api.mount("/old/", 5)
    orders = Function("orders", timeout_seconds=99, memory=5, environment={"PORT": "1"})
    orders.get("/orders/{order}")(lambda order: None)
    orders.get("/orders/{order}")(lambda order: None)
    api.functions.append(orders)
    assert {place.partition(" test_")[0] for place in places_of(lambda: define(api))} == {
        "api shop: corss",
        "api shop: functions",
        "api shop: cors",
        "function shop: memory_mb",
        "function orders: memory",
        "function orders: timeout_seconds",
        "function orders: environment[PORT]",
        "route GET /{id: scoops",
        "route GET /{id: path",
        "route GET /a: handler",
        "route POST /orders/{order_id}: scopes",
        "route POST /orders/{order_id}: handler",
        "mount /old/",
        "mount /old/: prefix",
        "route GET /orders/{order}",
    }


def test_an_unknown_setting_is_answered_with_the_nearest_known_one():
    problems = problems_of(lambda: define(shop(memory=512, authoriser=None)))
    assert [problem.hint for problem in problems] == ["did you mean 'memory_mb'?", "did you mean 'authorizer'?"]


@pytest.mark.parametrize("setting", ["template", "method", "place"])
def test_what_the_recorder_fills_in_is_not_a_setting_of_a_route(setting):
    api = Api("shop")
    api.get("/", **{setting: "GET"})(handler)
    assert places_of(lambda: define(api)) == [f"route GET /: {setting}"]


@pytest.mark.parametrize("setting", ["routes", "mounts", "recorder", "middleware"])
def test_what_the_recorder_fills_in_is_not_a_setting_of_a_function(setting):
    orders = Function("orders", **{setting: []})
    orders.get("/")(handler)
    assert places_of(lambda: define(Api("shop", functions=[orders]))) == [f"function orders: {setting}"]


def test_a_functions_setting_on_an_api_without_routes_of_its_own_is_not_lost_in_silence():
    orders = Function("orders")
    orders.get("/")(handler)
    assert places_of(lambda: define(Api("shop", functions=[orders], memory_mb=1024))) == ["api shop: memory_mb"]


def test_operation_ids_are_the_handlers_names_made_unique():
    api = Api("shop")
    api.route("/a", methods=["GET", "POST", "PUT"])(handler)
    api.get("/b")(handler)
    api.get("/c")(handler)
    api.get("/d", operation_id="handler_get")(handler)
    assert [route.operation_id for _, route in define(api).routes] == [
        "handler",
        "handler_post",
        "handler_put",
        "handler_get_2",
        "handler_get_3",
        "handler_get",
    ]


def test_operation_ids_stated_twice_are_reported():
    api = Api("shop")
    api.get("/a", operation_id="x")(handler)
    api.get("/b", operation_id="x")(handler)
    assert places_of(lambda: define(api)) == ["route GET /b: operation_id"]


class Asgi:
    async def __call__(self, scope, receive, send): ...


class PlainAsgi:
    def __call__(self, scope, receive, send): ...


class Wsgi:
    def __call__(self, environ, start_response): ...


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (asgi, "asgi"),
        (Asgi(), "asgi"),
        (PlainAsgi(), "asgi"),
        (wsgi, "wsgi"),
        (Wsgi(), "wsgi"),
        (handler, ""),
        (5, ""),
        (Asgi, ""),
        ("app:app", ""),
    ],
)
def test_a_mounted_application_is_known_by_what_it_is_called_with(app, kind):
    assert app_kind(app) == kind


def test_flask_and_fastapi_applications_are_known():
    assert app_kind(Flask("app")) == "wsgi"
    assert app_kind(FastAPI()) == "asgi"


def test_mounts_are_recorded_with_their_kind():
    api = Api("shop")
    api.mount("/old", wsgi)
    api.mount("/new", asgi)
    assert [(mount.prefix, mount.kind, mount.app) for mount in define(api).functions[0].mounts] == [
        ("/old", "wsgi", wsgi),
        ("/new", "asgi", asgi),
    ]


def test_five_thousand_routes_are_defined_in_well_under_a_second():
    api = Api("shop")
    for number in range(5_000):
        api.get(f"/kind{number % 70}/{{order_id}}/{number}")(read)
    start = time.perf_counter()
    definition = define(api)
    assert time.perf_counter() - start < 1
    assert isinstance(definition, ApiDefinition)
    assert len({route.operation_id for _, route in definition.routes}) == 5_000


JUNK = [
    None,
    5,
    -1.5,
    "x",
    "",
    b"x",
    [],
    {},
    [[]],
    [{}],
    {"a": []},
    {5: 5},
    object(),
    {1, 2},
    (),
    Api,
    ["a", 5],
    float("nan"),
]
SETTINGS = sorted(API_SETTINGS | FUNCTION_SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_an_api_or_function_can_end_in_a_traceback(setting):
    for junk in JUNK:
        orders = Function("orders", **({setting: junk} if setting in FUNCTION_SETTINGS else {}))
        orders.get("/orders/{order_id}", scopes=["read"], cache_seconds=5)(read)
        api = shop(functions=[orders], **{setting: junk})
        with contextlib.suppress(DefinitionError):
            define(api)


@pytest.mark.parametrize("setting", sorted(ROUTE_SETTINGS))
def test_no_setting_of_a_route_can_end_in_a_traceback(setting):
    for junk in JUNK:
        api = shop(authorizer=JwtAuthorizer("https://id.example.com", ["shop"]))
        api.get("/orders/{order_id}", **{"scopes": ["read"], setting: junk})(read)
        with contextlib.suppress(DefinitionError):
            define(api)


@pytest.mark.parametrize("junk", JUNK)
def test_nothing_recorded_can_end_in_a_traceback(junk):
    api = Api(junk, functions=[Function(junk)])
    api.functions[0].route(junk, methods=["GET"])(junk)
    api.route("/a", methods=[junk])(handler)
    api.route("/b", methods=["GET"])(handler)
    api.route("/a", methods=["GET"])(junk)
    api.middleware(junk)
    api.exception_handlers.append((junk, junk))
    api.mount(junk, junk)
    api.mount(junk, wsgi)
    assert problems_of(lambda: define(api))
