"""``multicloud init``: what it writes runs, and it never overwrites."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from multicloud.project import Project
from tests.cli.conftest import Execute, Invoke

WRITTEN = ["app.py", "multicloud.toml", "tests/test_app.py", "pytest.ini", ".gitignore"]


def test_it_names_what_it_writes_and_what_to_do_next(folder: Path, invoke: Invoke) -> None:
    result = invoke("init", "new/shop")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        *(f"wrote new/shop/{name}" for name in WRITTEN),
        "",
        "Serve it:  cd new/shop && multicloud run",
        "Test it:   cd new/shop && python -m pytest",
    ]
    assert all((folder / "new/shop" / name).is_file() for name in WRITTEN)


def test_the_project_is_named_as_its_folder_or_as_told(folder: Path, invoke: Invoke) -> None:
    assert "Serve it:  multicloud run\n" in invoke("init").stderr
    assert Project.load().name == Project.load().definition().name == "shop"
    assert "cd 'Other Shop' && multicloud run\n" in invoke("init", "Other Shop").stderr
    assert Project.load("Other Shop/multicloud.toml").name == "other-shop"
    invoke("init", "third", "--name", "pets")
    assert Project.load("third/multicloud.toml").definition().name == "pets"


def test_its_own_tests_pass_offline(folder: Path, execute: Execute) -> None:
    assert execute("init").returncode == 0
    # A proxy that nobody listens on: whatever left the machine would fail.
    environment = {**os.environ, **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    assert "4 passed" in ended.stdout


def test_its_own_tests_fail_when_the_app_breaks(folder: Path, execute: Execute) -> None:
    execute("init")
    app = folder / "app.py"
    app.write_text(app.read_text().replace("Hello", "Bye"))
    ended = subprocess.run([sys.executable, "-m", "pytest"], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert "2 failed, 2 passed" in ended.stdout


def test_what_it_writes_can_be_asked_at_once(folder: Path, execute: Execute) -> None:
    execute("init")
    assert execute("invoke", "GET /hello/Ada").stdout == '{"message":"Hello, Ada!"}'


def test_its_python_is_of_the_house_s_style(folder: Path, invoke: Invoke) -> None:
    invoke("init")
    rules = ["--isolated", "--line-length", "120", "--select", "D1,E,F,I,UP,W"]
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *rules, "app.py"], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stdout


def test_it_refuses_to_overwrite_names_the_files_and_writes_nothing(folder: Path, invoke: Invoke) -> None:
    (folder / "app.py").write_text("mine")
    (folder / ".gitignore").write_text("mine")
    result = invoke("init")
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "  - .: expected a folder without the files to write, got app.py, .gitignore; "
        "move it away or choose another folder\n"
    )
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "app.py"]
    assert (folder / "app.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["My Shop", "1st", "x" * 41])
def test_a_name_that_no_cloud_takes_is_refused(folder: Path, invoke: Invoke, name: str) -> None:
    result = invoke("init", "--name", name)
    assert result.exit_code == 2
    assert "--name: expected 1 to 40 lower-case letters, digits and inner hyphens, a letter first" in result.stderr
    assert not list(folder.iterdir())
