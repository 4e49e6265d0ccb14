from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.policies.issuer import Issuer
from tests.policies.wrong_credentials import KEY


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    found = Issuer()
    yield found
    found.stop()


@pytest.fixture
def own_issuer() -> Iterator[Issuer]:
    """An issuer that a test may change."""
    found = Issuer()
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICLOUD_SECRET_PARTNER_KEY", KEY)
    monkeypatch.setenv("MULTICLOUD_SECRET_ROBOT_KEY", "robot-0123456789-0123456789-0123456789")
