"""Mounted applications: ASGI with its lifespan, WSGI with all that PEP 3333 allows."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from wsgiref.validate import validator

import pytest

from multicloud.runtime.recorder import Api
from tests.runtime.applications import LOOPS, WATCHDOG_SECONDS, PlainRequest, platform


def mounted(app, prefix="/app", **options) -> Api:
    api = Api("mounts", **options)
    api.get("/own")(lambda request: "own")
    api.mount(prefix, app)
    return api


class Asgi:
    """An ASGI application that notes what it is told, and answers as its path asks."""

    def __init__(self, starts=True, lifespan=True) -> None:
        self.events, self.starts, self.lifespan = [], starts, lifespan

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
            return
        assert scope["type"] == "http"
        self.scope = scope
        await asyncio.sleep(0)
        await getattr(self, scope["path"].rpartition("/")[2])(scope, receive, send)

    async def live(self, scope, receive, send):
        if not self.lifespan:
            raise ValueError("no lifespan here")
        self.events.append((await receive())["type"])
        scope["state"]["pool"] = "open"
        await asyncio.sleep(0)
        if not self.starts:
            await send({"type": "lifespan.startup.failed", "message": "no database"})
            return
        await send({"type": "lifespan.startup.complete"})
        self.events.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    async def echo(self, scope, receive, send):
        message = await receive()
        answer = {
            "state": scope["state"],
            "body": message["body"].decode(),
            "more": message["more_body"],
            "query": scope["query_string"].decode(),
            "root": scope["root_path"],
            "client": scope["client"],
            "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
        }
        headers = [(b"Content-Type", b"application/json"), (b"X-A", b"1"), (b"x-a", b"2"), (b"connection", b"close")]
        headers += [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Path=/"), (b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def parts(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        for part in (b"a", b"", b"b"):
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def silent(self, scope, receive, send):
        pass

    async def headless(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 204})

    async def fail(self, scope, receive, send):
        raise ValueError("secret")

    async def late(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        raise ValueError("secret")

    async def partitioned(self, scope, receive, send):
        headers = [(b"set-cookie", b"a=1; Partitioned"), (b"set-cookie", b"b=2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    async def disconnect(self, scope, receive, send):
        await receive()
        waiting = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x"})
        self.events.append((await waiting)["type"])


@pytest.mark.parametrize("kind", LOOPS)
def test_an_asgi_application_gets_the_whole_request_and_its_answer_arrives(kind):
    app = Asgi()
    sent = PlainRequest("POST", "/app/echo?q=%C3%A9", [("X-Two", "1"), ("X-Two", "2")], b"body")
    with platform(mounted(app), kind) as running:
        response = running.start(sent).result(WATCHDOG_SECONDS)
    assert json.loads(response.body) == {
        "state": {"pool": "open"},
        "body": "body",
        "more": False,
        "query": "q=%C3%A9",
        "root": "/app",
        "client": ["192.0.2.1", 0],
        "headers": [["x-two", "1,2"]],
    }
    assert (response.status_code, response.content_type) == (201, "application/json")
    assert response.header_items() == [("content-type", "application/json"), ("x-a", "1, 2")]
    assert response.set_cookie_values() == ["a=1; path=/", "b=2; path=/"]
    assert (app.scope["path"], app.scope["raw_path"], app.scope["method"]) == ("/app/echo", b"/app/echo", "POST")
    assert app.scope["multicloud.request"] is sent
    assert sent.route == "/app/{path+}"


@pytest.mark.parametrize("kind", LOOPS)
def test_the_lifespan_runs_once_however_many_requests_come_first(kind):
    app = Asgi()
    with platform(mounted(app), kind) as running:
        first = [running.start(PlainRequest("GET", "/app/echo")) for _ in range(20)]
        assert {future.result(WATCHDOG_SECONDS).status_code for future in first} == {201}
        assert running.send("GET", "/app/echo").status_code == 201
        assert app.events == ["lifespan.startup"]
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


def test_the_lifespan_ends_where_the_platform_says_that_the_instance_does():
    app = Asgi()
    with platform(mounted(app), "host") as running:
        running.send("GET", "/app/echo")
        asyncio.run_coroutine_threadsafe(running.application.stop(), running._host).result(WATCHDOG_SECONDS)
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


@pytest.mark.parametrize("kind", LOOPS)
def test_an_application_that_does_not_start_is_a_500_for_every_request_and_is_not_started_again(kind, caplog):
    app = Asgi(starts=False)
    with platform(mounted(app), kind) as running, caplog.at_level(logging.ERROR, "multicloud"):
        first = [running.start(PlainRequest("GET", "/app/echo")) for _ in range(5)]
        assert {future.result(WATCHDOG_SECONDS).status_code for future in first} == {500}
        assert running.send("GET", "/app/echo").status_code == 500
        assert running.send("GET", "/own").body == b"own"
    assert app.events == ["lifespan.startup"]
    assert "no database" in caplog.text


def test_an_application_without_a_lifespan_is_served():
    with platform(mounted(Asgi(lifespan=False))) as running:
        assert running.send("GET", "/app/echo").status_code == 201


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("parts", 200, b"ab"), ("silent", 500, None), ("headless", 204, b""), ("fail", 500, None), ("late", 500, None)],
)
def test_an_asgi_application_s_answer_or_failure_is_the_response_s(kind, path, status, body):
    with platform(mounted(Asgi()), kind) as running:
        response = running.send("GET", f"/app/{path}")
        assert running.send("GET", "/app/echo").status_code == 201
    assert response.status_code == status
    assert b"secret" not in response.body
    if body is not None:
        assert response.body == body


def test_an_asgi_application_hears_of_the_end_only_after_it():
    app = Asgi()
    with platform(mounted(app)) as running:
        assert running.send("GET", "/app/disconnect").body == b"x"
        assert running.send("GET", "/app/echo").status_code == 201
        assert app.events[-1] == "http.disconnect"


@pytest.mark.parametrize("development", [True, False])
def test_a_cookie_that_not_every_provider_keeps_fails_in_development_and_is_logged_in_production(development, caplog):
    with platform(mounted(Asgi()), development=development) as running, caplog.at_level(logging.ERROR, "multicloud"):
        response = running.send("GET", "/app/partitioned")
    assert response.status_code == (500 if development else 200)
    assert response.set_cookie_values() == ([] if development else ["b=2"])
    assert "partitioned" in caplog.text


@pytest.mark.parametrize(
    ("target", "found"),
    [("/app", "app"), ("/app/", "app"), ("/app/x", "app"), ("/apple", None), ("/app/deep/x", "deep"), ("/own", "own")],
)
def test_the_longest_prefix_takes_a_path_and_routes_come_before_it(target, found):
    def app(name):
        def answer(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [name.encode()]

        return answer

    api = mounted(app("app"))
    api.mount("/app/deep", app("deep"))
    with platform(api) as running:
        response = running.send("GET", target)
    assert response.body == found.encode() if found else response.status_code == 404


# WSGI.


def wsgi(answer) -> Api:
    return mounted(answer)


def send(answer, target="/app/x", **options):
    with platform(wsgi(answer)) as running:
        return running.send(options.pop("method", "GET"), target, **options)


def test_a_wsgi_application_gets_the_whole_request():
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read()
        start_response("201 Made", [("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [b"a", b"b"]

    sent = [("Content-Type", "text/plain"), ("X-Two", "1"), ("X-Two", "2"), ("Host", "h.example:8080")]
    response = send(app, "/app/caf%C3%A9?q=1", method="POST", headers=sent, body=b"body")
    assert (response.status_code, response.body) == (201, b"ab")
    assert response.header_items() == [("x-a", "1, 2")]
    assert response.set_cookie_values() == ["a=1", "b=2"]
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/café".encode().decode("latin-1"),
        "QUERY_STRING": "q=1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "4",
        "HTTP_X_TWO": "1,2",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        "body": b"body",
    }
    assert {key: seen[key] for key in expected} == expected
    assert "HTTP_CONTENT_TYPE" not in seen


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_standard_library_s_validator_has_nothing_to_say(method):
    @validator
    def strict(environ, start_response):
        environ["wsgi.input"].read(1)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"fine"]

    def app(environ, start_response):
        return strict(environ, start_response)

    response = send(app, method=method, body=b"x" if method == "POST" else b"")
    assert response.status_code == 200, response.body
    assert response.body == (b"" if method == "HEAD" else b"fine")


def test_an_application_may_start_its_response_as_late_as_its_first_chunk():
    def app(environ, start_response):
        start_response("202 Accepted", [])
        yield b"a"
        yield b"b"

    response = send(app)
    assert (response.status_code, response.body) == (202, b"ab")


def test_what_is_written_comes_before_the_chunk_that_follows_it():
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"1")
        write(b"2")

        def chunks():
            yield b"3"
            write(b"4")
            yield b"5"
            write(b"6")

        return chunks()

    assert send(app).body == b"123456"


def test_what_is_written_arrives_even_without_a_chunk():
    def app(environ, start_response):
        start_response("200 OK", [])(b"written")
        return []

    assert send(app).body == b"written"


class Closing:
    """An iterable that must be closed."""

    def __init__(self, chunks, fails=False) -> None:
        self.chunks, self.fails, self.closed = chunks, fails, 0

    def __iter__(self):
        yield from self.chunks
        if self.fails:
            raise ValueError("secret")

    def close(self):
        self.closed += 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("streaming", [False, True])
def test_the_iterable_is_closed_once_whatever_happens(method, fails, streaming):
    chunks = Closing([b"a", b"b"], fails)

    def app(environ, start_response):
        start_response("200 OK", [])
        return chunks

    with platform(wsgi(app), streaming=streaming) as running:
        response = running.send(method, "/app")
        if response.stream is not None:
            try:
                assert b"".join(response.stream) == b"ab"
            except ValueError:
                assert fails
        elif fails and not streaming:
            assert response.status_code == 500
    assert chunks.closed == 1


def test_an_error_before_the_headers_are_out_replaces_them():
    def app(environ, start_response):
        start_response("200 OK", [("X-A", "1")])
        try:
            raise ValueError("secret")
        except ValueError:
            start_response("503 Down", [("X-B", "2")], sys.exc_info())
        return [b"down"]

    response = send(app)
    assert (response.status_code, response.header_items(), response.body) == (503, [("x-b", "2")], b"down")


def test_an_error_after_the_headers_are_out_is_raised_again():
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        try:
            raise ValueError("secret")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        yield b"the error page"

    with platform(wsgi(app), streaming=True) as running:
        response = running.send("GET", "/app")
        assert response.status_code == 200
        with pytest.raises(ValueError, match="secret"):
            list(response.stream)


def test_the_headers_may_change_until_the_first_chunk_that_is_not_empty():
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b""
        try:
            raise ValueError("secret")
        except ValueError:
            start_response("503 Down", [], sys.exc_info())
        yield b"down"

    response = send(app)
    assert (response.status_code, response.body) == (503, b"down")


def test_a_second_start_without_an_error_is_a_500():
    def app(environ, start_response):
        start_response("200 OK", [])
        start_response("201 Made", [])
        return [b"x"]

    assert send(app).status_code == 500


@pytest.mark.parametrize("result", [None, 5, ["text"]])
def test_a_wsgi_application_that_returns_no_bytes_is_a_500(result):
    def app(environ, start_response):
        start_response("200 OK", [])
        return result

    assert send(app).status_code == 500


def test_an_application_that_never_starts_its_response_is_a_500():
    assert send(lambda environ, start_response: [b"x"]).status_code == 500
    assert send(lambda environ, start_response: []).status_code == 500


def test_middleware_and_exception_handlers_stand_around_a_mounted_application_too():
    def app(environ, start_response):
        raise LookupError("gone")

    api = mounted(app)

    @api.middleware
    def mark(request, call_next):
        response = call_next(request)
        response.headers["x-marked"] = "1"
        return response

    api.exception_handler(LookupError)(lambda request, error: ("none", 410))
    with platform(api) as running:
        response = running.send("GET", "/app")
    assert (response.status_code, response.body, response.headers["x-marked"]) == (410, b"none", "1")


def test_flask_and_fastapi_are_served():
    import fastapi
    import flask

    flask_app, fast_app = flask.Flask("flask_app"), fastapi.FastAPI()

    @flask_app.post("/items/<name>")
    def make(name):
        return {"name": name, "sent": flask.request.get_json(), "q": flask.request.args.getlist("q")}

    @fast_app.get("/items/{name}")
    async def read(name: str, q: str):
        return {"name": name, "q": q}

    api = mounted(flask_app, "/flask")
    api.mount("/fast", fast_app)
    with platform(api) as running:
        headers = [("content-type", "application/json")]
        first = running.send("POST", "/flask/items/caf%C3%A9?q=1&q=2", headers, b'{"a":1}')
        second = running.send("GET", "/fast/items/x?q=%C3%A9")
        third = running.send("GET", "/fast/items/x")
    assert json.loads(first.body) == {"name": "café", "sent": {"a": 1}, "q": ["1", "2"]}
    assert json.loads(second.body) == {"name": "x", "q": "é"}
    assert third.status_code == 422
