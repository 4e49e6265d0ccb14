"""The clouds' own runtimes, one process each for a worker's whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.runtimes import Runtimes


@pytest.fixture(scope="session")
def runtimes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtimes]:
    folder: Path = tmp_path_factory.mktemp("bundles")
    running = Runtimes(folder)
    yield running
    running.stop()
