from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from multicloud_local.access_log import PENDING, VALUE_CHARACTERS, RequestLog


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(
    stream: io.StringIO, target: bytes = b"/a?b=c", method: str = "GET", status: int = 200, scope: Any = None
) -> str:
    log = RequestLog(stream)
    log.record(method, target, status, 1.25, "127.0.0.1", scope or {})
    assert stream.getvalue() == "", "formatting belongs to the flush"
    log.flush()
    return stream.getvalue()


def test_away_from_a_terminal_a_record_is_a_line_of_json() -> None:
    record = json.loads(logged(io.StringIO(), scope={"multicloud.request_id": "r-1"}))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("time"))
    assert record == {
        "method": "GET", "path": "/a?b=c", "status": 200, "ms": 1.25, "client": "127.0.0.1", "request_id": "r-1",
    }  # fmt: skip


@pytest.mark.parametrize(("status", "colour"), [(200, 32), (301, 36), (404, 33), (500, 31)])
def test_on_a_terminal_a_record_is_columns_coloured_by_status(status: int, colour: int) -> None:
    line = logged(Terminal(), status=status)
    assert f"\x1b[{colour}m{status}\x1b[0m" in line
    assert re.sub("\x1b\\[[0-9]+m", "", line).split() == ["GET", str(status), "1.2", "ms", "/a?b=c"]


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize(
    "hostile", ["\r\n{}", "\x1b[2J", "\x9b31m", "\u2028", "\u2029", "\x00", "\x7f", "\u202e", "\ud800", '"}\n{"a":"b']
)
def test_nothing_hostile_reaches_the_log_as_it_is(stream: type[io.StringIO], hostile: str) -> None:
    for line in (logged(stream(), method=f"A{hostile}B"), logged(stream(), hostile.encode("utf-8", "surrogatepass"))):
        plain = re.sub("\x1b\\[[0-9]+m", "", line)
        assert plain.count("\n") == 1
        assert len(plain.splitlines()) == 1
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e\ud800]", plain)
        if stream is io.StringIO:
            json.loads(plain)


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize("byte", [b"a", b"\x1b"])
def test_a_value_of_a_megabyte_is_cut(stream: type[io.StringIO], byte: bytes) -> None:
    assert len(logged(stream(), byte * 1_000_000)) < 2 * VALUE_CHARACTERS + 200


def test_many_records_do_not_wait_for_the_clock() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    for _ in range(PENDING):
        log.record("GET", b"/", 200, 1.0, "", {})
    assert stream.getvalue().count("\n") == PENDING


def test_a_reader_of_the_log_that_left_does_not_stop_the_server() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    stream.close()
    for _ in range(2 * PENDING):
        log.record("GET", b"/", 200, 1.0, "", {})
    log.flush()
    assert log.pending == []
