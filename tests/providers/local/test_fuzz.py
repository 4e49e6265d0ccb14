"""No byte string crashes the edge, makes it answer 5xx, or is answered with anything but HTTP."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multicloud_local.http1 import ChunkedBody, EdgeError, parse_head
from multicloud_local.limits import Limits
from tests.providers.local.test_smuggling import CORPUS
from tests.providers.local.wire import HOST, ask, wire

PIECES = [
    b"GET", b"POST", b" ", b"/hello", b"*", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\r", b"\n", b"\0", b"\t", b":", b";",
    b"Host: localhost\r\n", b"Content-Length: 5\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"\xff",
    b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"5\r\nhello\r\n", b"0\r\n\r\n", b"hello", b"\r\n\r\n", b"%00",
    b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /early HTTP/1.1\r\nHost: localhost\r\n",
]  # fmt: skip
SEEDS: list[bytes] = [message["raw"].encode("latin-1") for message in CORPUS]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message of the corpus with a part replaced."""
    seed = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(seed)))
    end = draw(st.integers(start, min(len(seed), start + 20)))
    return seed[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=4)) + seed[end:]


RAW = st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join) | mutated()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=RAW, cut=st.integers(0, 200))
def test_no_bytes_break_the_server(port: int, caplog: pytest.LogCaptureFixture, raw: bytes, cut: int) -> None:
    with wire(port) as connection:
        with suppress(OSError):  # it may be refused and closed before the end
            connection.send(raw[:cut])
            connection.send(raw[cut:])
            connection.socket.shutdown(1)
        answers = connection.rest()
    statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)
    assert bool(statuses) == bool(answers)
    assert not answers or answers.startswith(b"HTTP/1.1 ")
    assert not [status for status in statuses if status >= b"500" and status != b"501"]
    assert not caplog.records


@settings(max_examples=400, deadline=None)
@given(raw=RAW)
def test_the_grammar_raises_nothing_but_its_own_error(raw: bytes) -> None:
    limits = Limits()
    with suppress(EdgeError):
        head = parse_head(raw.partition(b"\r\n\r\n")[0], limits)
        assert not re.search(rb"[\r\n\0]", b"".join(b"%b%b" % pair for pair in head.headers))


@settings(max_examples=300, deadline=None)
@given(raw=RAW, cuts=st.lists(st.integers(0, 200), max_size=4))
def test_a_chunked_body_means_the_same_however_it_is_cut(raw: bytes, cuts: list[int]) -> None:
    def decode(parts: list[bytes]) -> tuple[bytes, bool, bytes] | None:
        body = ChunkedBody(Limits())
        decoded, rest = b"", b""
        try:
            for part in parts:
                if body.ended:
                    rest += part
                else:
                    decoded += body.feed(part)
        except EdgeError:
            return None
        return (decoded, True, body.rest + rest) if body.ended else (decoded, False, b"")

    points = [0, *sorted(cuts), len(raw)]
    parts = [raw[start:end] for start, end in pairwise(points) if start <= end]
    if sum(map(len, parts)) == len(raw):
        assert decode(parts) == decode([raw])


def test_the_server_still_answers(port: int) -> None:
    assert ask(port, f"GET /hello HTTP/1.1\r\n{HOST}\r\n").status == 200
