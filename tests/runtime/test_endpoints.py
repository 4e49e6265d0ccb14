"""Plain and async layers in every mixture, on every kind of loop: the same answer, and no deadlock."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import logging
import sys

import pytest

from multicloud.runtime.errors import HttpError
from multicloud.runtime.recorder import Api
from multicloud.runtime.response import Response
from tests.runtime.applications import LOOPS, WATCHDOG_SECONDS, PlainRequest, platform


class Trail:
    """Notes on a request which layer saw it."""

    def layer(self, name, is_async):
        def plain(request, call_next):
            request.trail = [*getattr(request, "trail", ()), name]
            response = call_next(request)
            response.headers.add("x-back", name)
            return response

        async def waiting(request, call_next):
            await asyncio.sleep(0)
            request.trail = [*getattr(request, "trail", ()), name]
            response = await call_next(request)
            await asyncio.sleep(0)
            response.headers.add("x-back", name)
            return response

        return waiting if is_async else plain


def plain_handler(request, key):
    return {"key": key, "trail": request.trail, "own": request.headers["x-number"]}


async def async_handler(request, key):
    await asyncio.sleep(0)
    return plain_handler(request, key)


def unmarked_wrapper(request, key):
    """A plain callable that returns an awaitable, which no inspection can tell."""
    return async_handler(request, key)


@functools.wraps(async_handler)
def marked_wrapper(request, **parameters):
    return async_handler(request, **parameters)


HANDLERS = {
    "plain": plain_handler,
    "async": async_handler,
    "unmarked wrapper": unmarked_wrapper,
    "marked wrapper": marked_wrapper,
}


def layered(handler, kinds) -> Api:
    trail = Trail()
    api = Api("layers")
    api.get("/{key}")(handler)
    for number, is_async in enumerate(kinds):
        api.middleware(trail.layer(f"{number}{'a' if is_async else 'p'}", is_async))
    return api


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("kind", LOOPS)
def test_every_mixture_of_layers_gives_the_same_answer(kind, handler):
    for kinds in itertools.chain.from_iterable(itertools.product((False, True), repeat=depth) for depth in range(1, 4)):
        with platform(layered(HANDLERS[handler], kinds), kind) as running:
            response = running.send("GET", "/k", [("X-Number", "7")])
        names = [f"{number}{'a' if is_async else 'p'}" for number, is_async in enumerate(kinds)]
        assert response.status_code == 200, (kinds, response.body)
        assert json.loads(response.body) == {"key": "k", "trail": names, "own": "7"}
        assert response.headers["x-back"] == ", ".join(reversed(names))


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("kinds", [(False, True, False), (True, False, True), (True, False, True, False)])
@pytest.mark.parametrize("kind", ["thread", "host"])
def test_fifty_requests_at_a_time_see_each_its_own_and_none_waits_for_another(kind, kinds, handler):
    with platform(layered(HANDLERS[handler], kinds), kind) as running:
        sent = [running.start(PlainRequest("GET", f"/k{n}", [("X-Number", str(n))])) for n in range(50)]
        for number, future in enumerate(sent):
            answer = json.loads(future.result(WATCHDOG_SECONDS).body)
            assert (answer["key"], answer["own"]) == (f"k{number}", str(number))


def never_suspends(api_layers, handler) -> Api:
    api = Api("quiet")
    api.get("/")(handler)
    for layer in api_layers:
        api.middleware(layer)
    return api


async def quiet_layer(request, call_next):
    return await call_next(request)


def plain_layer(request, call_next):
    return call_next(request)


async def quiet_handler(request):
    return {"quiet": True}


@functools.wraps(quiet_handler)
def quiet_wrapper(request):
    return quiet_handler(request)


@pytest.mark.parametrize("handler", [quiet_handler, quiet_wrapper, lambda request: quiet_handler(request)])
@pytest.mark.parametrize("layers", [(), (quiet_layer,), (quiet_layer, plain_layer), (plain_layer, quiet_layer)])
def test_layers_that_never_suspend_run_where_the_bundle_has_no_event_loop(layers, handler, monkeypatch):
    api = never_suspends(layers, handler)
    with platform(api, "inline", event_loop=False) as running:
        monkeypatch.delitem(sys.modules, "asyncio")  # as if nothing had imported it
        response = running.send("GET", "/")
        assert "asyncio" not in sys.modules
    assert json.loads(response.body) == {"quiet": True}


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("handler_is_async", [False, True])
def test_an_exception_handler_of_either_kind_serves_handlers_of_either_kind(kind, is_async, handler_is_async):
    api = Api("errors")

    def fail(request):
        raise KeyError("missing")

    async def fail_later(request):
        await asyncio.sleep(0)
        raise KeyError("missing")

    def catch(request, error):
        return {"caught": type(error).__name__}, 409

    async def catch_later(request, error):
        await asyncio.sleep(0)
        return catch(request, error)

    api.get("/")(fail_later if handler_is_async else fail)
    api.exception_handler(LookupError)(catch_later if is_async else catch)
    with platform(api, kind) as running:
        response = running.send("GET", "/")
    assert (response.status_code, json.loads(response.body)) == (409, {"caught": "KeyError"})


@pytest.mark.parametrize("kind", LOOPS)
def test_an_exception_handler_that_wraps_an_async_one_is_awaited(kind):
    api = Api("errors")

    async def catch(request, error):
        await asyncio.sleep(0)
        return {"caught": True}, 409

    async def fail_later(request):
        raise KeyError("missing")

    @api.get("/plain")
    def fail(request):
        raise KeyError("missing")

    api.get("/async")(fail_later)
    api.exception_handler(KeyError)(lambda request, error: catch(request, error))
    with platform(api, kind) as running:
        assert running.send("GET", "/plain").status_code == 409
        assert running.send("GET", "/async").status_code == 409


def test_the_most_specific_exception_handler_answers():
    api = Api("errors")
    api.exception_handler(Exception)(lambda request, error: ("general", 500))
    api.exception_handler(LookupError)(lambda request, error: ("lookup", 404))
    api.get("/key")(lambda request: {}["missing"])
    api.get("/value")(lambda request: int("x"))
    with platform(api) as running:
        assert running.send("GET", "/key").body == b"lookup"
        assert running.send("GET", "/value").body == b"general"


def test_an_exception_handler_may_take_the_sdk_s_own_errors():
    api = Api("errors")
    api.exception_handler(HttpError)(lambda request, error: ({"mine": error.status_code}, error.status_code))
    api.get("/")(lambda request: "x")
    with platform(api) as running:
        answer = running.send("GET", "/unknown")
    assert (answer.status_code, answer.body) == (404, b'{"mine":404}')


@pytest.mark.parametrize("kind", LOOPS)
def test_an_exception_handler_that_fails_is_a_500_without_detail(kind, caplog):
    api = Api("errors")

    @api.get("/")
    def fail(request):
        raise KeyError("secret-one")

    @api.exception_handler(KeyError)
    def worse(request, error):
        raise ValueError("secret-two")

    with platform(api, kind) as running, caplog.at_level(logging.ERROR, "multicloud"):
        response = running.send("GET", "/")
    assert response.status_code == 500
    assert b"secret" not in response.body
    assert "secret-two" in caplog.text


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, RecursionError]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_a_handler_raises_is_a_500_and_the_next_request_is_served(kind, error, is_async):
    api = Api("errors")

    async def fail_later(request):
        raise error

    @api.get("/plain")
    def fail(request):
        raise error

    api.get("/async")(fail_later)
    api.get("/fine")(lambda request: "fine")
    with platform(api, kind) as running:
        assert running.send("GET", "/async" if is_async else "/plain").status_code == 500
        assert running.send("GET", "/fine").body == b"fine"


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("under_async_layer", [False, True])
@pytest.mark.parametrize("source", ["plain", "async"])
@pytest.mark.parametrize("handler_is_async", [False, True])
def test_a_stream_is_collected_where_the_platform_sends_none(kind, under_async_layer, source, handler_is_async):
    api = Api("streams")

    def plain_source():
        yield "a"
        yield b"b"

    async def async_source():
        yield "a"
        await asyncio.sleep(0)
        yield b"b"

    chunks = plain_source if source == "plain" else async_source

    def stream(request):
        return Response(chunks(), content_type="text/plain")

    async def stream_later(request):
        return stream(request)

    api.get("/")(stream_later if handler_is_async else stream)
    if under_async_layer:
        api.middleware(quiet_layer)
    with platform(api, kind) as running:
        response = running.send("GET", "/")
    assert (response.body, response.stream, response.content_type) == (b"ab", None, "text/plain")


@pytest.mark.parametrize("chunk", [5, None, ["a"]])
def test_a_chunk_that_is_no_text_and_no_bytes_is_a_500(chunk):
    api = Api("streams")
    api.get("/")(lambda request: Response(iter([chunk])))
    with platform(api) as running:
        assert running.send("GET", "/").status_code == 500


def test_a_stream_stays_a_stream_where_the_platform_sends_it():
    api = Api("streams")
    api.get("/")(lambda request: Response(iter(["a", "b"])))
    with platform(api, streaming=True) as running:
        response = running.send("GET", "/")
    assert list(response.stream) == ["a", "b"]


@pytest.mark.parametrize(("arguments", "expected"), [("", []), ("a", ["a"]), ("b", ["b"]), ("ba", ["b", "a"])])
@pytest.mark.parametrize("with_request", [False, True])
def test_a_handler_gets_the_parameters_it_names_and_no_others(arguments, expected, with_request):
    names = [*(["request"] if with_request else []), *arguments]
    scope: dict = {}
    exec(f"def handler({', '.join(names)}):\n    return [{', '.join(arguments)}]", scope)
    api = Api("calls")
    api.get("/{a}/{b}")(scope["handler"])
    with platform(api) as running:
        assert json.loads(running.send("GET", "/a/b").body) == expected


def test_a_middleware_may_answer_by_itself_and_change_what_comes_back():
    api = Api("middleware")

    @api.middleware
    def outer(request, call_next):
        response = call_next(request)
        response.headers["x-outer"] = "1"
        return response

    @api.middleware
    def gate(request, call_next):
        return ({"closed": True}, 503) if "x-closed" in request.headers else call_next(request)

    api.get("/")(lambda request: "open")
    with platform(api) as running:
        assert running.send("GET", "/").body == b"open"
        closed = running.send("GET", "/", [("X-Closed", "1")])
    assert (closed.status_code, closed.headers["x-outer"]) == (503, "1")


def test_a_middleware_sees_unknown_paths_and_methods_too():
    api = Api("middleware")
    seen = []

    @api.middleware
    def watch(request, call_next):
        response = call_next(request)
        seen.append(response.status_code)
        return response

    api.get("/")(lambda request: "x")
    with platform(api) as running:
        running.send("GET", "/unknown")
        running.send("POST", "/")
    assert seen == [404, 405]
