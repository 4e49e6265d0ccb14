"""Typed handlers behind the dispatcher and through every cloud's events: what arrives, and what is refused before."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import logging
from collections.abc import Iterator
from datetime import date
from typing import Literal
from uuid import UUID

import attrs
import pydantic
import pytest

from multicloud import Api, Conflict, HttpError, Request, Response
from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.testing import TestClient
from tests.runtime.applications import LOOPS, platform

JSON = (("content-type", "application/json"),)
SHAPES = ("local", "aws", "aws-rest", "aws-url", "aws-alb", "gcp", "azure")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Line:
    sku: str
    quantity: int = attrs.field(validator=attrs.validators.ge(1))


@dataclasses.dataclass
class Order:
    lines: list[Line]
    colour: Colour = Colour.RED
    day: date | None = None


class Point(pydantic.BaseModel):
    x: int


@attrs.frozen
class Guarded:
    code: str = attrs.field()

    @code.validator
    def _known(self, attribute, value):
        raise Conflict("The code is taken.")


api = Api("typed")


@api.post("/orders")
def create(order: Order) -> Order:
    return order


@api.put("/orders/{order_id}")
async def replace(request: Request, order_id: UUID, order: Order, dry_run: bool = False) -> tuple[Order, int]:
    assert request.body
    assert isinstance(order_id, UUID)
    return order, 202 if dry_run else 200


@api.get("/search")
def search(
    page: int = 1,
    since: date | None = None,
    tag: list[str] = ["none"],  # noqa: B006 - never changed
    colour: Colour | None = None,
    sort: Literal["up", "down"] = "up",
    ratio: float = 0.5,
    q: str = "",
):
    return {"page": page, "since": since, "tag": tag, "colour": colour, "sort": sort, "ratio": ratio, "q": q}


@api.get("/needs/{day}")
def needs(request: Request, day: date, at_least: int, among: list[int], unless: int | None) -> dict:
    return {"day": day, "at_least": at_least, "among": among, "unless": unless}


@api.get("/all/{number}/{word}")
def everything(number: int, **parameters: str) -> dict:
    return {"number": number, **parameters}


@api.post("/points")
def points(points: list[Point]) -> list[Point]:
    return points


@api.post("/maybe")
def maybe(order: Order | None) -> dict:
    return {"order": order}


@api.post("/default")
def default(order: Order = Order([])) -> dict:  # noqa: B008 - never changed
    return {"order": order}


@api.post("/guarded")
def guarded(it: Guarded) -> None: ...


def answer(client, method, path, body=None, content_type="application/json"):
    content = body if isinstance(body, (bytes, str)) else b"" if body is None else json.dumps(body)
    headers = {} if content_type is None else {"content-type": content_type}
    response = client.request(method, path, content=content, headers=headers)
    found = response.json() if response.content else None
    if isinstance(found, dict):
        found.pop("request_id", None)
    return response.status_code, found


def problem(status, title, detail, *errors):
    found = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors:
        found["errors"] = [{"pointer": place, "detail": sentence} for place, sentence in errors]
    return status, found


unprocessable = functools.partial(
    problem, 422, "Unprocessable Content", "The request does not fit what this route takes."
)
DAY = "expected a date such as 2026-01-31"
ORDER = {"lines": [{"sku": "a", "quantity": 2}], "colour": "blue", "day": "2024-01-02"}
CASES = [
    ("POST", "/orders", ORDER, "application/json", (200, ORDER)),
    ("POST", "/orders", ORDER, "application/JSON; charset=UTF-8", (200, ORDER)),
    ("POST", "/orders", ORDER, 'application/json; charset="utf-8"', (200, ORDER)),
    ("POST", "/orders", ORDER, "application/vnd.shop+json", (200, ORDER)),
    ("PUT", f"/orders/{UUID(int=1)}?dry_run=true", ORDER, "application/json", (202, ORDER)),
    ("POST", "/maybe", None, None, (200, {"order": None})),
    ("POST", "/maybe", None, "text/plain", (200, {"order": None})),
    ("POST", "/maybe", b"null", "application/json", (200, {"order": None})),
    ("POST", "/default", None, None, (200, {"order": {"lines": [], "colour": "red", "day": None}})),
    ("POST", "/points", [{"x": 1}], "application/json", (200, [{"x": 1}])),
    ("GET", "/all/5/w%2Fx", None, None, (404, None)),
    ("GET", "/all/5/word", None, None, (200, {"number": 5, "word": "word"})),
    (
        "GET",
        "/search",
        None,
        None,
        (
            200,
            {"page": 1, "since": None, "tag": ["none"], "colour": None, "sort": "up", "ratio": 0.5, "q": ""},
        ),
    ),
    (
        "GET",
        "/search?page=2&page=3&since=2024-01-02&tag=a&tag=&tag=b+c&colour=red&sort=down&ratio=1e1&q=%C3%A9",
        None,
        None,
        (
            200,
            {
                "page": 3,
                "since": "2024-01-02",
                "tag": ["a", "", "b c"],
                "colour": "red",
                "sort": "down",
                "ratio": 10.0,
                "q": "é",
            },
        ),
    ),
    (
        "GET",
        "/needs/2024-01-02?at_least=0&among=1&unless=7",
        None,
        None,
        (200, {"day": "2024-01-02", "at_least": 0, "among": [1], "unless": 7}),
    ),
    (
        "POST",
        "/orders",
        ORDER,
        "text/plain",
        problem(415, "Unsupported Media Type", "The body must be application/json."),
    ),
    (
        "POST",
        "/orders",
        "{",
        "text/plain",
        problem(415, "Unsupported Media Type", "The body must be application/json."),
    ),
    ("POST", "/orders", ORDER, None, problem(415, "Unsupported Media Type", "The body must be application/json.")),
    (
        "POST",
        "/orders",
        ORDER,
        "image/x+json",
        problem(415, "Unsupported Media Type", "The body must be application/json."),
    ),
    (
        "POST",
        "/orders",
        ORDER,
        "application/json; charset=utf-16",
        problem(415, "Unsupported Media Type", "The charset must be UTF-8."),
    ),
    (
        "POST",
        "/orders",
        "{",
        "application/json",
        problem(400, "Bad Request", "The body is not valid JSON."),
    ),
    ("POST", "/orders", b"\xff", "application/json", problem(400, "Bad Request", "The body is not valid UTF-8.")),
    ("POST", "/orders", None, "application/json", problem(400, "Bad Request", "The body is empty; JSON was expected.")),
    ("POST", "/orders", None, None, problem(400, "Bad Request", "The body is empty; JSON was expected.")),
    (
        "PUT",
        "/orders/x?dry_run=x",
        "{",
        "application/json",
        problem(400, "Bad Request", "The body is not valid JSON."),
    ),
    (
        "GET",
        "/search?q=%ff&page=x",
        None,
        None,
        problem(400, "Bad Request", "The query parameter q is not valid UTF-8."),
    ),
    (
        "GET",
        "/needs/2024-01-02?at_least=0&among=1",
        None,
        None,
        (200, {"day": "2024-01-02", "at_least": 0, "among": [1], "unless": None}),
    ),
    (
        "GET",
        "/search?q=%ff&q=a",
        None,
        None,
        problem(400, "Bad Request", "The query parameter q is not valid UTF-8."),
    ),
    (
        "GET",
        "/search?tag=%C3&tag=a",
        None,
        None,
        problem(400, "Bad Request", "The query parameter tag is not valid UTF-8."),
    ),
    (
        "PUT",
        "/orders/17?dry_run=1",
        {"lines": [{"sku": "a", "quantity": 0}, {"quantity": "x"}, 5], "colour": "green", "day": "today"},
        "application/json",
        unprocessable(
            ("/body/lines/0/quantity", "'quantity' must be >= 1: 0"),
            ("/body/lines/1/sku", "required, but absent"),
            ("/body/lines/1/quantity", "expected an integer, got a string"),
            ("/body/lines/2", "expected an object, got a number"),
            ("/body/colour", 'expected one of "red", "blue"'),
            ("/body/day", DAY),
            ("/path/order_id", "expected a UUID"),
            ("/query/dry_run", "expected true or false"),
        ),
    ),
    (
        "GET",
        "/needs/today?among=1&among=&among=x",
        None,
        None,
        unprocessable(
            ("/path/day", DAY),
            ("/query/at_least", "required, but absent"),
            ("/query/among/1", "expected an integer"),
            ("/query/among/2", "expected an integer"),
        ),
    ),
    ("GET", "/needs/2024-01-02?at_least=1", None, None, unprocessable(("/query/among", "required, but absent"))),
    ("POST", "/points", [{"x": "1.5"}], "application/json", None),
    ("POST", "/guarded", {"code": "x"}, "application/json", problem(409, "Conflict", "The code is taken.")),
]


@pytest.fixture(scope="module", params=SHAPES)
def client(request):
    return TestClient(api, request.param)


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "expected"), CASES, ids=[f"{number}" for number in range(len(CASES))]
)
def test_every_cloud_converts_and_refuses_alike(client, method, path, body, content_type, expected):
    found = answer(client, method, path, body, content_type)
    if expected is None:
        assert (found[0], found[1]["errors"][0]["pointer"]) == (422, "/body/0/x")
    elif expected[1] is None:
        assert found[0] == expected[0]
    else:
        assert found == expected


@pytest.mark.parametrize("kind", LOOPS)
def test_plain_and_async_handlers_are_converted_for_on_every_loop(kind):
    with platform(api, kind) as host:
        for method, path in (("POST", "/orders"), ("PUT", f"/orders/{UUID(int=1)}")):
            response = host.send(method, path, JSON, json.dumps(ORDER).encode())
            assert (response.status_code, json.loads(response.body)) == (200, ORDER)
            assert host.send(method, path, JSON, b"[]").status_code == 422


def test_an_application_may_answer_refusals_in_its_own_way():
    own = Api("own")

    @own.post("/orders")
    def create(order: Order): ...

    @own.exception_handler(HttpError)
    def own_form(request, error):
        return {"wrong": [one["pointer"] for one in error.extensions["errors"]]}, error.status_code

    seen = []

    @own.middleware
    def watch(request, call_next):
        seen.append(request.route)
        return call_next(request)

    with platform(own) as host:
        response = host.send("POST", "/orders", JSON, b"{}")
    assert (response.status_code, response.body, seen) == (422, b'{"wrong":["/body/lines"]}', ["/orders"])


def test_a_body_of_a_million_faults_is_answered_with_the_first():
    with platform(api) as host:
        body = json.dumps({"lines": [0] * 1_000_000}).encode()
        response = host.send("POST", "/orders", JSON, body)
    found = json.loads(response.body)
    assert (response.status_code, len(found["errors"]), found["errors"][-1]["pointer"]) == (422, 100, "/body/lines/99")
    assert found["detail"].endswith(" The first 100 faults are listed.")


# Answers, checked in development.

answers = Api("answers")


@answers.get("/wrong/{kind}")
def wrong(kind: str) -> Order:
    values = {
        "member": {"lines": [{"sku": 1, "quantity": 1}]},
        "nothing": None,
        "text": "hello",
        "list": [],
        "streamed": iter([b"x"]),
    }
    return values[kind]


@answers.get("/async")
async def wrong_async() -> list[Line]:
    return [{"sku": "a"}]


@answers.get("/right/{kind}")
def right(kind: str) -> Order | Response | None:
    values = {
        "value": Order([Line("a", 1)]),
        "mapping": {"lines": []},
        "nothing": None,
        "response": Response({"another": "form"}),
        "problem": ({"why": "not"}, 409),
        "stream": iter([b"x"]),
    }
    return values[kind]


def wrapped(handler):
    @functools.wraps(handler)
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


@answers.get("/wrapped")
@wrapped
async def wrapped_async() -> list[Line]:
    return [{"sku": "a"}]


MEMBER = "/body/lines/0/sku: expected a string, got a number"
MISSING = "/body/0/quantity: required, but absent"


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/wrong/member", MEMBER),
        ("/wrong/nothing", "/body: expected an object, got null"),
        ("/wrong/text", "/body: expected JSON, got text/plain; charset=utf-8"),
        ("/wrong/list", "/body: expected an object, got a list"),
        ("/async", MISSING),
        ("/wrapped", MISSING),
    ],
)
@pytest.mark.parametrize("kind", LOOPS)
def test_in_development_an_answer_that_breaks_its_promise_is_a_500_that_says_where(kind, path, fault, caplog):
    with platform(answers, kind) as host, caplog.at_level(logging.ERROR, "multicloud"):
        response = host.send("GET", path)
    assert (response.status_code, b"/body" in response.body) == (500, False)
    (record,) = [json.loads(record.getMessage()) for record in caplog.records if record.name == "multicloud"]
    route = path.replace("member", "{kind}").replace("nothing", "{kind}").replace("text", "{kind}")
    route = route.replace("list", "{kind}")
    assert record["detail"] == f"the answer of GET {route} is not what it promises: {fault}"


@pytest.mark.parametrize(
    ("kind", "status"),
    [("value", 200), ("mapping", 200), ("nothing", 204), ("response", 200), ("problem", 409), ("stream", 200)],
)
def test_what_keeps_its_promise_or_makes_none_passes(kind, status):
    with platform(answers) as host:
        assert host.send("GET", f"/right/{kind}").status_code == status


def test_in_production_no_answer_is_checked():
    with platform(answers, development=False) as host:
        assert host.send("GET", "/wrong/member").status_code == 200


def test_untyped_routes_are_compiled_as_if_there_were_no_types():
    plain = Api("plain")

    @plain.get("/hello/{name}")
    def hello(request: Request, name: str) -> dict: ...

    @plain.get("/stream")
    def stream(request: Request) -> Iterator[bytes]: ...

    definition = define(plain)
    config, _ = compile_application(definition, definition.functions, provider="local", stage="test", development=True)
    assert "records" not in config
    assert all("typed" not in route for route in config["routes"])
