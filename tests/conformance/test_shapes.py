"""Every case through every event shape, in this process."""

from __future__ import annotations

import pytest

from multicloud.provider import HttpRequest
from tests.conformance.case import PROCESSES, SHAPES, Case, load_cases, load_gaps, mismatches
from tests.conformance.runtimes import client

CASES = load_cases()
PAIRS = [
    pytest.param(case, shape, id=f"{case.id}-{shape}")
    for case in CASES
    for shape in SHAPES
    if "unsent" not in case.expected_on(shape)  # an answer that a platform cuts short has no whole to compare
]


@pytest.mark.parametrize(("case", "shape"), PAIRS)
def test_a_shape_gives_the_one_answer(case: Case, shape: str) -> None:
    answer = client(case.api, shape).send(case.request)
    assert not (found := mismatches(case, shape, answer)), "\n".join([case.rule, *found])


@pytest.mark.parametrize("shape", ["aws", "azure"])
def test_a_background_task_ends_before_the_answer_where_the_instance_may_be_frozen_after_it(shape: str) -> None:
    sender = client("api", shape)
    import conformance_mounts

    conformance_mounts.finished.clear()
    assert sender.send(HttpRequest("GET", "/asgi/background")).status_code == 200
    assert conformance_mounts.finished == ["background"]


def test_every_gap_is_used_and_differs_from_the_rule() -> None:
    used = {difference.gap for case in CASES for difference in case.differences}
    assert used == load_gaps().keys()
    for case in CASES:
        platforms = [platform for difference in case.differences for platform in difference.where]
        assert len(platforms) == len(set(platforms)), case.id
        assert set(platforms) < {*SHAPES, *PROCESSES}, f"{case.id}: an exception everywhere is no exception"
        for difference in case.differences:
            assert any(case.expected.get(key) != value for key, value in difference.expected.items()), case.id
