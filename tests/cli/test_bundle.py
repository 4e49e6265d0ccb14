"""``multicloud bundle``: zips on disk, their list on standard output, all else on standard error."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Execute, Invoke

CLOUDS = """\
[stages.prod]
provider = "aws"
python = "3.12"
[stages.backup]
provider = "gcp"
[stages.third]
provider = "azure"
"""


@pytest.fixture(autouse=True)
def clouds(project: Path) -> Path:
    """Return the project's folder, with a stage on each cloud."""
    (project / "multicloud.toml").write_text(CLOUDS)
    return project


@pytest.mark.parametrize(
    ("stage", "provider", "member"),
    [
        ("prod", "aws", "multicloud_aws/runtime.pyc"),
        ("backup", "gcp", "multicloud_gcp/runtime.pyc"),
        ("third", "azure", ".python_packages/lib/site-packages/multicloud_azure/runtime.pyc"),
    ],
)
def test_each_function_s_zip_is_written_as_the_stage_s_cloud_wants_it(
    clouds: Path, invoke: Invoke, stage: str, provider: str, member: str
) -> None:
    result = invoke("bundle", stage, "--output", "out", "--json")
    assert result.exit_code == 0, result.stderr
    listed = json.loads(result.stdout)
    assert listed["output"] == str(clouds / "out")
    assert [entry["name"] for entry in listed["functions"]] == ["shop", "orders"]
    for entry in listed["functions"]:
        file = clouds / "out" / entry["file"]
        assert entry["provider"] == provider
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        assert {"app.py", member} <= set(zipfile.ZipFile(file).namelist())
    manifest = json.loads((clouds / "out" / "manifest.json").read_text())
    assert manifest["functions"] == listed["functions"]


def test_the_table_names_each_file_and_the_stage_s_python(clouds: Path, execute: Execute) -> None:
    ended = execute("bundle", "prod", "--output", "out")
    assert ended.returncode == 0, ended.stderr
    header, *rows = [line.split() for line in ended.stdout.splitlines()]
    assert header == ["function", "file", "bytes", "unzipped", "python", "architecture", "entry", "point"]
    assert [row[0] for row in rows] == ["shop", "orders"]
    assert [row[4] for row in rows] == ["3.12", "3.12"]
    assert all((clouds / row[1]).is_file() for row in rows)
    assert "said while importing" in ended.stderr


def test_an_option_decides_the_python(invoke: Invoke) -> None:
    result = invoke("bundle", "prod", "--output", "out", "--json", "--python", "3.13")
    assert {entry["python_version"] for entry in json.loads(result.stdout)["functions"]} == {"3.13"}


def test_notices_are_on_stderr(clouds: Path, invoke: Invoke) -> None:
    (clouds / "old.py").write_text("print 'Python 2'\n")
    result = invoke("bundle", "prod", "--output", "out", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert "note: old.py does not compile" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("bundle", "prod"), 2, "Missing option '--output'"),
        (("bundle", "--output", "out"), 2, "Missing argument 'STAGE'"),
        (("bundle", "prdo", "--output", "out"), 2, "got 'prdo'; did you mean 'prod'?"),
        (("bundle", "prod", "--output", "out", "--python", "3.5"), 2, "--python: expected a Python that aws runs"),
        (("bundle", "prod", "--output", "app.py"), 2, "'app.py' is a file"),
        (("bundle", "local", "--output", "out"), 1, "provider local runs functions where they are"),
    ],
)
def test_what_cannot_be_bundled_is_told(
    clouds: Path, invoke: Invoke, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = invoke(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert not (clouds / "out").exists()


def test_what_the_cloud_refuses_is_told_before_anything_is_written(clouds: Path, invoke: Invoke) -> None:
    app = (clouds / "app.py").read_text().replace("import Api,", "import Api, IamAuthorizer,")
    (clouds / "app.py").write_text(app.replace('Api("shop",', 'Api("shop", authorizer=IamAuthorizer(),'))
    result = invoke("bundle", "backup", "--output", "out")
    assert result.exit_code == 2
    assert "api shop: authorizer.iam: expected a feature that gcp realises" in result.stderr
    assert not (clouds / "out").exists()
