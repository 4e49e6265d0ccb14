"""Azure's runtime against the worker's own HttpRequest, with the headers that App Service adds or a client forges."""

from __future__ import annotations

import asyncio
import inspect
import time
from types import SimpleNamespace

import azure.functions as func
import pytest

from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.runtime.cookies import Cookie
from multicloud.runtime.recorder import Api
from multicloud.runtime.response import Response
from multicloud_azure.runtime import create_handler, sent_path

CONTEXT = SimpleNamespace(invocation_id="71a3b2c4-0000-4000-8000-000000000001")


def azure_function(handler, methods=("GET", "POST"), **settings):
    api = Api("shop", **settings)
    api.route("/", methods=methods)(handler)
    api.route("/{path+}", methods=methods)(handler)
    definition = define(api)
    config, objects = compile_application(
        definition, definition.functions, provider="azure", stage="live", development=False
    )
    return create_handler(config, objects, func.HttpResponse)


def native(url="https://shop.azurewebsites.net/a/b", method="GET", headers=None, body=b""):
    return func.HttpRequest(method=method, url=url, headers=headers or {}, params={}, route_params={}, body=body)


def seen(**sent):
    found = []
    answer = azure_function(lambda request: found.append(request), timeout_seconds=10)(native(**sent), CONTEXT)
    assert answer.status_code == 204, answer.get_body()
    return found[0]


def test_a_request_is_read_from_its_url_and_not_from_the_host_s_mappings():
    url = "https://shop.azurewebsites.net/caf%C3%A9/x?a=1&a=%C3%A9&b="
    request = seen(url=url, method="POST", headers={"X-A": "1", "Cookie": "a=1; b=2"}, body=b"body")
    assert (request.method, request.path, request.raw_path) == ("POST", "/café/x", "/caf%C3%A9/x")
    assert request.query.multi_items() == [("a", "1"), ("a", "é"), ("b", "")]
    assert (request.headers["x-a"], request.cookies, request.body) == ("1", {"a": "1", "b": "2"}, b"body")
    assert (request.stage, request.provider, request.request_id) == ("live", "azure", CONTEXT.invocation_id)
    assert isinstance(request.raw, func.HttpRequest)
    assert abs(request.deadline - (time.time() + 10)) < 1


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://shop.azurewebsites.net", "/"),
        ("https://shop.azurewebsites.net/", "/"),
        ("https://shop.azurewebsites.net?a=1", "/"),
        ("http://localhost:7071/a//b", "/a//b"),
        ("https://shop.azurewebsites.net/a?u=https://x/y", "/a"),
    ],
)
def test_the_path_is_what_follows_the_host(url, path):
    assert seen(url=url).raw_path == path


@pytest.mark.parametrize(
    ("path", "stated", "believed"),
    [
        ("/a/b", "/a%2Fb?x=1", True),  # Kestrel decodes it
        ("/a/b", "/a/x/../b", True),  # and removes dot segments, which are refused afterwards
        ("/%20", "/%2520", True),  # an escape of an escape is decoded once too often
        ("/a/b", "/admin", False),
        ("/a/b", "/a/b/c", False),
        ("/a/b", "/a/b/", False),
        ("/a/b", "//a/b", False),
        ("/a/b", "https://evil.example/a/b", False),
        ("/a/b", "", False),
        ("/a/b", None, False),
        ("/public", "/public/%2e%2e/admin", False),
        ("/public", "/admin/../public", True),
    ],
)
def test_the_path_that_the_front_end_states_is_believed_where_it_names_the_same(path, stated, believed):
    expected = stated.partition("?")[0] if believed else path
    assert sent_path(path, stated) == expected


def test_a_forged_target_reaches_no_other_route():
    request = seen(url="https://shop.azurewebsites.net/a", headers={"x-waws-unencoded-url": "/admin?x=1"})
    assert (request.path, request.raw_query) == ("/a", "")


def test_a_forged_target_cannot_hide_a_dot_segment():
    answer = azure_function(lambda request: "x")(
        native("https://shop.azurewebsites.net/admin", headers={"x-waws-unencoded-url": "/a/../admin"}), CONTEXT
    )
    assert answer.status_code == 400


def test_comparing_hostile_paths_is_quick():
    started = time.perf_counter()
    sent_path("/" + "%25" * 10_000, "/" + "%2525" * 6_000)
    sent_path("/%" + "25" * 15_000, "/%" + "25" * 15_001)
    sent_path("/" + "a/../" * 6_000, "/" + "../" * 10_000)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::1]:51234", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("6.6.6.6,[2001:db8::1]:1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_the_client_s_address_is_the_last_one_without_its_port(header, address):
    assert seen(headers={"x-forwarded-for": header}).client_ip == address


def test_no_other_header_changes_the_client_s_address():
    headers = {
        "x-forwarded-for": "203.0.113.9",
        "x-client-ip": "6.6.6.6",
        "x-real-ip": "6.6.6.6",
        "forwarded": "for=6.6.6.6",
    }
    assert seen(headers=headers).client_ip == "203.0.113.9"


def test_without_an_address_there_is_none():
    assert seen().client_ip == ""


def answer_of(response, **sent):
    return azure_function(lambda request: response)(native(**sent), CONTEXT)


def test_the_answer_is_the_worker_s_own_with_every_cookie_in_order():
    response = Response({"a": 1}, 201, headers={"X-A": "1"}, cookies=[Cookie("a", "1"), Cookie("b", "2/3")])
    answer = answer_of(response)
    assert isinstance(answer, func.HttpResponse)
    assert (answer.status_code, answer.get_body(), answer.headers["content-type"]) == (
        201,
        b'{"a":1}',
        "application/json",
    )
    assert answer.headers["x-a"] == "1"
    # The host percent-encodes a value itself.
    lines = [value for name, value in answer.headers.items() if name.lower() == "set-cookie"]
    assert [line.partition(";")[0] for line in lines] == ["a=1", "b=2/3"]


def test_a_plain_function_stays_plain_and_one_async_part_makes_it_a_coroutine_function():
    async def handler(request):
        await asyncio.sleep(0)
        return {"path": request.path}

    assert not inspect.iscoroutinefunction(azure_function(lambda request: "x"))
    function = azure_function(handler)
    assert inspect.iscoroutinefunction(function)
    answer = asyncio.run(function(native(), CONTEXT))
    assert answer.get_body() == b'{"path":"/a/b"}'


def test_plain_handlers_beside_async_ones_do_not_hold_up_the_loop():
    from threading import Barrier

    meeting = Barrier(8)
    api = Api("shop")
    api.get("/plain")(lambda request: str(meeting.wait(10)))

    @api.get("/async")
    async def later(request):
        return "x"

    definition = define(api)
    config, objects = compile_application(
        definition, definition.functions, provider="azure", stage="s", development=False
    )
    function = create_handler(config, objects, func.HttpResponse)

    async def eight():
        sent = [function(native("https://h/plain"), CONTEXT) for _ in range(8)]
        return await asyncio.wait_for(asyncio.gather(*sent), 15)

    assert {answer.status_code for answer in asyncio.run(eight())} == {200}


def test_a_body_over_the_limit_is_a_413():
    assert answer_of("x", method="POST", body=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413


def test_the_headers_in_which_the_front_end_repeats_the_target_do_not_count():
    url = "https://h/" + "a" * 4000
    headers = {"x-waws-unencoded-url": "/" + "a" * 4000, "x-original-url": "/" + "a" * 4000}
    assert answer_of("x", url=url, headers=headers).status_code == 200
    assert answer_of("x", url=url + "a" * 100, headers=headers).status_code == 414
