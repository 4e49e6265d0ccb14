"""The guarded API of ``project/``, and its clients on every event shape."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from multicloud.runtime.recorder import Api
from multicloud.testing import TestClient
from tests.policies.issuer import Issuer

PROJECT = Path(__file__).with_name("project")
SHAPES = ("local", "aws", "aws-rest", "aws-url", "aws-alb", "gcp", "azure")
ORIGIN = "https://shop.example"

if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))


def guarded(issuer: Issuer) -> Api:
    """Return the API. Each call makes one with throttles and counts of its own."""
    import guarded_api

    api: Api = guarded_api.guarded(issuer.url)
    return api


@cache
def client(shape: str, issuer: Issuer) -> TestClient:
    """Return the client that tests share, which spend nothing of a throttle or quota."""
    return TestClient(guarded(issuer), shape)
