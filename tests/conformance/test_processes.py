"""Every case over a socket, through the clouds' own Python runtimes and the local gateway."""

from __future__ import annotations

from http.client import HTTPException
from typing import Any

import pytest

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


def differences(first: str, one: dict[str, Any], other: str, another: dict[str, Any]) -> list[str]:
    return [
        f"{key}: {one.get(key)!r} of {first}, {another.get(key)!r} of {other}"
        for key in sorted({*one, *another})
        if one.get(key) != another.get(key)
    ]
