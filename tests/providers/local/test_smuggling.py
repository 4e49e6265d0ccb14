from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.providers.local.echo import SEEN
from tests.providers.local.wire import HOST, ask, wire

CORPUS = json.loads(Path(__file__).with_name("smuggling.json").read_text())


@pytest.mark.parametrize("message", CORPUS, ids=lambda message: message["name"])
def test_an_ambiguous_message_is_refused_and_the_connection_closed(port: int, message: dict[str, Any]) -> None:
    with wire(port) as connection:
        connection.send(message["raw"])
        answer = connection.answer()
        assert (answer.status, answer.problem["status"]) == (message["status"], message["status"])
        assert answer.headers["connection"] == "close"
        assert connection.rest() == b"", "something was answered after the refusal"
    assert "/smuggled" not in {scope["path"] for scope in SEEN}


@pytest.mark.parametrize("message", CORPUS, ids=lambda message: message["name"])
def test_an_ambiguous_message_that_comes_byte_by_byte_is_refused_too(port: int, message: dict[str, Any]) -> None:
    with wire(port) as connection:
        connection.socket.setsockopt(6, 1, 1)  # TCP_NODELAY: each byte in its own segment
        try:
            for byte in message["raw"].encode("latin-1")[:2000]:
                connection.send(bytes([byte]))
        except ConnectionError:
            pass  # refused before its end
        assert connection.answer().status == message["status"]


def test_the_corpus_has_the_breadth_that_the_edge_claims() -> None:
    assert len(CORPUS) >= 39
    assert {message["status"] for message in CORPUS} == {400, 501}


def test_a_refused_message_does_not_overtake_the_answer_before_it(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"GET /slow HTTP/1.1\r\n{HOST}\r\nGET /hello HTTP/1.1\r\n{HOST}{HOST}\r\n")
        assert connection.answer().body == b"slow"
        assert connection.answer().status == 400
        assert connection.rest() == b""


def test_absolute_form_is_accepted_with_its_own_authority(port: int) -> None:
    answer = ask(port, f"GET http://127.0.0.1:{port}/hello?a=1 HTTP/1.1\r\nX-A: b\r\nHost: evil.example\r\n\r\n")
    said = json.loads(answer.body)
    assert (answer.status, said["path"], said["query"]) == (200, "/hello", "a=1")
    assert said["headers"] == [["x-a", "b"], ["host", f"127.0.0.1:{port}"]]


def test_absolute_form_without_a_path_is_the_root(port: int) -> None:
    said = json.loads(ask(port, f"GET HTTP://localhost?a HTTP/1.1\r\n{HOST}\r\n").body)
    assert (said["path"], said["query"]) == ("/", "a")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:1", "localhost:65535"])
def test_a_name_of_this_machine_is_trusted(port: int, host: str) -> None:
    assert ask(port, f"GET /hello HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 200
