"""The .pyc of a bundle are those of the Python that will run it, and the same each time."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from multicloud.deploy import bytecode, pyc
from multicloud.deploy.archive import Member

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = next(version for version in ("3.13", "3.12", "3.11") if version != HERE)
SAMPLES = (
    "json/decoder.py",
    "argparse.py",
    "typing.py",
    "dataclasses.py",
    "email/header.py",
    "posixpath.py",
    "re/_parser.py",
)


TRICKY = """
\u00e9 = "\u00e9"
A = "\u00e9", "/", "a b", 1.5, 300, (1, "x y")
S = {"b", "a", "c d", "\u00e9"}
def f(x):
    return x in {"p q", "r", "/"}
"""


def samples() -> list[Member]:
    library = Path(sysconfig.get_path("stdlib"))
    found = [Member(f"lib/{name}", (library / name).read_bytes()) for name in SAMPLES if (library / name).exists()]
    return [*found, Member("tricky.py", TRICKY.encode())]


def compile_in_a_process(members: list[Member], seed: str) -> list[bytes]:
    questions = b"".join(pyc.frame(member.name.encode()) + pyc.frame(member.content) for member in members)
    command = [sys.executable, "-S", pyc.__file__]
    done = subprocess.run(
        command, input=questions, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
    )
    return pyc.frames(done.stdout)[2:]


def test_the_same_bytes_in_every_process_and_every_order():
    members = samples()
    expected = compile_in_a_process(members, "1")
    assert compile_in_a_process(members, "2") == expected
    assert compile_in_a_process(members[::-1], "3") == expected[::-1]
    assert [compile_in_a_process([member], "4")[0] for member in members] == expected
    assert [member.content for member in bytecode.compile_members(members, HERE).members] == expected


def test_names_that_the_process_uses_itself_do_not_show():
    name, word = f"name_{os.getpid()}", f"word_{os.getpid()}"  # in pieces, or this test would itself use them
    source = f"{name} = '{word}'\ndef f(x):\n    return x in {{'{word}', '{name}', 'other'}}\n".encode()
    before = pyc.compile_source("a.py", source)
    held = [sys.intern(name), sys.intern(word)]
    assert pyc.compile_source("a.py", source) == before, held


def test_a_pyc_stands_where_python_looks_and_is_used_though_the_source_is_newer(tmp_path):
    (compiled,) = bytecode.compile_members([Member("pkg/a.py", b"print('compiled')\n")], HERE).members
    assert compiled.name == os.path.relpath(importlib.util.cache_from_source("pkg/a.py"))
    target = tmp_path / compiled.name
    target.parent.mkdir(parents=True)
    target.write_bytes(compiled.content)
    (tmp_path / "pkg/a.py").write_text("print('source')\n")
    done = subprocess.run([sys.executable, "-c", "import pkg.a"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "compiled\n"


def test_a_traceback_shows_the_path_where_the_module_is():
    code = compile("", "a.py", "exec")
    assert code.co_filename == "a.py"
    (compiled,) = bytecode.compile_members([Member("pkg/a.py", b"x = 1\n")], HERE).members
    assert os.getcwd().encode() not in compiled.content


def test_a_module_that_does_not_compile_is_told_and_the_others_compile():
    compiled = bytecode.compile_members([Member("a.py", b"print 'two'\n"), Member("b.py", b"x = 1\n")], HERE)
    assert list(compiled.failures) == ["a.py"]
    assert [member.name.rpartition("/")[2].partition(".")[0] for member in compiled.members] == ["b"]


def test_much_source_is_compiled_as_little_is(monkeypatch):
    members = samples()
    little = {member.name: member.content for member in bytecode.compile_members(members, HERE).members}
    monkeypatch.setattr(bytecode, "_WORTH_PROCESSES", 0)
    much = {member.name: member.content for member in bytecode.compile_members(members, HERE).members}
    assert much == little


def test_another_python_compiles_for_itself():
    if not bytecode.find_interpreter(OTHER):
        pytest.skip(f"no Python {OTHER} on this machine")
    compiled = bytecode.compile_members([Member("a.py", b"x = 1\n"), Member("b.py", b"x ===\n")], OTHER)
    (member,) = compiled.members
    assert member.name == f"__pycache__/a.cpython-{OTHER.replace('.', '')}.pyc"
    assert member.content[:4] != importlib.util.MAGIC_NUMBER
    assert list(compiled.failures) == ["b.py"]


def test_without_that_python_there_is_a_notice_and_no_pyc(monkeypatch):
    monkeypatch.setattr(bytecode, "find_interpreter", lambda version: "")
    compiled = bytecode.compile_members([Member("a.py", b"x = 1\n")], "3.99")
    assert compiled.members == ()
    assert "uv python install 3.99" in compiled.notice


def test_a_program_that_only_has_the_name_of_that_python_is_not_used(tmp_path, monkeypatch):
    for name, body in {"python3.98": "exit 127", "python3.99": f'exec {sys.executable} "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert bytecode.find_interpreter("3.98") == ""
    assert bytecode.find_interpreter("3.99") == ""


def test_the_sdk_s_runtime_is_lean_and_its_traces_still_name_lines():
    source = (
        b'"""Says what it holds."""\n'
        b"TYPE_CHECKING = False\n"
        b"if TYPE_CHECKING:\n"
        b"    from nowhere import Nothing\n\n\n"
        b"def fail(value: Nothing, *rest: Nothing) -> Nothing:\n"
        b'    """Fail."""\n'
        b"    kept: int = 1\n"
        b"    unset: int\n"
        b"    return [\n"
        b"        kept / value\n"
        b"        for _ in (1,)\n"
        b"    ]\n"
    )
    lean, full = pyc.compile_source("m.py", source, lean=True), pyc.compile_source("m.py", source)
    assert len(lean) < len(full) * 0.8
    module: dict[str, object] = {}
    code = marshal.loads(lean[16:])
    exec(code, module)
    fail = module["fail"]
    assert (code.co_consts[0], module.get("__doc__"), fail.__doc__, fail.__annotations__) == (False, None, None, {})
    with pytest.raises(ZeroDivisionError) as caught:
        fail(0)
    assert caught.traceback[-1].lineno + 1 == 12
