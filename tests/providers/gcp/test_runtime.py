"""Cloud Functions' runtime against WSGI environments as gunicorn and werkzeug make them."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO

import flask
import pytest

from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.runtime.cookies import Cookie
from multicloud.runtime.recorder import Api
from multicloud.runtime.response import Response
from multicloud_gcp.runtime import create_handler


def cloud_function(handler, methods=("GET", "POST"), **settings):
    api = Api("shop", **settings)
    api.route("/", methods=methods)(handler)
    api.route("/{path+}", methods=methods)(handler)
    definition = define(api)
    config, objects = compile_application(
        definition, definition.functions, provider="gcp", stage="live", development=False
    )
    return create_handler(config, objects, flask.Response)


def environ(**changes):
    """Return gunicorn's environment of ``GET /caf%C3%A9%2Fx?a=1&a=%C3%A9``; a value of None leaves a key out."""
    found = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/café/x".encode().decode("latin-1"),
        "QUERY_STRING": "a=1&a=%C3%A9",
        "RAW_URI": "/caf%C3%A9%2Fx?a=1&a=%C3%A9",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "169.254.8.129",
        "HTTP_FUNCTION_EXECUTION_ID": "e12345678901",
        "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9",
        "HTTP_X_TWO": "1,2",
        "CONTENT_TYPE": "text/plain",
        "wsgi.input": BytesIO(b""),
        "wsgi.input_terminated": True,
        "wsgi.url_scheme": "http",
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def seen(**changes):
    found = []
    handler = cloud_function(lambda request: found.append(request), timeout_seconds=10)
    native = handler(flask.Request(environ(**changes)))
    assert native.status_code == 204, native.get_data()
    return found[0]


def status_of(**changes):
    return cloud_function(lambda request: "x")(flask.Request(environ(**changes))).status_code


def test_a_request_is_read_from_the_environment_and_not_from_flask():
    request = seen()
    assert (request.method, request.path, request.raw_path) == ("GET", "/café/x", "/caf%C3%A9%2Fx")
    assert request.query.multi_items() == [("a", "1"), ("a", "é")]
    assert (request.headers["X-Two"], request.headers["content-type"]) == ("1,2", "text/plain")
    assert (request.stage, request.provider, request.request_id) == ("live", "gcp", "e12345678901")
    assert isinstance(request.raw, flask.Request)
    assert abs(request.deadline - (time.time() + 10)) < 1


@pytest.mark.parametrize(
    ("changes", "path", "raw_path"),
    [
        ({"RAW_URI": None}, "/café/x", None),
        ({"RAW_URI": None, "REQUEST_URI": "/caf%C3%A9/x?a=1"}, "/café/x", "/caf%C3%A9/x"),
        ({"RAW_URI": "http://evil.example/caf%C3%A9?x=http://y/z"}, "/café", "/caf%C3%A9"),
        ({"RAW_URI": "http://evil.example"}, "/", "/"),
        ({"RAW_URI": "/a?b?c"}, "/a", "/a"),
        ({"RAW_URI": "/caf\xc3\xa9"}, "/café", "/café"),
    ],
)
def test_the_path_is_the_one_sent_where_the_server_keeps_it(changes, path, raw_path):
    request = seen(**changes)
    assert (request.path, request.raw_path) == (path, raw_path)


@pytest.mark.parametrize(
    "changes", [{"RAW_URI": None, "PATH_INFO": "/\xff"}, {"RAW_URI": "/%ff"}, {"RAW_URI": "/a/%2e%2e/b"}]
)
def test_a_path_that_is_none_is_a_400_with_or_without_the_one_sent(changes):
    assert status_of(**changes) == 400


def test_the_client_s_address_is_the_last_one_that_was_appended():
    assert seen().client_ip == "203.0.113.9"
    assert seen(HTTP_X_FORWARDED_FOR="203.0.113.9").client_ip == "203.0.113.9"
    assert seen(HTTP_X_FORWARDED_FOR=None).client_ip == "169.254.8.129"


def body_of(body, limit=4 * 1024 * 1024, **changes):
    sizes = []

    class Counting(BytesIO):
        def read(self, size=-1):
            sizes.append(size)
            return super().read(size)

    handler = cloud_function(lambda request: Response(request.body))
    native = handler(flask.Request(environ(REQUEST_METHOD="POST", **{"wsgi.input": Counting(body), **changes})))
    assert all(0 <= size <= limit + 1 for size in sizes)
    return native.get_data() if native.status_code == 200 else native.status_code


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CONTENT_LENGTH": "4"}, b"body"),
        ({"CONTENT_LENGTH": "2"}, b"bo"),
        ({"CONTENT_LENGTH": "0"}, b""),
        ({"CONTENT_LENGTH": "-1"}, b""),
        ({"CONTENT_LENGTH": "x"}, b""),
        ({}, b"body"),
        ({"wsgi.input_terminated": None}, b""),
    ],
)
def test_as_much_body_is_read_as_the_request_states(changes, expected):
    assert body_of(b"body", **changes) == expected


@pytest.mark.parametrize("changes", [{"CONTENT_LENGTH": str(5 * 1024 * 1024)}, {}])
def test_a_body_over_the_limit_is_a_413_before_it_is_read_whole(changes):
    assert body_of(b"x" * 5 * 1024 * 1024, **changes) == 413


def native_of(response, **changes):
    return cloud_function(lambda request: response)(flask.Request(environ(**changes)))


def test_the_answer_is_flask_s_with_every_cookie_in_order():
    response = Response({"a": 1}, 201, headers={"X-A": "1"}, cookies=[Cookie("a", "1"), Cookie("b", "2/3")])
    native = native_of(response)
    assert (native.status_code, native.get_data(), native.headers["content-type"]) == (
        201,
        b'{"a":1}',
        "application/json",
    )
    assert native.headers["x-a"] == "1"
    assert [line.partition(";")[0] for line in native.headers.getlist("set-cookie")] == ["a=1", "b=2%2F3"]


def test_flask_s_own_content_type_is_not_added():
    assert "content-type" not in native_of(None).headers
    assert native_of("x").headers["content-type"] == "text/plain; charset=utf-8"


def test_head_states_the_length_of_get():
    native = native_of("12345", REQUEST_METHOD="HEAD")
    assert (native.headers["content-length"], native.get_data()) == ("5", b"")


async def later():
    yield "a"
    await asyncio.sleep(0)
    yield b"b"


@pytest.mark.parametrize("chunks", [lambda: iter(["a", b"b"]), later])
def test_a_stream_is_sent_in_its_parts(chunks):
    native = native_of(Response(chunks(), content_type="text/plain"))
    assert native.is_streamed
    assert list(native.response) == [b"a", b"b"]


def test_the_limits_of_the_edge_hold_behind_gunicorn_too():
    assert status_of(QUERY_STRING="a" * 4096) == 414
    assert status_of(HTTP_X_LONG="a" * 8192) == 431
    assert status_of(HTTP_AUTHORIZATION="Bearer a,Bearer b") == 400
