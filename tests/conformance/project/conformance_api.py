"""The API that every platform must answer alike: written as a user would write it, one route for each rule."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import decimal
import enum
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
from conformance_echo import canonical
from conformance_kept import record_kept_routes
from conformance_mounts import asgi_app, wsgi_app
from conformance_typed import record_typed_routes

from multicloud import Api, Conflict, Cookie, Cors, HttpError, NotFound, Request, Response, UnprocessableContent

EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")
SECRET = "secret detail of the server"

api = Api(
    "conformance",
    cors=Cors(
        allow_origins=["https://shop.example", "http://localhost:3000"],
        allow_headers=["content-type", "x-test"],
        expose_headers=["x-total"],
        allow_credentials=True,
        max_age_seconds=60,
    ),
)
api.mount("/asgi", asgi_app)
api.mount("/wsgi", wsgi_app)
record_typed_routes(api)
record_kept_routes(api)


class OutOfStock(Exception):
    """An error of the shop's own."""


class SoldOut(OutOfStock):
    """A kind of it."""


class Forbidding(Exception):
    """Its exception handler fails in turn."""


# Middleware and exception handlers.


@api.middleware
def outermost(request: Request, call_next: Any) -> Response:
    request.seen_by = ["plain"]  # type: ignore[attr-defined] # a request may be given attributes
    if request.headers.get("x-test-block") == "1":
        return Response({"blocked": True}, 403)
    if request.headers.get("x-test-fail") == "1":
        raise RuntimeError(SECRET)
    response: Response = call_next(request)
    response.headers["x-status-seen"] = str(response.status_code)
    return response


async def route_layer(request: Request, call_next: Any) -> Response:
    request.seen_by.append("async")  # type: ignore[attr-defined] # set by the outermost
    await asyncio.sleep(0)
    response: Response = await call_next(request)
    response.headers.add("x-layer", "route")
    return response


@api.exception_handler(OutOfStock)
def out_of_stock(request: Request, error: OutOfStock) -> Any:
    return {"error": type(error).__name__, "path": request.path}, 409


@api.exception_handler(Forbidding)
async def failing_handler(request: Request, error: Forbidding) -> Any:
    raise ValueError(SECRET)


@api.exception_handler(ZeroDivisionError)
async def asynchronous_handler(request: Request, error: ZeroDivisionError) -> Any:
    await asyncio.sleep(0)
    return Response({"divided": "by zero"}, 422)


# Echo: what a handler sees.


@api.route("/echo", methods=EVERY_METHOD)
def echo(request: Request) -> Any:
    return canonical(request)


@api.route("/async-echo", methods=EVERY_METHOD, middleware=[route_layer])
async def async_echo(request: Request) -> Any:
    await asyncio.sleep(0)
    return canonical(request)


@api.get("/layered-plain", middleware=[route_layer])
def layered_plain(request: Request) -> Any:
    return canonical(request)


@api.get("/")
def root() -> Any:
    return {"root": True}


# Routing.


@api.get("/items/{item}")
def item(request: Request, item: str) -> Any:
    return canonical(request)


@api.delete("/items/{item}")
def delete_item(item: str) -> None:
    return None


@api.get("/items/new")
def new_item(request: Request) -> Any:
    return canonical(request)


@api.get("/items/{item}/parts/{part}")
async def part_of_item(request: Request, part: str, item: str) -> Any:
    return {**canonical(request), "arguments": [item, part]}


@api.get("/slash/")
def slash(request: Request) -> Any:
    return canonical(request)


@api.route("/files/{rest+}", methods=["GET", "PUT"])
def files(request: Request, rest: str) -> Any:
    return canonical(request)


@api.get("/files/readme")
def readme(request: Request) -> Any:
    return canonical(request)


@api.get("/over/{a}/b")
def over_literal(request: Request) -> Any:
    return canonical(request)


@api.post("/over/x/b")
def over_post() -> Any:
    return {"over": "post"}


@api.get("/over/{rest+}")
def over_greedy(request: Request) -> Any:
    return canonical(request)


@api.get("/Grüße/{name}")
def greeting(request: Request) -> Any:
    return canonical(request)


@api.head("/own-head")
def own_head() -> Any:
    return Response(None, 204, headers={"x-total": "7"})


@api.options("/own-options")
def own_options() -> Any:
    return {"own": "options"}


@api.get("/read-only")
def read_only() -> Any:
    return {"read": "only"}


@api.post("/write-only")
def write_only(request: Request) -> Any:
    return {"size": len(request.body)}


# Bodies.


@api.post("/json")
def read_json(request: Request) -> Any:
    return {"json": request.json()}


@api.post("/text")
def read_text(request: Request) -> Any:
    return {"text": request.text}


@api.post("/form")
async def read_form(request: Request) -> Any:
    return {"form": request.form.multi_items(), "files": canonical(request)["files"]}


@api.post("/binary")
def binary(request: Request) -> bytes:
    return request.body


# Results.


class Colour(enum.Enum):
    RED = "red"


@attrs.frozen
class Point:
    x: int
    y: int


@dataclasses.dataclass
class Line:
    start: Point
    name: str


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def _chunks() -> Iterator[Any]:
    yield "ä"
    yield b"\xff"
    yield bytearray(b"end")


async def _async_chunks() -> AsyncIterator[Any]:
    yield "one,"
    await asyncio.sleep(0)
    yield b"two"


class Unknown:
    """A value without a JSON form."""


RESULTS: dict[str, Any] = {
    "dict": lambda: {"name": "Grüße €", "n": 1, "f": 1.5, "t": True, "z": None, "l": [1, [2]]},
    "list": lambda: [1, "two", {"three": 3}],
    "empty-dict": dict,
    "empty-list": list,
    "str": lambda: "Grüße",
    "empty-str": str,
    "bytes": lambda: b"\x00\xff\xfe",
    "bytearray": lambda: bytearray(b"abc"),
    "none": lambda: None,
    "tuple": lambda: ({"made": 1}, 201),
    "tuple-text": lambda: ("made", 202),
    "tuple-none": lambda: (None, 202),
    "tuple-long": lambda: (1, 2, 3),
    "tuple-response": lambda: (Response("x"), 201),
    "tuple-text-status": lambda: ({}, "200"),
    "status-99": lambda: ({}, 99),
    "status-199": lambda: ({}, 199),
    "status-600": lambda: ({}, 600),
    "status-1000": lambda: ({}, 1000),
    "status-true": lambda: ({}, True),
    "status-599": lambda: ({"s": 599}, 599),
    "status-418": lambda: Response("short and stout", 418),
    "status-299": lambda: Response("miscellaneous", 299),
    "status-301": lambda: Response(None, 301, headers={"location": "/echo"}),
    "204-body": lambda: Response({"lost": 1}, 204),
    "304-body": lambda: Response("lost", 304, headers={"etag": '"v1"'}),
    "int": lambda: 7,
    "float": lambda: 1.5,
    "true": lambda: True,
    "set": lambda: {1, 2},
    "object": Unknown,
    "nested-object": lambda: {"a": [Unknown()]},
    "circular": _circle,
    "nan": lambda: {"a": float("nan")},
    "infinity": lambda: [float("inf")],
    "surrogate": lambda: {"a": "\ud800"},
    "surrogate-text": lambda: "\udc80",
    "datetime": lambda: {"d": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)},
    "date": lambda: {"d": datetime.date(2026, 1, 2), "t": datetime.time(3, 4)},
    "uuid": lambda: {"u": uuid.UUID(int=5)},
    "decimal": lambda: {"d": decimal.Decimal("1.10")},
    "enum": lambda: [Colour.RED],
    "attrs": lambda: Point(1, 2),
    "dataclass": lambda: Line(Point(1, 2), "edge"),
    "int-keys": lambda: {1: "a", None: "b"},
    "tuple-key": lambda: {(1, 2): "a"},
    "html": lambda: Response("<p>ä</p>", content_type="text/html; charset=utf-8"),
    "json-text": lambda: Response('{"a":1}', content_type="application/json"),
    "xml-bytes": lambda: Response("<ä/>".encode(), content_type="application/xml"),
    "latin-text": lambda: Response("ä".encode("latin-1"), content_type="text/plain; charset=latin-1"),
    "no-type": lambda: Response(b""),
    "generator": _chunks,
    "generator-type": lambda: Response(_chunks(), 201, content_type="text/csv", headers={"x-total": "3"}),
    "async-generator": _async_chunks,
    "empty-generator": lambda: iter(()),
    "bad-chunk": lambda: iter([b"a", 1]),
    "headers": lambda: Response({}, headers=[("X-Total", "1"), ("x-total", "2"), ("Cache-Control", "no-store")]),
    "header-latin": lambda: Response({}, headers={"x-total": "caf\xe9"}),
    "header-crlf": lambda: Response({}, headers={"x-total": "1\r\nx-evil: 1"}),
    "header-nul": lambda: Response({}, headers={"x-total": "1\x00"}),
    "header-unicode": lambda: Response({}, headers={"x-total": "€"}),
    "header-name": lambda: Response({}, headers={"x total": "1"}),
    "header-number": lambda: Response({}, headers={"x-total": 1}),  # type: ignore[dict-item] # a user's mistake
    "type-crlf": lambda: Response("", content_type="text/plain\r\nx-evil: 1"),
    "big": lambda: b"x" * (4 * 1024 * 1024 + 1),
    "limit": lambda: "x" * (4 * 1024 * 1024),
}


@api.get("/results/{kind}")
def result(kind: str) -> Any:
    if kind not in RESULTS:
        raise NotFound("There is no such result.", kind=kind)
    return RESULTS[kind]()


@api.get("/async-results/{kind}")
async def async_result(kind: str) -> Any:
    await asyncio.sleep(0)
    return RESULTS[kind]()


@api.get("/from-thread")
def from_thread() -> Any:
    return async_result("dict")  # a plain handler may return a coroutine


# Cookies.

COOKIES: dict[str, Any] = {
    "mapping": lambda: Response({}, cookies={"a": "1", "b": "x=y/z"}),
    "several": lambda: Response(
        {},
        cookies=[
            Cookie("first", "1", path=None, secure=False, http_only=False, same_site=None),
            Cookie("second", "2", domain="shop.example", max_age_seconds=60, same_site="None"),
            Cookie("third", "", expires="Wed, 21 Oct 2026 07:28:00 GMT", same_site="strict"),
            Cookie("first", "again", path="/a"),
        ],
    ),
    "raw": lambda: Response({}, headers=[("Set-Cookie", "a=1; Path=/; HttpOnly"), ("set-cookie", "b=2; Secure")]),
    "partitioned": lambda: Response({}, headers={"set-cookie": "a=1; Secure; Partitioned"}),
    "json-value": lambda: Response({}, cookies={"a": '{"b":1}'}),
    "space": lambda: Response({}, cookies={"a": "x y"}),
    "semicolon": lambda: Response({}, cookies={"a": "1; Domain=evil.example"}),
    "name": lambda: Response({}, cookies={"a b": "1"}),
    "none-insecure": lambda: Response({}, cookies=[Cookie("a", "1", secure=False, same_site="None")]),
    "as-header": lambda: _with_header(),
}


def _with_header() -> Response:
    response = Response({})
    response.headers["Set-Cookie"] = "a=1"
    return response


@api.get("/cookies/{kind}")
def cookies(kind: str) -> Any:
    return COOKIES[kind]()


# Errors.


class Abrupt(BaseException):
    """No Exception: what a careless ``except`` misses."""


def _raise(error: BaseException) -> Any:
    raise error


ERRORS: dict[str, Any] = {
    "not-found": lambda: _raise(NotFound("There is no such item.", item=7, tags=["ä"])),
    "conflict": lambda: _raise(Conflict()),
    "unprocessable": lambda: _raise(UnprocessableContent("The count is negative.", headers={"x-total": "0"})),
    "teapot": lambda: _raise(HttpError(418, "I am a teapot.")),
    "extension": lambda: _raise(NotFound("x", value=Unknown())),
    "bad-status": lambda: _raise(HttpError(200, "no error")),
    "bad-header": lambda: _raise(NotFound("x", headers={"x-total": "a\r\nb"})),
    "unexpected": lambda: _raise(RuntimeError(SECRET)),
    "assertion": lambda: _raise(AssertionError(SECRET)),
    "memory": lambda: _raise(MemoryError(SECRET)),
    "recursion": lambda: _raise(RecursionError(SECRET)),
    "stop-iteration": lambda: _raise(StopIteration(SECRET)),
    "timeout": lambda: _raise(TimeoutError(SECRET)),
    "cancelled": lambda: _raise(asyncio.CancelledError(SECRET)),
    "generator-exit": lambda: _raise(GeneratorExit(SECRET)),
    "base": lambda: _raise(Abrupt(SECRET)),
    "keyboard": lambda: _raise(KeyboardInterrupt(SECRET)),
    "exit": lambda: sys.exit(3),
    "exit-text": lambda: sys.exit(SECRET),
    "handled": lambda: _raise(OutOfStock(SECRET)),
    "handled-subclass": lambda: _raise(SoldOut(SECRET)),
    "handled-async": lambda: 1 // 0,
    "handler-fails": lambda: _raise(Forbidding(SECRET)),
    "group": lambda: _raise(ExceptionGroup(SECRET, [ValueError(SECRET)])),
}


@api.get("/errors/{kind}")
def error(kind: str) -> Any:
    return ERRORS[kind]()


@api.get("/async-errors/{kind}")
async def async_error(kind: str) -> Any:
    await asyncio.sleep(0)
    return ERRORS[kind]()
