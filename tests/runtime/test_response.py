"""What a handler may return, and what is refused when it is made, because it could not be sent."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import logging
import math
import uuid

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime.cookies import Cookie
from multicloud.runtime.recorder import Api
from multicloud.runtime.response import Response, dumps, to_response
from tests.runtime.applications import platform


@attrs.frozen
class Item:
    name: str
    parts: tuple = ()


@dataclasses.dataclass
class Order:
    number: int
    item: Item
    kind: dataclasses.InitVar[int] = 0


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


JSON, TEXT, BINARY = "application/json", "text/plain; charset=utf-8", "application/octet-stream"


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ({"a": 1}, 200, JSON, b'{"a":1}'),
        ({}, 200, JSON, b"{}"),
        ([1, None, True], 200, JSON, b"[1,null,true]"),
        ({"é": "🍋"}, 200, JSON, '{"é":"🍋"}'.encode()),
        ({1: "a", None: "b"}, 200, JSON, b'{"1":"a","null":"b"}'),
        ("é", 200, TEXT, "é".encode()),
        ("", 200, TEXT, b""),
        (b"\x00\xff", 200, BINARY, b"\x00\xff"),
        (bytearray(b"x"), 200, BINARY, b"x"),
        (memoryview(b"x"), 200, BINARY, b"x"),
        (None, 204, None, b""),
        (({"a": 1}, 201), 201, JSON, b'{"a":1}'),
        ((None, 202), 202, None, b""),
        (Item("x", ("y",)), 200, JSON, b'{"name":"x","parts":["y"]}'),
        (Order(1, Item("x")), 200, JSON, b'{"number":1,"item":{"name":"x","parts":[]}}'),
        ([datetime.date(2026, 1, 2)], 200, JSON, b'["2026-01-02"]'),
        ([datetime.time(1, 2, 3)], 200, JSON, b'["01:02:03"]'),
        ([datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)], 200, JSON, b'["2026-01-02T00:00:00+00:00"]'),
        ([uuid.UUID(int=5)], 200, JSON, b'["00000000-0000-0000-0000-000000000005"]'),
        ([decimal.Decimal("1.10")], 200, JSON, b'["1.10"]'),
        ([Colour.RED, Level.HIGH], 200, JSON, b'["red",3]'),
        (Response({"a": 1}, 418), 418, JSON, b'{"a":1}'),
        (Response("<p>", content_type="text/html"), 200, "text/html", b"<p>"),
        (Response("<p>", headers={"Content-Type": "text/html"}), 200, "text/html", b"<p>"),
    ],
)
def test_a_result_becomes_the_answer_that_the_contract_names(result, status, content_type, body):
    response = to_response(result)
    assert (response.status_code, response.content_type, response.body) == (status, content_type, body)


def circle():
    found: list = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "result",
    [
        (1, 2, 3),
        (),
        ({"a": 1},),
        ("x", "200"),
        (Response("x"), 200),
        5,
        1.5,
        True,
        object(),
        {"a": object()},
        {"a": {1, 2}},
        {(1, 2): 3},
        {"a": math.nan},
        {"a": math.inf},
        {math.nan: 1},
        circle(),
        [b"bytes"],
        {"lone": "\ud800"},
        "\ud800",
        Item,
    ],
    ids=lambda result: type(result).__name__,
)
def test_a_result_without_a_meaning_is_a_500_and_a_log_record(result, caplog):
    api = Api("results")
    api.get("/")(lambda request: result)
    with platform(api) as running, caplog.at_level(logging.ERROR, "multicloud"):
        response = running.send()
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert json.loads(response.body)["detail"] == "The server failed to answer this request."
    assert len(caplog.records) == 1


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers() | st.just("é"), inner, max_size=3),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_json_is_compact_and_means_what_it_was_made_from(value):
    assert dumps(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("status", [99, 199, 600, 1000, -1, 0, "200", 200.0, None, True, 2**70])
def test_a_status_that_is_none_is_refused_when_the_response_is_made(status):
    with pytest.raises(ValueError, match="200 to 599"):
        Response("x", status)


def test_a_status_may_be_the_standard_library_s():
    from http import HTTPStatus

    response = Response("x", HTTPStatus.CREATED)
    assert (response.status_code, type(response.status_code)) == (201, int)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "ä", "a\0", "(a)"])
def test_a_header_name_that_is_no_token_is_refused(name):
    with pytest.raises(ValueError, match="token"):
        Response("x", headers={name: "v"})


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0", "\x7f", "\x1b[31m", "€", "\u2028"])
@pytest.mark.parametrize("name", ["x-a", "content-type"])
def test_a_header_value_that_could_not_be_sent_is_refused(name, value):
    with pytest.raises(ValueError, match="control character"):
        Response("x", headers={name: value})
    response = Response("x")
    with pytest.raises(ValueError, match="control character"):
        response.headers["x-a"] = value


def test_the_content_type_argument_is_checked_too():
    with pytest.raises(ValueError, match="control character"):
        Response("x", content_type="a\r\nb: c")


@pytest.mark.parametrize("value", [5, None, b"x"])
def test_a_header_value_that_is_no_text_is_refused(value):
    with pytest.raises(TypeError, match="expected str"):
        Response("x", headers={"x-a": value})


def test_latin_1_and_tabs_are_allowed_and_blanks_around_a_value_are_cut():
    response = Response("x", headers={"X-A": " caf\xe9\t1 ", "X-B": " b "})
    assert response.headers.items() == [("x-a", "caf\xe9\t1"), ("x-b", "b")]


def test_repeated_headers_are_joined_and_cookies_are_not():
    pairs = [("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "a=1; Path=/"), ("set-cookie", "b=2")]
    response = Response("x", headers=pairs, cookies={"c": "3"})
    assert response.header_items() == [("content-type", TEXT), ("x-a", "1, 2")]
    assert response.set_cookie_values() == ["a=1; path=/", "b=2", Cookie("c", "3").header()]


def test_headers_behave_as_a_mapping_whatever_the_case():
    response = Response(None)
    response.headers["X-A"] = "1"
    assert response.headers["x-A"] == "1"
    assert "x-a" in response.headers
    assert (len(response.headers), list(response.headers)) == (1, ["x-a"])
    assert response.headers.get("nope", "d") == "d"
    del response.headers["X-A"]
    assert response.header_items() == []
    with pytest.raises(ValueError, match="cookies"):
        response.headers["Set-Cookie"] = "a=1"


def test_set_cookie_adds_in_order():
    response = Response(None)
    response.set_cookie(Cookie("a", "1"))
    response.set_cookie(Cookie("a", "2"))
    assert [value.partition(";")[0] for value in response.set_cookie_values()] == ["a=1", "a=2"]


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_sends_none(status):
    api = Api("bodies")
    api.get("/")(lambda request: Response({"a": 1}, status))
    with platform(api) as running:
        response = running.send()
    assert (response.status_code, response.body, response.content_type) == (status, b"", None)


def test_head_states_the_length_that_get_would_send():
    api = Api("bodies")
    closed = []

    def chunks():
        try:
            yield b"x"
        finally:
            closed.append(True)

    api.get("/")(lambda request: "12345")
    api.get("/stream")(lambda request: Response(chunks()))
    with platform(api, streaming=True) as running:
        response = running.send("HEAD", "/")
        streamed = running.send("HEAD", "/stream")
    assert (response.status_code, response.body, response.headers["content-length"]) == (200, b"", "5")
    assert response.content_type == TEXT
    assert (streamed.body, streamed.stream) == (b"", None)


def test_an_answer_over_the_limit_is_a_500_whose_record_names_both_sizes(caplog):
    api = Api("bodies")
    limit = 4 * 1024 * 1024
    api.get("/fits")(lambda request: b"x" * limit)
    api.get("/over")(lambda request: b"x" * (limit + 1))
    with platform(api) as running, caplog.at_level(logging.ERROR, "multicloud"):
        assert running.send("GET", "/fits").status_code == 200
        assert running.send("GET", "/over").status_code == 500
    record = json.loads(caplog.records[-1].getMessage())
    assert (record["size_bytes"], record["limit_bytes"]) == (limit + 1, limit)
