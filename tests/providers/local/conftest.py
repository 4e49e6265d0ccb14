from __future__ import annotations

from collections.abc import Iterator

import pytest

from multicloud_local.limits import Limits
from multicloud_local.server import background
from tests.providers.local.echo import SEEN, echo

QUICK = Limits(head_seconds=0.3, body_seconds=0.5, idle_seconds=0.3, linger_seconds=0.3, connections=4)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with the limits that users get."""
    with background(echo) as running:
        yield running.port


@pytest.fixture(scope="module")
def quick_port() -> Iterator[int]:
    """A server that loses its patience soon."""
    with background(echo, limits=QUICK) as running:
        yield running.port


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()
