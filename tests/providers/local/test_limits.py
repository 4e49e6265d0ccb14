from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from multicloud_local.limits import Limits
from multicloud_local.server import background
from tests.providers.local.echo import SEEN, echo
from tests.providers.local.wire import HOST, ask, wait_until, wire

LIMIT = 4 * 1024 * 1024
CHUNKED = "Transfer-Encoding: chunked\r\n"


def get(target: str = "/hello", headers: str = "") -> str:
    return f"GET {target} HTTP/1.1\r\n{HOST}{headers}\r\n"


def test_a_url_of_4_kib_passes_and_one_byte_more_is_414(port: int) -> None:
    assert ask(port, get("/" + "a" * 4095)).status == 200
    with wire(port) as connection:
        connection.send(get("/" + "a" * 4096))
        assert connection.answer().problem["title"] == "URI Too Long"
        assert connection.rest() == b""


def test_a_url_without_an_end_is_414(port: int) -> None:
    assert ask(port, "GET /" + "a" * 5000).status == 414


def test_a_method_without_an_end_is_400(port: int) -> None:
    assert ask(port, "A" * 100).status == 400


def test_headers_of_8_kib_pass_and_one_byte_more_is_431(port: int) -> None:
    room = 8192 - len(HOST) - len("X-A: \r\n")
    assert ask(port, get(headers=f"X-A: {'a' * room}\r\n")).status == 200
    with wire(port) as connection:
        connection.send(get(headers=f"X-A: {'a' * (room + 1)}\r\n"))
        assert connection.answer().problem["title"] == "Request Header Fields Too Large"
        assert connection.rest() == b""


def test_headers_without_an_end_are_431(port: int) -> None:
    assert ask(port, f"GET /hello HTTP/1.1\r\n{HOST}X-A: " + "a" * 9000).status == 431


def test_100_headers_pass_and_one_more_is_431(port: int) -> None:
    assert ask(port, get(headers="A: b\r\n" * 99)).status == 200
    assert ask(port, get(headers="A: b\r\n" * 100)).status == 431


def test_a_body_of_4_mib_passes(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"POST /hello HTTP/1.1\r\n{HOST}Content-Length: {LIMIT}\r\n\r\n" + "x" * LIMIT)
        answer = connection.answer()
    assert answer.status == 200
    assert len(json.loads(answer.body)["body"]) == LIMIT


def test_a_declared_body_over_the_limit_is_the_applications_to_refuse_before_any_of_it_is_read(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"POST /hello HTTP/1.1\r\n{HOST}Content-Length: {LIMIT + 1}\r\n\r\n")
        answer = connection.answer()
        assert (answer.status, answer.body) == (413, b"said by the application")
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert answer.headers["connection"] == "close"
        assert connection.rest() == b""
    assert SEEN[0]["multicloud.too_large"] is True


def test_a_client_that_sends_its_oversized_body_without_looking_still_reads_the_413(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"POST /hello HTTP/1.1\r\n{HOST}Content-Length: {LIMIT * 2}\r\n\r\n" + "x" * LIMIT * 2)
        assert connection.answer().status == 413
        assert connection.rest() == b""


def test_the_check_of_the_path_comes_before_that_of_the_size(port: int) -> None:
    assert ask(port, f"POST /early HTTP/1.1\r\n{HOST}Content-Length: {LIMIT + 1}\r\n\r\n").status == 401


@pytest.mark.parametrize("size", [0x1000, 0xFFFFFF])
def test_a_chunked_body_past_the_limit_is_413(port: int, size: int) -> None:
    chunk = f"{size:x}\r\n" + "x" * size + "\r\n"
    with wire(port) as connection:
        connection.send(f"POST /hello HTTP/1.1\r\n{HOST}{CHUNKED}\r\n")
        try:
            for _ in range(LIMIT // size + 1):
                connection.send(chunk)
        except ConnectionError:
            pass  # it may have been cut off already
        answer = connection.answer()
        assert (answer.status, answer.body) == (413, b"said by the application")
        assert connection.rest() == b""
    assert SEEN[0]["multicloud.too_large"] is True


def test_an_application_that_says_nothing_of_an_oversized_body_gets_it_said_by_the_edge(port: int) -> None:
    answer = ask(port, f"POST /unread HTTP/1.1\r\n{HOST}Content-Length: {LIMIT + 1}\r\n\r\n")
    assert answer.problem["title"] == "Content Too Large"


def test_headers_that_do_not_end_are_408(quick_port: int) -> None:
    with wire(quick_port) as connection:
        connection.send("GET /hello HTTP/1.1\r\nHost: loc")
        assert connection.answer().problem["title"] == "Request Timeout"
        assert connection.rest() == b""


def test_headers_that_come_drop_by_drop_are_408(quick_port: int) -> None:
    with wire(quick_port) as connection:
        connection.socket.settimeout(0.05)
        answered = False
        connection.send("GET /hello HTTP/1.1\r\nX-A: ")
        while not answered:
            connection.send("a")
            try:
                connection.buffer += connection.receive()
                answered = True
            except TimeoutError:
                pass
        assert connection.answer().status == 408


def test_a_body_that_does_not_end_is_408_and_the_application_is_told(quick_port: int) -> None:
    with wire(quick_port) as connection:
        connection.send(f"POST /waits HTTP/1.1\r\n{HOST}Content-Length: 9\r\n\r\nhalf")
        assert connection.answer().problem["status"] == 408
        assert connection.rest() == b""
    wait_until(lambda: SEEN[0].get("left") == "http.disconnect")


def test_a_body_has_its_own_time() -> None:
    with (
        background(echo, limits=Limits(head_seconds=0.2, body_seconds=10)) as running,
        wire(running.port) as connection,
    ):
        connection.send(f"POST /hello HTTP/1.1\r\n{HOST}Content-Length: 4\r\n\r\nha")
        time.sleep(0.6)
        connection.send("lf")
        assert json.loads(connection.answer().body)["body"] == "half"


def test_a_body_that_does_not_end_ends_the_connection_when_its_answer_is_out(quick_port: int) -> None:
    with wire(quick_port) as connection:
        connection.send(f"POST /early HTTP/1.1\r\n{HOST}Content-Length: 9\r\n\r\nhalf")
        assert connection.answer().status == 401
        assert connection.rest() == b""


@pytest.mark.parametrize("first", ["", "\r\n", get()])
def test_an_idle_connection_is_closed_without_a_word(quick_port: int, first: str) -> None:
    with wire(quick_port) as connection:
        connection.send(first)
        if first == get():
            assert connection.answer().status == 200
        assert connection.rest() == b"" or first == "\r\n"


def test_pipelined_requests_wait_in_the_kernel_not_in_memory(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/waits"))
        wait_until(lambda: SEEN)
        connection.socket.settimeout(1)
        sent = 0
        with suppress(TimeoutError):
            while sent < 64 * 1024 * 1024:
                sent += connection.socket.send(get().encode() * 10_000)
    assert sent < 32 * 1024 * 1024


def test_a_slow_handler_is_not_the_clients_fault(quick_port: int) -> None:
    assert ask(quick_port, get("/slow")).body == b"slow"


def test_connections_over_the_limit_are_503_until_one_closes(quick_port: int) -> None:
    held = [wire(quick_port) for _ in range(4)]
    connections = [each.__enter__() for each in held]
    for connection in connections:
        connection.send(get("/slow"))
    assert ask(quick_port, "").problem["title"] == "Service Unavailable"
    assert [connection.answer().status for connection in connections] == [200] * 4
    for each in held:
        each.__exit__(None, None, None)

    def is_free() -> bool:
        return ask(quick_port, get()).status == 200

    wait_until(is_free)
