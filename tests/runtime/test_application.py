"""The order of checks, and what no route takes: the same whatever the platform."""

from __future__ import annotations

import json
import logging

import pytest

from multicloud import Cors, Function
from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.runtime.application import Application
from multicloud.runtime.errors import HttpError
from multicloud.runtime.loops import InlineLoop
from multicloud.runtime.recorder import Api
from multicloud.runtime.response import Response
from tests.runtime.applications import LOOPS, PlainRequest, platform

LIMIT = 4 * 1024 * 1024


def items() -> Api:
    api = Api("items")
    api.get("/items/{key}")(lambda request, key: {"key": key, "route": request.route, "params": request.path_params})
    api.post("/items")(lambda request: {"size": len(request.body)})
    api.get("/items")(lambda request: {"body": request.body.decode()})
    api.delete("/items")(lambda request: {"body": request.body.decode()})
    api.get("/files/{path+}")(lambda path: path)
    return api


def problem(response):
    assert response.content_type == "application/problem+json"
    found = json.loads(response.body)
    assert list(found)[:5] == ["type", "title", "status", "detail", "request_id"]
    assert (found["type"], found["status"]) == ("about:blank", response.status_code)
    assert found["request_id"].startswith("request-")
    return found


@pytest.mark.parametrize("kind", LOOPS)
def test_a_handler_gets_the_decoded_path_its_template_and_its_parameters(kind):
    with platform(items(), kind) as running:
        answer = json.loads(running.send("GET", "/items/caf%C3%A9%20x").body)
        assert answer == {"key": "café x", "route": "/items/{key}", "params": {"key": "café x"}}
        assert running.send("GET", "/files/a%2Fb//c").body == b"a/b//c"


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/unknown", 404, None),
        ("OPTIONS", "/unknown", 404, None),
        ("GET", "/items/", 404, None),
        ("GET", "/items//x", 404, None),
        ("PUT", "/items", 405, "DELETE, GET, HEAD, OPTIONS, POST"),
        ("get", "/items", 405, "DELETE, GET, HEAD, OPTIONS, POST"),
        ("TRACE", "/items/5", 405, "GET, HEAD, OPTIONS"),
        ("POST", "/files/a/b", 405, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/items", 204, "DELETE, GET, HEAD, OPTIONS, POST"),
        ("HEAD", "/items", 200, None),
        ("GET", "/%ff", 400, None),
        ("GET", "/items/..", 400, None),
    ],
)
def test_what_no_route_takes_is_told_apart(method, target, status, allow):
    with platform(items()) as running:
        response = running.send(method, target)
    assert response.status_code == status
    assert response.headers.get("allow") == allow
    if status >= 400:
        problem(response)
    else:
        assert response.body == b""


def test_a_handler_of_its_own_for_options_and_head_is_asked():
    api = Api("own")
    api.options("/")(lambda request: ("mine", 200))
    api.head("/")(lambda request: Response("abc", headers={"x-own": "1"}))
    api.get("/")(lambda request: "get")
    with platform(api) as running:
        assert running.send("OPTIONS").body == b"mine"
        assert running.send("HEAD").headers["x-own"] == "1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_the_body_of_a_get_is_ignored(method):
    api = Api("bodies")
    api.route("/", methods=[method])(lambda request: Response(None, headers={"x-size": str(len(request.body))}))
    with platform(api) as running:
        assert running.send(method, "/", body=b"x" * (LIMIT + 1)).headers["x-size"] == "0"


@pytest.mark.parametrize("kind", LOOPS)
def test_a_body_may_have_four_mebibytes_and_no_byte_more(kind):
    with platform(items(), kind) as running:
        assert json.loads(running.send("POST", "/items", body=b"x" * LIMIT).body) == {"size": LIMIT}
        refused = running.send("POST", "/items", body=b"x" * (LIMIT + 1))
        assert running.send("DELETE", "/items", body=b"kept").body == b'{"body":"kept"}'
    assert problem(refused)["title"] == "Content Too Large"


def test_limits_of_the_url_and_of_the_headers_come_first():
    with platform(items()) as running:
        assert running.send("GET", "/files/" + "a" * (4096 - 7)).status_code == 200
        assert running.send("GET", "/" + "a" * 4096).status_code == 414
        assert running.send("GET", "/items?" + "a" * 4096).status_code == 414
        assert running.send("GET", "/unknown", [("X", "a" * 8192)]).status_code == 431
        assert running.send("GET", "/items", [("X", "a" * (8192 - 5))]).status_code == 200
        assert running.send("GET", "/items", [(f"X{n}", "") for n in range(101)]).status_code == 431
        assert running.send("GET", "/items", [(f"X{n}", "") for n in range(100)]).status_code == 200
        assert running.send("GET", "/items", [("Host", "a"), ("Host", "b")]).status_code == 400


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [("/unknown", "POST", 404), ("/items/5", "POST", 405), ("/items", "POST", 413)],
)
def test_the_path_is_checked_before_the_method_and_both_before_the_body(target, method, status):
    with platform(items()) as running:
        assert running.send(method, target, body=b"x" * (LIMIT + 1)).status_code == status


def test_an_http_error_is_the_problem_it_states():
    api = Api("errors")

    @api.get("/")
    def fail(request):
        raise HttpError(409, "No.", headers={"Retry-After": "5"}, sku="a1", count=2)

    with platform(api) as running:
        response = running.send()
    found = problem(response)
    assert (found["title"], found["detail"], found["sku"], found["count"]) == ("Conflict", "No.", "a1", 2)
    assert response.headers["retry-after"] == "5"


def test_an_unexpected_error_tells_its_detail_to_the_log_alone(caplog):
    api = Api("errors")
    api.get("/")(lambda request: 1 / 0)
    with platform(api) as running, caplog.at_level(logging.ERROR, "multicloud"):
        response = running.send()
    found = problem(response)
    assert found["detail"] == "The server failed to answer this request."
    assert b"Zero" not in response.body
    record = json.loads(caplog.records[-1].getMessage())
    assert (record["error"], record["request_id"]) == ("ZeroDivisionError", found["request_id"])
    assert any("test_application.py" in line for line in record["traceback"])


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("error", [UnspeakableError(), HttpError(400, "x", extra=object()), HttpError(400, "\ud800")])
def test_an_error_that_cannot_be_told_is_still_a_500(kind, error):
    api = Api("errors")

    @api.get("/")
    def fail(request):
        raise error

    with platform(api, kind) as running:
        assert problem(running.send())["status"] == 500


def test_a_header_of_an_error_that_cannot_be_sent_is_a_500():
    api = Api("errors")

    @api.get("/")
    def fail(request):
        raise HttpError(400, "x", headers={"x-a": "1\r\nx-b: 2"})

    with platform(api) as running:
        assert problem(running.send())["status"] == 500


def test_a_function_knows_the_methods_that_its_siblings_serve_on_its_paths():
    reads, writes = Function("reads"), Function("writes")
    reads.get("/items/{key}")(lambda request, key: key)
    writes.delete("/items/{key}")(lambda request, key: key)
    definition = define(Api("shop", functions=[reads, writes]))
    config, objects = compile_application(
        definition, definition.functions[:1], provider="aws", stage="s", development=False
    )
    application = Application(config, objects, lambda: InlineLoop(True), streaming=False)
    response = application.answer(PlainRequest("PUT", "/items/5"))
    assert (response.status_code, response.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS")


def test_layers_run_from_the_api_s_over_the_function_s_to_the_route_s():
    def layer(name):
        def mark(request, call_next):
            request.trail = [*getattr(request, "trail", ()), name]
            return call_next(request)

        return mark

    function = Function("part")
    function.middleware(layer("function"))
    function.get("/", middleware=[layer("route")])(lambda request: request.trail)
    api = Api("layers", functions=[function])
    api.middleware(layer("api"))
    with platform(api) as running:
        assert json.loads(running.send().body) == ["api", "function", "route"]


@pytest.mark.parametrize("kind", LOOPS)
def test_the_current_request_is_this_request_s_own(kind):
    from multicloud import current_request

    api = Api("context")
    api.get("/plain")(lambda request: {"same": current_request.get() is request})

    @api.get("/async")
    async def later(request):
        return {"same": current_request.get() is request}

    @api.middleware
    async def layer(request, call_next):
        return await call_next(request)

    with platform(api, kind) as running:
        assert running.send("GET", "/plain").body == b'{"same":true}'
        assert running.send("GET", "/async").body == b'{"same":true}'
    assert current_request.get() is None


@pytest.mark.parametrize("is_async", [False, True])
def test_a_handler_that_overruns_is_a_504_where_the_platform_states_none(is_async):
    import asyncio
    from threading import Event

    api = Api("slow", timeout_seconds=1)
    release = Event()

    async def later(request):
        await asyncio.sleep(30)

    api.get("/")(later if is_async else lambda request: release.wait(30) and "late")
    api.get("/fine")(lambda request: "fine")
    with platform(api, "host", enforces_timeout=True) as running:
        assert problem(running.send())["title"] == "Gateway Timeout"
        assert running.send("GET", "/fine").body == b"fine"
        release.set()


@pytest.mark.parametrize("is_async", [False, True])
def test_a_timeout_that_the_handler_raises_is_its_own_failure(is_async):
    api = Api("slow")

    async def later(request):
        raise TimeoutError("of a database")

    def at_once(request):
        raise TimeoutError("of a database")

    api.get("/")(later if is_async else at_once)
    with platform(api, "host", enforces_timeout=True) as running:
        assert running.send().status_code == 500


ORIGIN = "https://shop.example.com"


def shared(**options) -> Api:
    api = Api("cors", cors=Cors(**{"allow_origins": [ORIGIN], **options}))
    api.get("/items")(lambda request: "x")
    api.post("/items")(lambda request: 1 / 0)
    return api


def test_every_answer_to_an_allowed_origin_bears_the_headers_errors_included():
    with platform(shared(allow_credentials=True, expose_headers=["X-A", "X-B"])) as running:
        sent = [("GET", "/items"), ("POST", "/items"), ("PUT", "/items"), ("GET", "/no"), ("GET", "/%ff")]
        sent += [("GET", "/" + "a" * 5000), ("HEAD", "/items"), ("OPTIONS", "/items")]
        for method, target in sent:
            headers = running.send(method, target, [("Origin", ORIGIN)]).headers
            assert headers["access-control-allow-origin"] == ORIGIN, (method, target)
            assert headers["access-control-allow-credentials"] == "true"
            assert headers["access-control-expose-headers"] == "X-A, X-B"
            assert headers["vary"] == "Origin"
        large = running.send("POST", "/items", [("Origin", ORIGIN)], b"x" * (LIMIT + 1))
    assert (large.status_code, large.headers["access-control-allow-origin"]) == (413, ORIGIN)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil-shop.example.com",
        "https://shop.example.com.evil.example",
        "https://SHOP.example.com",
        "https://shop.example.com:8443",
        "http://shop.example.com",
        "https://shop.example.com/",
        "",
    ],
)
def test_a_foreign_origin_gets_no_headers_and_the_answer_still_varies(origin):
    with platform(shared()) as running:
        for method in ("GET", "OPTIONS"):
            preflight = [("Origin", origin), ("Access-Control-Request-Method", "GET")]
            response = running.send(method, "/items", preflight)
            assert response.status_code == (200 if method == "GET" else 204)
            assert [name for name in response.headers if name.startswith("access-control")] == []
            assert response.headers["vary"] == "Origin"


def test_two_origin_headers_match_nothing():
    with platform(shared()) as running:
        response = running.send("GET", "/items", [("Origin", ORIGIN), ("Origin", ORIGIN)])
    assert "access-control-allow-origin" not in response.headers


def test_a_preflight_names_the_path_s_methods_and_the_allowed_headers():
    asked = [("Origin", ORIGIN), ("Access-Control-Request-Method", "POST")]
    with platform(shared(allow_headers=["x-a", "content-type"], max_age_seconds=60)) as running:
        response = running.send("OPTIONS", "/items", asked)
        unknown = running.send("OPTIONS", "/unknown", asked)
    assert (response.status_code, response.body) == (204, b"")
    assert response.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, POST"
    assert response.headers["access-control-allow-headers"] == "x-a, content-type"
    assert response.headers["access-control-max-age"] == "60"
    assert unknown.status_code == 404
    with platform(shared(allow_methods=["POST"])) as running:
        assert running.send("OPTIONS", "/items", asked).headers["access-control-allow-methods"] == "POST"


def test_a_wildcard_allows_all_and_does_not_vary():
    with platform(shared(allow_origins=["*"])) as running:
        response = running.send("GET", "/items", [("Origin", "https://anyone.example")])
        without = running.send("GET", "/items")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "vary" not in response.headers
    assert "access-control-allow-origin" not in without.headers


@pytest.mark.parametrize(("own", "expected"), [("Accept", "Accept, Origin"), ("*", "*"), ("origin", "origin")])
def test_a_vary_of_the_handler_s_is_kept(own, expected):
    api = Api("cors", cors=Cors(allow_origins=[ORIGIN]))
    api.get("/")(lambda request: Response("x", headers={"vary": own}))
    with platform(api) as running:
        assert running.send().headers["vary"] == expected
