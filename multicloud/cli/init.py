"""``multicloud init``: a new project that runs, is tested, and can be bundled for a cloud by naming it."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from multicloud.errors import ConfigError, Problem
from multicloud.project import project_name
from multicloud.project.settings import PROJECT_SETTINGS

APP = '''\
"""The API: one file is enough."""

from multicloud import Api, Request

api = Api("{name}")


@api.get("/hello/{{who}}")
def hello(request: Request, who: str) -> dict[str, str]:
    """Greet someone by name."""
    return {{"message": f"Hello, {{who}}!"}}
'''

CONFIG = """\
[project]
name = "{name}"
api = "app:api"               # module:attribute, or the path of an OpenAPI document
provider = "local"            # the default for every stage

[stages.prod]
provider = "aws"              # switching cloud is this line: aws, gcp, azure
region = "eu-west-1"
"""

TEST_APP = '''\
"""What the API promises. A test that takes ``client`` runs once on each cloud's event shape that is named here."""

import pytest

pytestmark = pytest.mark.providers("local", "aws")


@pytest.fixture
def api():
    from app import api

    return api


def test_greets_by_name(client):
    response = client.get("/hello/Ada")
    assert response.status_code == 200
    assert response.json() == {"message": "Hello, Ada!"}


def test_an_unknown_path_is_a_problem_document(client):
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
'''

PYTEST_INI = """\
[pytest]
pythonpath = .
testpaths = tests
"""

GITIGNORE = """\
.multicloud/
.venv/
__pycache__/
.pytest_cache/
"""

FILES = {
    "app.py": APP,
    "multicloud.toml": CONFIG,
    "tests/test_app.py": TEST_APP,
    "pytest.ini": PYTEST_INI,
    ".gitignore": GITIGNORE,
}


@click.command()
@click.argument("directory", default=".", metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="The project's name.  [default: the folder's]")
def command(directory: Path, name: str | None) -> None:
    """Write a new project that runs.

    Into DIR, which is made if need be, or the current folder. Never overwrites a file.
    """
    name = name or project_name(directory.resolve())
    problems = [Problem("--name", problem.expected, problem.got) for problem in PROJECT_SETTINGS["name"](name)]
    present = [file for file in FILES if (directory / file).exists()]
    if present:
        hint = "move it away or choose another folder"
        problems.append(Problem(str(directory), "a folder without the files to write", ", ".join(present), hint))
    if problems:
        raise ConfigError(problems)
    for file, template in FILES.items():
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text(template.format(name=name) if file in _NAMED else template, "utf-8")
        click.echo(f"wrote {directory / file}", err=True)
    change = "" if directory.resolve() == Path.cwd() else f"cd {shlex.quote(str(directory))} && "
    click.echo(f"\nServe it:  {change}multicloud run\nTest it:   {change}python -m pytest", err=True)


_NAMED = ("app.py", "multicloud.toml")
