"""Local servers: requests a second with 32 connections, and the time from the process's start to its first 200."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import attrs

from benchmarks import installed
from benchmarks.bundles import project_of
from benchmarks.load import requests_per_second, tool
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import APPLICATIONS

TITLE = "local servers"
ROUNDS = 3
SECONDS = 2
CONNECTIONS = 32
OURS, STARLETTE, FASTAPI = "multicloud run (routing, CORS)", "uvicorn + Starlette", "uvicorn + FastAPI"


@attrs.frozen
class Sample:
    """One start of a server. first_ms: to the first 200. per_second: requests under load."""

    first_ms: float
    per_second: float


def servers() -> Mapping[str, tuple[list[str], Path]]:
    """Return each server's command, ``{port}`` to be filled in, and its folder."""
    python = str(installed.environment())
    uvicorn = [python, "-m", "uvicorn", "--port", "{port}", "--no-access-log", "--log-level", "warning"]
    project = project_of((APPLICATIONS / "with_policies.py").read_text("utf-8"))
    ours = [sys.executable, "-m", "multicloud.cli", "run", "--port", "{port}"]
    return {
        OURS: (ours, project),
        "uvicorn, bare ASGI": ([*uvicorn, "on_asgi:app"], APPLICATIONS),
        STARLETTE: ([*uvicorn, "on_starlette:app"], APPLICATIONS),
        f"{STARLETTE}, its access log on": ([*uvicorn[:5], "on_starlette:app"], APPLICATIONS),
        FASTAPI: ([*uvicorn, "on_fastapi:app"], APPLICATIONS),
    }


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the table."""
    table = servers()
    samples = interleave(table, rounds, lambda name: _sample(*table[name]), warm_up=False)
    speed = {name: [sample.per_second for sample in taken] for name, taken in samples.items()}
    rows = [
        (
            name,
            median(speed[name]),
            ratio(speed[name], speed[STARLETTE]),
            ratio(speed[name], speed[FASTAPI]),
            median(sample.first_ms for sample in samples[name]),
        )
        for name in table
    ]
    head = ("", "requests/s", f"x {STARLETTE}", f"x {FASTAPI}", "ms to the first 200")
    note = f"GET /hello, an async handler, one worker, {CONNECTIONS} connections, load from {tool()} on the same cores"
    return [Table(note, head, rows)]


def _sample(command: list[str], folder: Path) -> Sample:
    with running(command, folder) as (port, first_ms):
        requests_per_second(port, CONNECTIONS, 1)
        return Sample(first_ms, requests_per_second(port, CONNECTIONS, SECONDS))


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[tuple[int, float]]:
    """Run a server. Yields its port and the milliseconds to its first 200. Raises RuntimeError if it does not come."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while not _answers(port):
                if process.poll() is not None or time.perf_counter() - begun > 20:
                    log.seek(0)
                    raise RuntimeError(f"{' '.join(command)} does not serve:\n{log.read().decode()}")
                time.sleep(0.002)
            yield port, (time.perf_counter() - begun) * 1000
        finally:
            _stop(process)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hello", timeout=5) as response:
            return bool(response.read().replace(b" ", b"") == b'{"message":"hello"}')
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
