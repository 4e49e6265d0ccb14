"""Every case over a socket, through the clouds' own Python runtimes and the local gateway."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any

import pytest

from multicloud.provider import HttpRequest
from tests.conformance.case import PROCESSES, Case, canonical_answer, load_cases, mismatches
from tests.conformance.runtimes import Runtimes

CASES = [case for case in load_cases() if case.api == "api"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_runtime_gives_the_one_answer(case: Case, runtimes: Runtimes) -> None:
    found: list[str] = []
    answers = {}
    for process in PROCESSES:
        expected = case.expected_on(process)
        if "unsent" in expected:
            continue
        try:
            answer = runtimes.exchange(process)(case.request)
        except (OSError, HTTPException) as error:
            found.append(f"{process}: no answer: {error!r}")
            continue
        found += [f"{process}: {line}" for line in mismatches(case, process, answer)]
        if case.difference(process) is None:
            answers[process] = canonical_answer(answer, case.request.method)
    if not found:
        first, *others = answers
        found = [line for other in others for line in differences(first, answers[first], other, answers[other])]
    assert not found, "\n".join([case.rule, *found])


@pytest.mark.parametrize("process", PROCESSES)
def test_a_chunked_body_arrives(process: str, runtimes: Runtimes) -> None:
    headers = (("Transfer-Encoding", "chunked"), ("Content-Type", "text/plain"))
    body = b"3\r\none\r\n3;x=y\r\ntwo\r\n0\r\n\r\n"
    answer = runtimes.exchange(process)(HttpRequest("POST", "/echo", headers, body))
    # The Functions host passes no body on that states no length (CONTRACT.md, section 2).
    assert json.loads(answer.body)["text"] == ("" if process == "azure-process" else "onetwo")


@pytest.mark.parametrize("process", [process for process in PROCESSES if process != "azure-process"])
def test_a_chunked_body_past_the_limit_is_refused(process: str, runtimes: Runtimes) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    headers = (("Transfer-Encoding", "chunked"),)
    answer = runtimes.exchange(process)(HttpRequest("POST", "/write-only", headers, chunk * 4 + b"1\r\nx\r\n0\r\n\r\n"))
    assert answer.status_code == 413
    assert json.loads(answer.body)["title"] == "Content Too Large"


def differences(first: str, one: dict[str, Any], other: str, another: dict[str, Any]) -> list[str]:
    return [
        f"{key}: {one.get(key)!r} of {first}, {another.get(key)!r} of {other}"
        for key in sorted({*one, *another})
        if one.get(key) != another.get(key)
    ]
