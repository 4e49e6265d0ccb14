"""``multicloud explain``: what each provider makes of the API, which gateway it leads to, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Execute, Invoke

APP = """\
from multicloud import Api, ApiKeyAuthorizer, Cors, Quota, PUBLIC

print("said while importing")
api = Api(
    "shop",
    cors=Cors(allow_origins=["https://a.example"]),
    authorizer=ApiKeyAuthorizer(keys={"partner": "partner-key"}),
    quota=Quota(10, "day"),
)


@api.get("/", authorizer=PUBLIC)
def read(limit: int = 1) -> dict:
    return {}
"""
REFUSED = """\
from multicloud import Api, Cdn, IamAuthorizer

api = Api("shop", authorizer=IamAuthorizer(), cdn=Cdn())


@api.get("/")
def read() -> dict:
    return {}
"""
USED = ["authorizer.api_key", "public", "cors", "quota", "validation"]


@pytest.fixture
def app(project: Path) -> Path:
    (project / "app.py").write_text(APP)
    return project


@pytest.fixture
def refused(project: Path) -> Path:
    (project / "app.py").write_text(REFUSED)
    return project


@pytest.mark.usefixtures("app")
def test_each_provider_is_explained_as_json(invoke: Invoke) -> None:
    result = invoke("explain", "--json")
    assert result.exit_code == 0, result.output
    explained = {one["provider"]: one for one in json.loads(result.stdout)}
    assert list(explained) == ["aws", "azure", "gcp", "local"]
    for one in explained.values():
        assert [feature["feature"] for feature in one["features"]] == USED
        assert one["why"]
    assert explained["aws"]["gateway"] == "REST API"
    assert explained["aws"]["features"][USED.index("quota")]["level"] == "native"
    assert explained["gcp"]["features"][USED.index("quota")]["level"] == "emulated"


@pytest.mark.usefixtures("app")
def test_a_provider_or_the_one_of_a_stage_is_explained_alone(invoke: Invoke) -> None:
    of_stage, of_provider = (
        invoke("explain", "--stage", "prod", "--json"),
        invoke("explain", "--provider", "aws", "--json"),
    )
    assert json.loads(of_stage.stdout) == json.loads(of_provider.stdout)
    assert [one["provider"] for one in json.loads(of_stage.stdout)] == ["aws"]


@pytest.mark.usefixtures("app")
def test_a_pipe_gets_one_plain_line_for_each_feature(execute: Execute) -> None:
    done = execute("explain", "--provider", "azure")
    assert done.returncode == 0
    first, blank, head, *rows = done.stdout.splitlines()
    assert first.startswith("azure: API Management, because it limits each API key")
    assert (blank, head.split()) == ("", ["provider", "feature", "level", "note"])
    assert [row.split()[:2] for row in rows] == [["azure", feature] for feature in USED]
    assert done.stderr == "said while importing\n"


@pytest.mark.usefixtures("app")
def test_a_terminal_gets_a_frame(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "multicloud.cli", "explain", "--provider", "local"],
        stdout=child,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(child)
    shown = b""
    while b"validation" not in shown:
        shown += os.read(parent, 65536)
    os.close(parent)
    assert "│".encode() in shown


@pytest.mark.usefixtures("refused")
def test_what_is_refused_exits_with_1_and_says_what_to_do(invoke: Invoke) -> None:
    result = invoke("explain", "--provider", "aws")
    assert result.exit_code == 1
    assert "aws: CloudFront before an HTTP API, because it has a Cdn" in result.stdout
    assert "refused" in result.stdout
    assert "use JwtAuthorizer" in result.stdout
    assert invoke("explain", "--json").exit_code == 1


@pytest.mark.usefixtures("project")
def test_an_api_without_features_says_so(invoke: Invoke) -> None:
    result = invoke("explain", "--provider", "aws")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "The API uses no feature that gateways differ in."


@pytest.mark.usefixtures("app")
def test_wrong_names_are_told_with_the_nearest(invoke: Invoke) -> None:
    result = invoke("explain", "--provider", "asw")
    assert result.exit_code == 2
    assert "aws" in result.stderr
    assert invoke("explain", "--stage", "nowhere").exit_code == 2
    both = invoke("explain", "--stage", "prod", "--provider", "aws")
    assert (both.exit_code, "leave one out" in both.stderr) == (2, True)
