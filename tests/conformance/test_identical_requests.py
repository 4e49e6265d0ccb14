"""Random requests give the same answer, and with it the same canonical request, through every event shape.

MULTICLOUD_CONFORMANCE_EXCHANGES sets how many exchanges are made in all; 20,000 by default.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from multicloud.provider import HttpRequest
from tests.conformance.case import SHAPES, canonical_answer
from tests.conformance.requests import THEMES
from tests.conformance.runtimes import client

EXCHANGES = int(os.environ.get("MULTICLOUD_CONFORMANCE_EXCHANGES", "20000"))
APIS = ("api", "bare")
EXAMPLES = max(1, EXCHANGES // (len(SHAPES) * len(THEMES) * len(APIS)))
UNORDERED = ("aws-rest", "aws-alb")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("theme", THEMES)
def test_a_request_is_the_same_through_every_shape(theme: str, api: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(THEMES[theme])
    def check(request: HttpRequest) -> None:
        answers = {shape: canonical_answer(client(api, shape).send(request), request.method) for shape in SHAPES}
        for shape, answer in answers.items():
            if shape in UNORDERED:
                assert grouped(answer) == grouped(answers["local"]), shape
            else:
                assert answer == answers["local"], shape

    check()


def grouped(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an echo with its query as platforms deliver it that know no order between names."""
    try:
        echo = json.loads(answer["body"])
        pairs = echo["query"]
        names = list(dict.fromkeys(name for name, _ in pairs))
    except (ValueError, TypeError, KeyError):
        return answer  # no echo
    echo["query"] = [[name, value] for wanted in names for name, value in pairs if name == wanted]
    body = json.dumps(echo, ensure_ascii=False, separators=(",", ":"))
    return {**answer, "body": body.encode("utf-8")}
