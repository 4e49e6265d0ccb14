"""What ``from multicloud import ...`` offers: to a type checker, to Python, and inside a function."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import multicloud
from multicloud.model import policies
from multicloud.runtime.errors import CLASSES


def declared():
    """Return name -> module of the imports that only a type checker executes."""
    tree = ast.parse(Path(multicloud.__file__).read_text())
    (block,) = [
        node for node in tree.body if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    return {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }


NAMES = declared()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_name_is_what_its_module_holds_under_it(name):
    assert getattr(multicloud, name) is getattr(import_module(NAMES[name]), name)


def test_every_error_class_is_declared_but_the_one_that_would_hide_a_builtin():
    assert {name for name in CLASSES if name not in NAMES} == {"NotImplemented"}


def test_every_policy_of_the_model_is_public():
    made_here = {
        name
        for name, value in vars(policies).items()
        if isinstance(value, type) and value.__module__ == policies.__name__
    }
    assert {name for name in made_here if not name.startswith("_")} <= NAMES.keys()


def test_dir_lists_the_public_names_and_nothing_else():
    assert [name for name in dir(multicloud) if not name.startswith("__")] == sorted(NAMES)


@pytest.mark.parametrize("name", ["nothing", "Nothing", "OPTIONS", "Teapot", "_RUNTIMES", "model_"])
def test_another_name_is_an_attribute_error_as_of_any_module(name):
    with pytest.raises(AttributeError, match=f"module 'multicloud' has no attribute '{name}'"):
        getattr(multicloud, name)
    with pytest.raises(ImportError):
        exec(f"from multicloud import {name}")


def test_a_name_s_look_up_is_remembered():
    multicloud.__dict__.pop("Throttle", None)
    assert multicloud.Throttle is multicloud.__dict__["Throttle"]


def test_importing_the_package_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import multicloud; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['multicloud']"


def test_a_type_checker_knows_the_names(tmp_path):
    program = tmp_path / "app.py"
    program.write_text(
        "from multicloud import Api, Cors, NotFound, Request, Response\n"
        'api = Api("x", cors=Cors(allow_origins=["*"]))\n'
        '@api.get("/items/{key}")\n'
        "def read(request: Request, key: str) -> Response:\n"
        '    accept: str = request.headers.get("accept", "")\n'
        '    if accept == key: raise NotFound("gone", sku=key)\n'
        "    return Response({}, 200)\n"
        "reveal_type(read)\n"
        'Response({}, "200")\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(Path(multicloud.__file__).parents[1])},
    )
    lines = [line.partition("app.py:")[2] for line in done.stdout.splitlines() if "app.py:" in line]
    assert 'Revealed type is "def (request: multicloud.runtime.request.Request, key: ' in lines[0]
    assert lines[1].startswith('9: error: Argument 2 to "Response" has incompatible type')
    assert len(lines) == 2, done.stdout
