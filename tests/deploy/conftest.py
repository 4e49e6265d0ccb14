from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.deploy.projects import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    found = Project.create(tmp_path / "project")
    monkeypatch.syspath_prepend(str(found.root))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return found


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that uv knows of, and a cache of its own."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return folder


@pytest.fixture
def uv_runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that dependencies started, as they are started."""
    from multicloud.deploy import dependencies

    runs: list[list[str]] = []
    start = dependencies.subprocess.Popen

    def recorded(command: list[str], **options: object) -> object:
        runs.append(command)
        return start(command, **options)

    monkeypatch.setattr(dependencies.subprocess, "Popen", recorded)
    return runs
