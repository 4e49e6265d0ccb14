"""Peers and runtimes, installed once with uv below ``.multicloud/bench``, never into the project's environment."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import uv

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".multicloud" / "bench" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"

RUNTIMES = {
    "aws": (("awslambdaric",), ("awslambdaric.bootstrap",)),
    "gcp": (("functions-framework",), ("functions_framework", "functions_framework._http.gunicorn")),
    "azure": (
        ("azure-functions", "grpcio", "protobuf", "python-dateutil"),
        (
            # What Microsoft's worker imports before a function's own module; the worker itself is in no index.
            *("argparse", "asyncio", "concurrent.futures", "dataclasses", "datetime", "dateutil.parser", "enum"),
            *("functools", "google.protobuf.timestamp_pb2", "grpc", "http.cookies", "importlib.util", "inspect"),
            *("json", "logging.handlers", "mmap", "pathlib", "platform", "queue", "re", "socket", "threading"),
            *("traceback", "typing", "uuid", "azure.functions"),
        ),
    ),
}
"""Cloud to what its Python runtime consists of, and which modules that has imported before the user's."""


def run(command: list[str], **options: object) -> None:
    """Run a command to its end. Raises RuntimeError with its output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")


def install(*arguments: str) -> None:
    """Install packages with uv."""
    run([uv.find_uv_bin(), "pip", "install", "--quiet", *arguments])


def compile_folder(folder: Path) -> None:
    """Write .pyc files beside every module, as a bundle has them."""
    run([sys.executable, "-m", "compileall", "-q", "-j", "0", str(folder)])


def packages(requires: tuple[str, ...], *, chalice: bool = False) -> Path:
    """Return a folder with packages of ``requirements.txt`` and all that they need, compiled.

    chalice: keep the two files alone that Chalice puts into a function.
    """
    target = CACHE / "packages" / _name(*requires, REQUIREMENTS.read_text("utf-8"))
    if not target.exists():
        part = _fresh(target)
        install("--python", sys.executable, "--target", str(part), "--constraint", str(REQUIREMENTS), *requires)
        if chalice:
            _keep(part, ("chalice/__init__.py", "chalice/app.py"))
        compile_folder(part)
        part.rename(target)
    return target


def environment() -> Path:
    """Return the Python of an environment with every peer, for what runs as a server or a command."""
    target = CACHE / "environment" / _name(REQUIREMENTS.read_text("utf-8"))
    python = target / "bin" / "python"
    if not python.exists():
        run([uv.find_uv_bin(), "venv", "--quiet", "--clear", "--python", sys.executable, str(target)])
        install("--python", str(python), "-r", str(REQUIREMENTS))
        compile_folder(target / "lib")
    return python


def compiled_copy(folder: Path) -> Path:
    """Return a compiled copy of a folder of modules, named after their content."""
    sources = sorted(folder.glob("*.py"))
    target = CACHE / "copies" / _name(*(source.read_text("utf-8") for source in sources))
    if not target.exists():
        part = _fresh(target)
        for source in sources:
            shutil.copy(source, part)
        compile_folder(part)
        part.rename(target)
    return target


def _name(*content: str) -> str:
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:16]


def _fresh(target: Path) -> Path:
    part = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def _keep(folder: Path, names: tuple[str, ...]) -> None:
    kept = {name: (folder / name).read_bytes() for name in names}
    shutil.rmtree(folder)
    for name, content in kept.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
