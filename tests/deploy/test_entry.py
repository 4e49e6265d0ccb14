"""A rendered entry module, executed as the platform would, answers from the user's own modules."""

from __future__ import annotations

import ast
import json

import pytest

from multicloud.deploy.entry import LIMITS, compile_application, loaded_functions, render
from multicloud.errors import DefinitionError
from multicloud.model import Cors, define
from multicloud.model.functions import FunctionDefinition
from multicloud.model.routes import RouteDefinition
from multicloud.provider import load_provider
from multicloud.runtime.recorder import Api, Function
from tests.deploy.written import modules

APP = """
import functools
from multicloud import Api, Cors
import handlers
from handlers import orders

class OwnError(Exception): ...

class Greeter:
    def __call__(self, request, name): return f"hi {name}"

def made(request, word): return word

half = functools.partial(made, word="half")
greeter = Greeter()
api = Api("shop", functions=[orders], cors=Cors(allow_origins=["*"]), timeout_seconds=7)

@api.get("/rebound")
def _(request): return "one"

@api.post("/rebound")
def _(request): return "two"

api.get("/lambda")(lambda request: "lambda")
api.get("/half")(half)
api.get("/greet/{name}")(greeter)
api.get("/other")(handlers.elsewhere)

@api.get("/fails/{kind}")
def fails(request, kind):
    raise {"own": OwnError, "key": KeyError, "sub": ModuleNotFoundError}[kind]("x")

@api.middleware
def _(request, call_next):
    response = call_next(request)
    response.headers["x-seen"] = request.stage
    return response

@api.exception_handler(OwnError, KeyError, ImportError)
def _(request, error): return type(error).__name__, 409

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]

api.mount("/app", wsgi)
"""
HANDLERS = """
from multicloud import Function
orders = Function("orders")

@orders.get("/orders/{order_id}")
async def read(request, order_id): return {"order": order_id}

@orders.middleware
def note(request, call_next): return call_next(request)

def elsewhere(request): return "elsewhere"
"""


@pytest.fixture
def shop(tmp_path):
    with modules(tmp_path, handlers=HANDLERS, app=APP) as (_, app):
        yield define(app.api)


def entry(definition, number=0, event_loop=True):
    """Return the namespace of a rendered AWS entry module after it ran."""
    files = render(definition, definition.functions[number], load_provider("aws"), "live", event_loop=event_loop)
    namespace: dict = {}
    exec(compile(files["multicloud_entry.py"], "multicloud_entry.py", "exec"), namespace)
    return namespace


def ask(namespace, method, path):
    context = {"http": {"method": method}, "stage": "$default"}
    result = namespace["handler"]({"rawPath": path, "requestContext": context, "headers": {}}, None)
    return result["statusCode"], result["body"], result["headers"].get("x-seen")


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/rebound", (200, "one")),
        ("POST", "/rebound", (200, "two")),
        ("GET", "/lambda", (200, "lambda")),
        ("GET", "/half", (200, "half")),
        ("GET", "/greet/ada", (200, "hi ada")),
        ("GET", "/other", (200, "elsewhere")),
        ("GET", "/fails/own", (409, "OwnError")),
        ("GET", "/fails/key", (409, "KeyError")),
        ("GET", "/fails/sub", (409, "ModuleNotFoundError")),
        ("GET", "/app/x", (200, "/x")),
    ],
)
def test_every_object_of_the_user_s_is_imported_by_name_and_answers(shop, method, path, answer):
    assert ask(entry(shop), method, path) == (*answer, "live")


def test_each_function_s_entry_holds_its_own_routes_and_the_whole_api_s_layers(shop):
    orders = entry(shop, 1)
    assert ask(orders, "GET", "/orders/5") == (200, '{"order":"5"}', "live")
    assert ask(orders, "GET", "/lambda")[0] == 404
    assert (orders["CONFIG"]["function"], orders["CONFIG"]["async"]) == ("orders", True)
    assert entry(shop)["CONFIG"]["async"] is False


def test_the_config_is_made_of_plain_literals_that_survive_the_file(shop):
    for number, function in enumerate(shop.functions):
        config, objects = compile_application(shop, [function], provider="aws", stage="live", development=False)
        namespace = entry(shop, number)
        assert namespace["CONFIG"] == config == ast.literal_eval(repr(config))
        assert all(found is meant for found, meant in zip(namespace["OBJECTS"], objects, strict=True))


def test_the_config_says_what_the_definition_says(shop):
    config, _ = compile_application(
        shop, shop.functions, provider="aws", stage="live", development=True, event_loop=False
    )
    assert {key: config[key] for key in ("api", "function", "stage", "provider", "development", "event_loop")} == {
        "api": "shop",
        "function": "shop",
        "stage": "live",
        "provider": "aws",
        "development": True,
        "event_loop": False,
    }
    assert config["limits"] == LIMITS
    assert config["cors"]["allow_origins"] == ("*",)
    assert [function["timeout_seconds"] for function in config["functions"]] == [7, 29]
    assert [mount["prefix"] for mount in config["mounts"]] == ["/app"]
    assert (
        compile_application(define(plain()), define(plain()).functions, provider="p", stage="s", development=True)[0][
            "cors"
        ]
        is None
    )


def plain():
    api = Api("plain")
    api.get("/")(fine)
    return api


def fine(request):
    return "fine"


def test_two_renderings_are_the_same_bytes(shop):
    for name in ("aws", "gcp", "azure"):
        provider = load_provider(name)
        first, second = (render(shop, shop.functions[0], provider, "live", event_loop=True) for _ in range(2))
        assert first == second


def test_a_path_parameter_that_a_handler_does_not_take_is_not_passed():
    def neither():
        return "x"

    api = Api("calls")
    api.get("/{a}/{b}")(lambda request, b: b)
    api.get("/{a}")(neither)
    api.post("/{a}")(lambda request, **rest: rest)
    config, _ = compile_application(define(api), define(api).functions, provider="p", stage="s", development=True)
    assert [(route["request"], route["arguments"]) for route in config["routes"]] == [
        (True, ("b",)),
        (False, ()),
        (True, None),
    ]


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("part", ["handler", "middleware", "route middleware", "exception handler", "mount"])
def test_one_async_part_makes_the_function_async(part, is_async):
    async def async_part(*arguments):
        return None

    def plain_part(*arguments):
        return None

    class AsyncCallable:
        async def __call__(self, scope, receive, send): ...

    chosen = async_part if is_async else plain_part
    api = Api("parts")
    api.get("/", middleware=[chosen] if part == "route middleware" else [])(chosen if part == "handler" else fine)
    if part == "middleware":
        api.middleware(chosen)
    if part == "exception handler":
        api.exception_handler(KeyError)(chosen)
    if part == "mount":
        api.mount("/app", AsyncCallable() if is_async else lambda environ, start_response: [])
    config, _ = compile_application(define(api), define(api).functions, provider="p", stage="s", development=True)
    assert config["async"] is is_async


def test_handlers_named_in_text_as_openapi_does_are_loaded(tmp_path):
    with modules(tmp_path, handlers=HANDLERS):
        function = FunctionDefinition(
            "f",
            [
                RouteDefinition("GET", "/a", "handlers:elsewhere", "a"),
                RouteDefinition("GET", "/b/{order_id}", "handlers:read", "b"),
            ],
        )
        from multicloud.model import ApiDefinition

        namespace = entry(ApiDefinition("shop", [function]))
        assert ask(namespace, "GET", "/a")[:2] == (200, "elsewhere")
        assert ask(namespace, "GET", "/b/7")[:2] == (200, '{"order":"7"}')


def test_what_has_no_importable_name_is_told_all_at_once():
    def local(request):
        return 1

    api = Api("hidden")
    api.get("/a", middleware=[lambda request, call_next: call_next(request)])(local)
    api.get("/b")(fine)
    api.middleware(lambda request, call_next: call_next(request))
    definition = define(api)
    with pytest.raises(DefinitionError) as caught:
        render(definition, definition.functions[0], load_provider("aws"), "s", event_loop=True)
    problems = caught.value.problems
    assert [problem.place for problem in problems] == [
        "route GET /a",
        "route GET /a: middleware",
        "api hidden: middleware",
    ]
    assert {problem.expected for problem in problems} == {"something that can be imported by name"}
    assert {problem.hint for problem in problems} == {
        "define it at the top level of a module and give it a name of its own"
    }
    assert "local" in problems[0].got


def test_the_longest_mount_comes_first_and_siblings_methods_are_shared():
    def wsgi(environ, start_response): ...

    reads, writes = Function("reads"), Function("writes")
    reads.get("/items/{id}")(fine)
    writes.delete("/items/{id}")(fine)
    writes.put("/items/{id}")(fine)
    writes.post("/other")(fine)
    for prefix in ("/a", "/a/b/c", "/a/b"):
        reads.mount(prefix, wsgi)
    definition = define(Api("shop", functions=[reads, writes], cors=Cors(allow_origins=["https://a.example"])))
    config, _ = compile_application(definition, definition.functions[:1], provider="p", stage="s", development=True)
    assert [mount["prefix"] for mount in config["mounts"]] == ["/a/b/c", "/a/b", "/a"]
    assert config["shared"] == {"/items/{id}": ("DELETE", "PUT")}
    assert json.loads(json.dumps(config["cors"]))["allow_origins"] == ["https://a.example"]


CATALOGUE = """
from multicloud import Function
catalogue = Function("catalogue", dependencies=["fastapi"])
@catalogue.get("/items")
def items(): return []
"""
ORDERS = """
from multicloud import Function
orders = Function("orders")
@orders.get("/orders")
def read(): return []
"""
TOGETHER = """
from multicloud import Api
from catalogue import catalogue
from orders import orders
api = Api("shop", functions=[catalogue, orders])
"""
BESIDE = """
@api.middleware
def layer(request, call_next): return call_next(request)
"""
APART = """
from layers import layer
api.middleware(layer)
"""
LAYERS = "def layer(request, call_next): return call_next(request)\n"


@pytest.mark.parametrize(
    ("end", "loaded"), [("", []), (BESIDE, ["catalogue"]), (APART, [])], ids=["none", "beside", "apart"]
)
def test_a_layer_beside_the_api_loads_its_other_functions_and_one_in_a_module_of_its_own_does_not(
    tmp_path, end, loaded
):
    sources = {"catalogue": CATALOGUE, "orders": ORDERS, "layers": LAYERS, "api": TOGETHER + end}
    with modules(tmp_path, **sources) as (*_, api):
        definition = define(api.api)
        orders = next(function for function in definition.functions if function.name == "orders")
        assert [function.name for function in loaded_functions(definition, orders)] == loaded
