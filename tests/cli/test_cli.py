"""The command line as a whole: help, start, exit codes, and how errors are told."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from multicloud.cli import COMMANDS, LazyGroup, cli
from tests.cli.conftest import Execute, Invoke

LOADED = """\
import sys
from multicloud.cli import cli
try:
    cli({arguments!r}, prog_name="multicloud")
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


def modules_after(*arguments: str) -> set[str]:
    """Return the modules that a command has imported when it ends."""
    script = LOADED.format(arguments=list(arguments))
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(ended.stderr.splitlines()[-1].split())


def test_help_lists_every_command_with_its_summary(invoke: Invoke) -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for name, summary in COMMANDS.items():
        assert f"{name} " in result.stdout
        assert summary in result.stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_summary_of_a_command_is_the_first_line_of_its_help(name: str) -> None:
    assert isinstance(cli, LazyGroup)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name]


def test_help_imports_no_sdk_no_server_and_no_command() -> None:
    loaded = modules_after("--help")
    heavy = ("attr", "attrs", "rich", "yaml", "uvicorn", "uv", "httptools", "asyncio", "ssl", "importlib.metadata",
             "flask", "functions_framework", "azure", "awslambdaric", "multicloud_aws", "multicloud_azure",
             "multicloud_gcp", "multicloud_local", "multicloud.model", "multicloud.runtime")  # fmt: skip
    assert not {name for name in loaded for one in heavy if name == one or name.startswith(f"{one}.")}
    assert {name for name in loaded if name.startswith("multicloud")} == {"multicloud", "multicloud.cli"}


def test_listing_routes_in_a_pipe_imports_no_sdk_no_server_and_no_table(project: Path) -> None:
    loaded = modules_after("routes")
    assert not loaded & {"rich", "yaml", "uvicorn", "uv", "flask", "azure.functions", "multicloud_local.server"}


def test_help_answers_at_once(execute: Execute) -> None:
    # Processor time: start is nothing but computing, and other tests that run meanwhile must not count.
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert execute("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.15


def test_version_is_the_installed_one(execute: Execute) -> None:
    assert execute("--version").stdout == f"multicloud {version('multicloud')}\n"


@pytest.mark.parametrize(("name", "hint"), [("ruote", " Did you mean 'routes'?"), ("xyz", "")])
def test_an_unknown_command_is_told_with_the_nearest(invoke: Invoke, name: str, hint: str) -> None:
    result = invoke(name)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: No such command '{name}'.{hint}\n")
    assert result.stdout == ""


def test_a_wrong_configuration_is_one_message_and_exit_code_2(project: Path, execute: Execute) -> None:
    (project / "multicloud.toml").write_text("[stages.prod]\nregon = 1\n")
    ended = execute("routes", "--json")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "Error: the configuration is not valid:\n"
        "  - multicloud.toml: stages.prod.regon: expected a known setting, got 'regon'; did you mean 'region'?\n"
    )


def test_an_error_in_the_users_module_is_one_message_and_exit_code_2(project: Path, execute: Execute) -> None:
    (project / "app.py").write_text("\nraise ValueError('no database')\n")
    ended = execute("routes")
    assert ended.returncode == 2
    assert ended.stderr == (
        "Error: the API definition is not valid:\n"
        "  - app.py:2: expected the module 'app' to import, got ValueError: no database\n"
    )


def test_no_project_is_one_message_that_says_what_to_do(folder: Path, invoke: Invoke) -> None:
    result = invoke("routes")
    assert result.exit_code == 2
    assert "make one with 'multicloud init', or change to its folder" in result.stderr


def test_an_error_of_the_system_is_one_message_and_exit_code_1(folder: Path, invoke: Invoke) -> None:
    (folder / "file").touch()
    result = invoke("init", "file/below")
    assert result.exit_code == 1
    assert result.stderr == "Error: file/below: Not a directory\n"


def test_a_bug_is_not_hidden(project: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("multicloud.project.Project.definition", fail)
    assert isinstance(invoke("routes").exception, KeyError)


def test_a_reader_that_leaves_early_is_no_error(project: Path) -> None:
    # The pipe's reading end is closed before the command writes: what `multicloud routes | true` comes to.
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "multicloud.cli", "openapi"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writer)
    assert "Traceback" not in ended.stderr


# Commands that print the definition.


def test_routes_lists_methods_paths_functions_and_mounts(project: Path, invoke: Invoke) -> None:
    result = invoke("routes")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["method", "path", "function", "operation_id", "authorizer"],
        ["GET", "/echo", "shop", "echo"],
        ["GET", "/bytes", "shop", "raw"],
        ["GET", "/broken", "shop", "broken"],
        ["ASGI", "/legacy", "shop"],
        ["GET", "/orders/{order_id}", "orders", "read_order"],
        ["POST", "/orders", "orders", "create_order"],
    ]


def test_what_the_users_code_prints_does_not_spoil_the_data(project: Path, execute: Execute) -> None:
    ended = execute("routes", "--json")
    assert json.loads(ended.stdout)[3] == {
        "method": "ASGI", "path": "/legacy", "function": "shop", "operation_id": None, "authorizer": [],
    }  # fmt: skip
    assert ended.stderr == "said while importing\n"


def test_routes_names_who_may_call(folder: Path, invoke: Invoke) -> None:
    (folder / "app.py").write_text(
        "from multicloud import PUBLIC, Api, JwtAuthorizer\n"
        "api = Api('shop', authorizer=JwtAuthorizer(issuer='https://id.example.com/', audience=['shop']))\n"
        "@api.get('/a')\ndef a(): ...\n"
        "@api.get('/b', authorizer=PUBLIC)\ndef b(): ...\n"
    )
    assert [row["authorizer"] for row in json.loads(invoke("routes", "--json").stdout)] == [["JwtAuthorizer"], []]


def test_a_table_on_a_terminal_shows_brackets_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from multicloud.cli.output import print_table

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    print_table(("path",), [("/[red]x[/red]",)])
    assert "│ /[red]x[/red] │" in capsys.readouterr().out


def test_openapi_prints_json_or_yaml_of_the_same_document(project: Path, invoke: Invoke) -> None:
    import yaml

    as_json, as_yaml = invoke("openapi").stdout, invoke("openapi", "--format", "yaml").stdout
    document = json.loads(as_json)
    assert document["openapi"] == "3.1.0"
    assert [*document["paths"]] == ["/echo", "/bytes", "/broken", "/orders/{order_id}", "/orders"]
    assert yaml.safe_load(as_yaml) == document
    assert "Café" in as_json
    assert "Café" in as_yaml
    assert "&id" not in as_yaml


def test_openapi_refuses_another_format(project: Path, invoke: Invoke) -> None:
    result = invoke("openapi", "--format", "xml")
    assert result.exit_code == 2
    assert "'xml' is not one of 'json', 'yaml'" in result.stderr
