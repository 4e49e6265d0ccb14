from __future__ import annotations

import json
import logging
import struct
import time

import pytest

from tests.providers.local.echo import SEEN
from tests.providers.local.wire import HOST, Wire, ask, wait_until, wire


def get(target: str = "/hello", method: str = "GET", version: str = "1.1", headers: str = "") -> str:
    return f"{method} {target} HTTP/{version}\r\n{HOST}{headers}\r\n"


def post(body: str, headers: str = "", target: str = "/hello") -> str:
    return f"POST {target} HTTP/1.1\r\n{HOST}Content-Length: {len(body)}\r\n{headers}\r\n{body}"


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "get", "CONNECT", "M-SEARCH", "QUERY", "X!#$%&'*+-.^_`|~9"])
def test_any_method_reaches_the_application(port: int, method: str) -> None:
    assert json.loads(ask(port, get(method=method)).body)["method"] == method


def test_the_target_reaches_the_application_raw_and_decoded(port: int) -> None:
    said = json.loads(ask(port, get("/a%2Fb/%C3%A9//{x}|?q=%41&&r=a?b")).body)
    assert (said["raw_path"], said["path"], said["query"]) == ("/a%2Fb/%C3%A9//{x}|", "/a/b/é//{x}|", "q=%41&&r=a?b")


def test_options_of_the_whole_server_reaches_the_application(port: int) -> None:
    assert json.loads(ask(port, get("*", "OPTIONS")).body)["raw_path"] == "*"


def test_header_names_are_lower_case_values_trimmed_and_repeats_kept_in_order(port: int) -> None:
    said = json.loads(ask(port, get(headers="X-A: \t b\tc \t\r\nx-b:\r\nX-A:\xe9\r\n")).body)
    assert said["headers"] == [["host", "localhost"], ["x-a", "b\tc"], ["x-b", ""], ["x-a", "\xe9"]]


@pytest.mark.parametrize(
    "chunks",
    [
        "5\r\nhello\r\n0\r\n\r\n",
        "3;a=b;c\r\nhel\r\n02\r\nlo\r\n000\r\n\r\n",
        '5;a="b c"\r\nhello\r\n0\r\nX-A: b\r\n\r\n',
    ],
)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_a_chunked_body_is_put_together_however_it_is_cut(port: int, chunks: str, step: int) -> None:
    raw = f"POST /hello HTTP/1.1\r\n{HOST}Transfer-Encoding: Chunked\r\n\r\n{chunks}{get('/next')}"
    with wire(port) as connection:
        connection.socket.setsockopt(6, 1, 1)
        for start in range(0, len(raw), step):
            connection.send(raw[start : start + step])
        assert json.loads(connection.answer().body)["body"] == "hello"
        assert json.loads(connection.answer().body)["path"] == "/next"


def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/slow") + post("abc") + get("/early") + get("/last"))
        assert connection.answer().body == b"slow"
        assert json.loads(connection.answer().body)["body"] == "abc"
        assert connection.answer().status == 401
        assert json.loads(connection.answer().body)["path"] == "/last"


def test_a_thousand_pipelined_requests_are_all_answered(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/early") * 1000)
        assert {connection.answer().status for _ in range(1000)} == {401}


def test_one_empty_line_after_a_body_is_forgiven(port: int) -> None:
    with wire(port) as connection:
        connection.send(post("abc") + "\r\n" + get())
        assert connection.answer().status == connection.answer().status == 200


def test_a_second_empty_line_is_not_forgiven_because_it_comes_later(port: int) -> None:
    with wire(port) as connection:
        connection.send("\r\n")
        time.sleep(0.1)  # so that they are read one by one
        connection.send("\r\n" + get())
        assert connection.answer().status == 400


def test_an_answer_before_the_body_leaves_the_connection_usable(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"POST /early HTTP/1.1\r\n{HOST}Content-Length: 6\r\n\r\nabc")
        assert connection.answer().status == 401
        connection.send("def" + get("/next"))
        assert json.loads(connection.answer().body)["path"] == "/next"


def test_100_continue_is_sent_when_the_application_asks_for_the_body(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"POST /hello HTTP/1.1\r\n{HOST}Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.answer().status == 100
        connection.send("abc")
        assert json.loads(connection.answer().body)["body"] == "abc"


def test_without_100_continue_the_connection_ends_since_the_body_may_never_come(port: int) -> None:
    with wire(port) as connection:
        connection.send(f"POST /early HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert connection.rest() == b""


def test_100_continue_is_not_sent_for_a_body_over_the_limit(port: int) -> None:
    raw = f"POST /hello HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    assert ask(port, raw).status == 413


def test_100_continue_is_not_sent_for_a_body_that_is_here_or_to_http_1_0(port: int) -> None:
    assert ask(port, post("abc", "Expect: 100-continue\r\n")).status == 200
    assert ask(port, get(version="1.0", headers="Expect: 100-continue\r\n")).status == 200


def test_another_expectation_is_417(port: int) -> None:
    assert ask(port, post("abc", "Expect: more\r\n")).problem["title"] == "Expectation Failed"


def test_an_upgrade_is_not_followed(port: int) -> None:
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    assert json.loads(ask(port, get(headers=upgrade)).body)["version"] == "1.1"


@pytest.mark.parametrize("raw", [get(headers="Connection: keep-alive, Close\r\n"), get(version="1.0")])
def test_a_client_that_wants_the_connection_closed_gets_it_closed(port: int, raw: str) -> None:
    with wire(port) as connection:
        connection.send(raw)
        assert connection.answer().headers["connection"] == "close"
        assert connection.rest() == b""


def test_every_answer_has_a_date_and_none_names_the_server(port: int) -> None:
    for answer in (ask(port, get()), ask(port, "BAD\r\n\r\n"), ask(port, get("/raises"))):
        assert answer.headers["date"].endswith("gmt")
        assert "server" not in answer.headers


def test_head_states_the_length_and_sends_no_body(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/early", "HEAD") + get("/early"))
        head = connection.answer(head_only=True)
        assert (head.status, head.headers["content-length"]) == (401, "12")
        assert connection.answer().body == b"who are you?"


def test_head_states_no_length_that_is_not_known(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/nothing", "HEAD") + get("/nothing"))
        assert "content-length" not in connection.answer(head_only=True).headers
        assert connection.answer().headers["content-length"] == "0"


def test_204_has_neither_body_nor_length(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/empty") + get("/early"))
        assert connection.answer().headers.keys() == {"date"}
        assert connection.answer().status == 401


def test_a_streamed_answer_is_chunked(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/streams") + get("/early"))
        assert connection.answer().body == b"onetwo"
        assert connection.answer().status == 401


def test_a_streamed_answer_to_http_1_0_ends_with_the_connection(port: int) -> None:
    answer = ask(port, get("/streams", version="1.0"))
    assert (answer.body, "transfer-encoding" in answer.headers) == (b"onetwo", False)


@pytest.mark.parametrize("target", ["/raises", "/injects", "/lies", "/unread"])
def test_an_application_that_fails_is_a_500_without_its_reasons(
    port: int, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(port, get(target))
    assert answer.problem == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The server failed.",
        "request_id": answer.problem["request_id"],
    }
    assert target in caplog.text


def test_an_answer_that_breaks_in_the_middle_is_cut_not_completed(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/raises-midway"))
        assert not connection.rest().endswith(b"0\r\n\r\n")


def test_a_client_that_closed_its_side_after_the_request_gets_the_answer(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/slow") + get("/early"))
        connection.socket.shutdown(1)
        assert connection.answer().body == b"slow"
        assert connection.answer().status == 401
        assert connection.rest() == b""


@pytest.mark.parametrize("raw", ["GET /hello HT", post("abc")[:-1]])
def test_a_client_that_closed_its_side_in_the_middle_gets_a_400(port: int, raw: str) -> None:
    with wire(port) as connection:
        connection.send(raw)
        connection.socket.shutdown(1)
        assert connection.answer().status == 400
        assert connection.rest() == b""


def vanish(connection: Wire) -> None:
    """Close with a reset, as a killed client does."""
    connection.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER
    connection.socket.close()


@pytest.mark.parametrize("raw", [post("abc", target="/waits")[:-1], get("/waits"), get("/large")])
def test_a_client_that_vanishes_is_a_debug_line_without_a_trace(
    port: int, raw: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "multicloud.local")
    connection = Wire(port)
    connection.send(raw)
    wait_until(lambda: SEEN)
    vanish(connection)
    wait_until(lambda: caplog.records)
    assert {(record.levelname, record.exc_info) for record in caplog.records} == {("DEBUG", None)}
    assert ask(port, get()).status == 200


def test_a_client_that_does_not_read_does_not_fill_the_memory(port: int) -> None:
    with wire(port) as connection:
        connection.send(get("/large"))
        assert len(connection.answer().body) == 20_000_000
