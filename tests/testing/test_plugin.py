"""The plugin as a user's own suite meets it: a pytest process of its own in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import pytest
from multicloud import Api

@pytest.fixture
def api():
    api = Api("mine")
    api.get("/provider")(lambda request: request.provider)
    return api

def test_hello(client):
    assert client.get("/provider").text in ("local", "aws", "gcp", "azure")

@pytest.mark.providers("local", "aws-alb")
def test_narrowed(client):
    assert client.get("/provider").text in ("local", "aws")

def test_without_a_client():
    pass
"""


def run(folder: Path, suite: str, *arguments: str, setup: str = ""):
    (folder / "test_mine.py").write_text(suite)
    (folder / "conftest.py").write_text(setup)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "--strict-markers"]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), *arguments], capture_output=True, text=True, cwd=folder, env=environment
    )
    return done.returncode, done.stdout + done.stderr


def test_a_test_that_takes_client_runs_once_for_each_event_shape_and_the_marker_names_fewer(tmp_path):
    code, output = run(tmp_path, SUITE, "-v")
    assert code == 0, output
    assert re.findall(r"::(\S+) PASSED", output) == [
        *(f"test_hello[{shape}]" for shape in ("local", "aws", "aws-rest", "gcp", "azure")),
        "test_narrowed[local]",
        "test_narrowed[aws-alb]",
        "test_without_a_client",
    ]


@pytest.mark.parametrize(("module", "shape"), [("flask", "gcp"), ("azure.functions", "azure")])
def test_a_missing_package_fails_with_the_command_that_installs_it(tmp_path, module, shape):
    code, output = run(
        tmp_path, SUITE, "-k", f"hello and ({shape} or local)", setup=f"import sys\nsys.modules[{module!r}] = None\n"
    )
    assert code == 1
    assert re.search(r"1 passed, .*1 error", output), output
    expected = f"{module} is not installed: pip install 'multicloud[{shape}]', or mark the test with providers(...)"
    assert expected in output


def test_an_unknown_shape_in_the_marker_is_told(tmp_path):
    suite = SUITE.replace('"aws-alb"', '"aws-xml"')
    code, output = run(tmp_path, suite, "-k", "narrowed")
    assert code == 1
    assert "no event shape 'aws-xml'; aws has aws, aws-rest, aws-url, aws-alb\n" in output
    assert "Traceback" not in output


def test_an_api_that_is_none_is_told(tmp_path):
    suite = "import pytest\n@pytest.fixture\ndef api(): return 5\ndef test_it(client): pass\n"
    code, output = run(tmp_path, suite, "-k", "local")
    assert code == 1
    assert "\nthe API definition is not valid:\n  - api: expected an Api, got 5" in output


def test_the_marker_is_known(tmp_path):
    code, output = run(tmp_path, "def test_nothing(): pass\n", "--markers")
    assert code == 0
    assert "@pytest.mark.providers(*shapes)" in output


def test_a_suite_that_does_not_test_an_api_loads_nothing_of_the_sdk(tmp_path):
    suite = "import sys\ndef test_it(): assert not {'multicloud.model', 'multicloud.deploy'} & set(sys.modules)\n"
    code, output = run(tmp_path, suite, "-p", "no:hypothesispytest")
    assert code == 0, output
