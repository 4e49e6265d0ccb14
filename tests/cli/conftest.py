"""A project to run commands in, and the two ways to run them: in this process, and as the user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multicloud.cli import cli

APP = """\
from multicloud import Api, Function, Request, Response

print("said while importing")
orders = Function("orders")


@orders.get("/orders/{order_id}")
def read_order(order_id: str) -> dict[str, str]:
    print("said while answering")
    return {"order_id": order_id}


@orders.post("/orders")
def create_order(request: Request) -> Response:
    return Response({"got": request.json()}, 201, headers={"x-kind": request.headers.get("x-kind", "")})


api = Api("shop", functions=[orders], description="Ein Café.")


@api.get("/echo")
def echo(request: Request) -> dict[str, object]:
    return {"query": request.query.multi_items(), "type": request.headers.get("content-type"), "stage": request.stage}


@api.get("/bytes")
def raw() -> bytes:
    return b"\\xff\\x00"


@api.get("/broken")
def broken() -> None:
    raise RuntimeError("on purpose")


async def legacy(scope, receive, send) -> None:
    ...


api.mount("/legacy", legacy)
"""

Invoke = Callable[..., Result]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MULTICLOUD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one."""
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def project(folder: Path) -> Path:
    """Return the folder of a project, which is the current one."""
    (folder / "app.py").write_text(APP)
    (folder / "multicloud.toml").write_text('[stages.prod]\nprovider = "aws"\nregion = "eu-west-1"\n')
    return folder


@pytest.fixture
def invoke() -> Invoke:
    """Return a function that runs a command in this process."""
    return lambda *arguments: CliRunner().invoke(cli, arguments, prog_name="multicloud")


@pytest.fixture
def execute() -> Execute:
    """Return a function that runs a command as a process of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "multicloud.cli", *arguments], capture_output=True, text=True, timeout=60
        )

    return run
