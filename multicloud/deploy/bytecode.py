"""Compiles the modules of a bundle for the Python version they will run on: without .pyc a start takes twice as long.

A .pyc stands beside its source under ``__pycache__``. If the function's Python is not the one that runs here, a Python
of that version is looked for, and compiles everything in one process; if there is none the bundle has no .pyc and a
notice says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import attrs
import uv

from multicloud.deploy import pyc
from multicloud.deploy.archive import Member

_WORTH_PROCESSES = 400_000  # bytes of source; less is compiled sooner here than by a process that must start
_SECONDS = 600  # for one process; a hundred megabytes of source take a fifth of it


@attrs.frozen
class Compiled:
    """members: the .pyc. failures: why a module has none, by its name. notice: why none has any, or empty."""

    members: tuple[Member, ...] = ()
    failures: Mapping[str, str] = attrs.field(factory=dict)
    notice: str = ""


def runs_here(python_version: str) -> bool:
    """Whether the Python that runs now compiles for that version (``3.12``)."""
    return sys.implementation.name == "cpython" and python_version == f"{sys.version_info[0]}.{sys.version_info[1]}"


def identity(python_version: str) -> str:
    """Return what names the Python that would compile, found without starting it; part of a cache's keys.

    A Python that uv installed without putting it on PATH does not show: until something else changes, a bundle that
    was made before it was installed is used again.
    """
    return sys.version if runs_here(python_version) else shutil.which(f"python{python_version}") or ""


def compile_members(members: Sequence[Member], python_version: str, *, lean: bool = False) -> Compiled:
    """Compile what is Python among the members. lean: to .pyc that take the sources' place, as ``pyc`` says."""
    sources = [member for member in members if member.name.endswith(".py")]
    here, little = runs_here(python_version), sum(len(member.content) for member in sources) < _WORTH_PROCESSES
    if here and little:
        return _compiled(sources, [_compile(member, lean) for member in sources], python_version, lean)
    interpreter = sys.executable if here else find_interpreter(python_version)
    if not sources:
        return Compiled()
    if not interpreter:
        hint = f"a cold start takes longer; `uv python install {python_version}` installs one"
        return Compiled(notice=f"no Python {python_version} was found to compile for: the bundle has no .pyc; {hint}")
    processes = 1 if little else os.cpu_count() or 1
    shares = [sources[start::processes] for start in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        answers = list(pool.map(lambda share: _compile_with(interpreter, share, python_version, lean)[1], shares))
    members, results = [one for share in shares for one in share], [one for answer in answers for one in answer]
    return _compiled(members, results, python_version, lean)


def _compile(member: Member, lean: bool) -> bytes | str:
    """Return the .pyc, or the reason why there is none."""
    try:
        return pyc.compile_source(member.name, member.content, lean=lean)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error)


def _compiled(sources: Sequence[Member], results: Sequence[bytes | str], python_version: str, lean: bool) -> Compiled:
    pairs = list(zip(sources, results, strict=True))
    return Compiled(
        members=tuple(
            Member(f"{member.name}c" if lean else _pyc_name(member.name, python_version), result)
            for member, result in pairs
            if isinstance(result, bytes)
        ),
        failures={member.name: result for member, result in pairs if isinstance(result, str)},
    )


def _pyc_name(name: str, python_version: str) -> str:
    """``shop/orders.py`` -> ``shop/__pycache__/orders.cpython-312.pyc`` (PEP 3147)."""
    folder, slash, module = name.rpartition("/")
    tag = "cpython-" + python_version.replace(".", "")
    return f"{folder}{slash}__pycache__/{module.removesuffix('.py')}.{tag}.pyc"


def _compile_with(
    interpreter: str, sources: Sequence[Member], python_version: str, lean: bool = False
) -> tuple[str, list[bytes | str]]:
    """Compile in another process. Returns its own path as well. Raises ChildProcessError if it is another version."""
    questions = b"".join(pyc.frame(member.name.encode()) + pyc.frame(member.content) for member in sources)
    done = subprocess.run(  # noqa: S603 - an interpreter and a file of ours
        [interpreter, "-I", "-S", str(Path(pyc.__file__)), *(["--lean"] if lean else [])],
        input=questions,
        capture_output=True,
        timeout=_SECONDS,
        env=_environment(python_version),
    )
    answers = iter(pyc.frames(done.stdout) if done.returncode == 0 else [])
    if next(answers, b"") != python_version.encode():
        raise ChildProcessError(f"{interpreter}: {done.stderr.decode(errors='replace').strip()}")
    path = next(answers).decode()
    return path, [answer or next(answers).decode() for answer in answers]


def _environment(python_version: str) -> dict[str, str]:
    # pyenv's python3.12 on PATH is a script that runs the version that the project selects, unless told otherwise.
    return {**os.environ, "PYENV_VERSION": python_version}


@cache
def find_interpreter(python_version: str) -> str:
    """Return a Python of that version: from PATH, else one that uv knows of; empty if there is none."""
    on_path = shutil.which(f"python{python_version}")
    if on_path and (answered := _path_of(on_path, python_version)):
        return answered
    command = [uv.find_uv_bin(), "python", "find", "--no-python-downloads", "--no-project", "--offline", python_version]
    found = subprocess.run(  # noqa: S603 - uv's own path
        command, capture_output=True, text=True, timeout=_SECONDS, env=_environment(python_version)
    )
    return _path_of(found.stdout.strip(), python_version) if found.returncode == 0 else ""


def _path_of(interpreter: str, python_version: str) -> str:
    """Return where an interpreter says that it is, as the one on PATH may be a script; empty if it does not start."""
    try:
        return _compile_with(interpreter, (), python_version)[0]
    except OSError:
        return ""
