from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime.errors import HttpError
from multicloud.runtime.json_body import MAX_DEPTH, loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_every_json_document_is_read(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    assert loads(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{]",
        b'{"a":}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1] [2]",
        b"// a\n1",
        b"NaN",
        b"[Infinity]",
        b'{"a": -Infinity}',
        b"1e9999",
        b"-1e9999",
        b"9" * 1_000_000,
        b"[" * 500 + b"]" * 500,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff",
        b'"\xc3"',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'"a\nb"',
        b'"a',
        b'"\\x41"',
        b"01",
        b"+1",
        b"nul",
        b'"\\ud800"',
        b'{"a": "x\\uDC00"}',
    ],
    ids=lambda body: repr(body[:12]) + f"x{len(body)}",
)
def test_what_is_no_json_is_a_400_that_tells_nothing_of_the_parser(body):
    with pytest.raises(HttpError) as caught:
        loads(body)
    assert caught.value.status_code == 400
    assert caught.value.detail.startswith(("The body is", "The JSON body is"))


def test_of_duplicate_keys_the_last_wins():
    assert loads(b'{"a": 1, "a": 2}') == {"a": 2}


def test_the_depth_counts_containers_and_no_brackets_in_strings():
    def nested(depth):
        return b'{"a":[' * (depth // 2) + b"]}" * (depth // 2)

    loads(nested(MAX_DEPTH))
    with pytest.raises(HttpError, match="64 levels"):
        loads(nested(MAX_DEPTH + 2))
    many = json.dumps(["[" * 1000, '\\"[[', {"{": "{" * 1000}] * 40).encode()
    assert loads(many) == json.loads(many)
    assert loads(b"[" + b",".join([b"[]"] * 5000) + b"]") == [[]] * 5000


def test_what_is_only_large_is_read():
    assert loads(b"1e308") == 1e308
    assert loads(b"9" * 4300) == int("9" * 4300)


@pytest.mark.parametrize("unit", [b'"\\"', b'["', b"[[\\", b'"[\\\\', b"[]"])
def test_a_hostile_body_is_refused_or_read_quickly(unit):
    started = time.perf_counter()
    with suppress(HttpError):
        loads(unit * (1_000_000 // len(unit)))
    assert time.perf_counter() - started < 2
