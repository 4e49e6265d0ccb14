from __future__ import annotations

import _thread
import json
import logging
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime.logs import ERROR, MAX_VALUE_CHARS, log, log_failure
from multicloud.runtime.overruns import WARN_AT, Overruns
from tests.runtime.applications import WATCHDOG_SECONDS, PlainRequest

HOSTILE = [
    "a\r\nERROR forged",
    "\x1b[31mred",
    "\u2028forged\u2029",
    '"}\n{"message": "forged"}',
    "\0\x85\x0b\x0c",
    "\ud800",
]


@pytest.fixture
def records():
    """The messages that the runtime logs, as a formatter without layout writes them."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(self.format(record))

    logger, handler = logging.getLogger("multicloud"), Keep()
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_client_sends_a_record_is_one_line(text, records):
    request = PlainRequest("GET", "/")
    request.path, request.method = "/" + text, text
    log(ERROR, text, request, field=text, **{"odd\n": 1})
    try:
        raise ValueError(text)
    except ValueError as error:
        log_failure(request, error)
    assert len(records) == 2
    for record in records:
        assert record.isascii()
        assert record.isprintable()
        assert len(record.splitlines()) == 1
    assert json.loads(records[0]) == {
        "message": text,
        "request_id": request.request_id,
        "method": text,
        "path": "/" + text,
        "field": text,
        "odd\n": 1,
    }


@given(st.text(max_size=40))
def test_a_record_reads_back_what_went_in(text):
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("multicloud")
    logger.addHandler(handler)
    try:
        log(ERROR, "m", PlainRequest(), field=text)
    finally:
        logger.removeHandler(handler)
    assert json.loads(found[0])["field"] == text


def test_long_values_are_cut(records):
    log(ERROR, "x" * 5000, PlainRequest(), field="y" * 1_000_000, short="z" * MAX_VALUE_CHARS)
    record = json.loads(records[0])
    assert record["field"] == "y" * MAX_VALUE_CHARS + "..."
    assert len(record["message"]) == MAX_VALUE_CHARS + 3
    assert record["short"] == "z" * MAX_VALUE_CHARS


def test_a_failure_s_record_is_bounded_whatever_was_raised(records):
    def deep(number):
        if number == 0:
            raise ValueError("v" * 1_000_000)
        deep(number - 1)

    with pytest.raises(ValueError, match="v") as caught:
        deep(200)
    log_failure(PlainRequest(), caught.value)
    assert len(records[0]) < 16 * MAX_VALUE_CHARS


def test_values_that_json_does_not_know_are_shown(records):
    log(ERROR, "m", PlainRequest(), field=b"bytes")
    assert json.loads(records[0])["field"] == "b'bytes'"


# Overruns.


def wait_for(records, count, seconds=5):
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return [json.loads(record) for record in records]


def test_a_request_that_has_used_ninety_percent_of_its_time_is_warned_of_once(records):
    overruns, request = Overruns(0.2), PlainRequest("GET", "/slow")
    started = time.monotonic()
    overruns.begin(request, 0.2)
    (record,) = wait_for(records, 1)
    assert time.monotonic() - started >= 0.2 * WARN_AT
    assert (record["message"], record["path"]) == ("a request has used 90 % of its time", "/slow")
    assert record["request_id"] == request.request_id
    overruns.end(request)
    time.sleep(0.25)
    assert len(records) == 1


def test_a_request_that_ends_in_time_is_not_warned_of(records):
    overruns, late = Overruns(0.1), PlainRequest("GET", "/late")
    for _ in range(3):
        quick = PlainRequest("GET", "/quick")
        overruns.begin(quick, 0.1)
        overruns.end(quick)
    overruns.begin(late, 0.1)
    assert [record["path"] for record in wait_for(records, 1)] == ["/late"]


def test_requests_with_their_own_timeouts_share_one_thread(records):
    before = _thread._count()
    overruns = Overruns(0.1)
    for seconds in (0.3, 0.1, 30):
        overruns.begin(PlainRequest("GET", f"/{seconds}"), seconds)
    assert [record["path"] for record in wait_for(records, 2)] == ["/0.1", "/0.3"]
    assert _thread._count() == before + 1


def test_the_watch_does_not_keep_a_process_from_ending():
    program = "from multicloud.runtime.overruns import Overruns; Overruns(3600).begin(object(), 3600)"
    assert subprocess.run([sys.executable, "-c", program], timeout=WATCHDOG_SECONDS).returncode == 0
