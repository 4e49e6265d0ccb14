"""Bundling: from a project to a zip, beside ``uv pip install --target`` and a zip, and ``chalice package``."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import uv

from benchmarks import installed
from benchmarks.bundles import CONFIG, zip_of
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import APPLICATIONS

TITLE = "from a project to a zip"
ROUNDS = 5
SMALL = "itsdangerous==2.2.0\n"
OURS, AGAIN, UV, CHALICE = "multicloud, nothing cached", "multicloud, unchanged", "uv --target + zip", "chalice package"

API = """from multicloud import Api

api = Api("measured")


@api.get("/hello")
def hello(request):
    return {"message": "hello"}
"""
CHALICE_API = """from chalice import Chalice

app = Chalice(app_name="measured")


@app.route("/hello")
def hello():
    return {"message": "hello"}
"""
WORKER = """
import sys, time
from pathlib import Path
from multicloud.project import Project
for line in sys.stdin:
    begun = time.perf_counter()
    Project.load("multicloud.toml").bundle("aws", Path(line.strip()))
    print((time.perf_counter() - begun) * 1000, flush=True)
"""
"""Our packager in a process that runs on, as a deployment would call it; the peers' own start is in their figures."""


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the tables."""
    with tempfile.TemporaryDirectory(prefix="bundling-") as folder:
        tables = [
            _table(Path(folder), "No dependency", "", rounds),
            _table(Path(folder), "One small dependency", SMALL, rounds),
        ]
    archive = zip_of((APPLICATIONS / "ours.py").read_text("utf-8"), "aws")
    with zipfile.ZipFile(archive) as members:
        files, unzipped = len(members.namelist()), sum(member.file_size for member in members.infolist())
    rows = [("multicloud on AWS", archive.stat().st_size / 1000, unzipped / 1000, files)]
    return [*tables, Table("A bundle without dependencies, .pyc included", ("", "kB zipped", "kB", "files"), rows)]


def _table(folder: Path, note: str, requirements: str, rounds: int) -> Table:
    ours, chalice = folder / f"ours{len(requirements)}", folder / f"chalice{len(requirements)}"
    _write(ours, {"app.py": API, "requirements.txt": requirements, "multicloud.toml": CONFIG})
    settings = {"version": "2.0", "app_name": "measured", "stages": {"dev": {"api_gateway_stage": "api"}}}
    _write(chalice, {"requirements.txt": requirements, ".chalice/config.json": json.dumps(settings)})
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ours, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    jobs: dict[str, Callable[[], float]] = {
        OURS: lambda: _fresh(worker, ours),
        AGAIN: lambda: _ask(worker, ours / "out"),
        UV: lambda: _uv(ours, requirements),
        CHALICE: lambda: _chalice(chalice),
    }
    try:
        jobs[OURS]()
        samples = interleave(jobs, rounds, lambda name: jobs[name]())
    finally:
        worker.stdin.close()  # type: ignore[union-attr]
        worker.wait(20)
    rows = [
        (name, median(samples[name]), *(ratio(samples[name], samples[peer]) for peer in (UV, CHALICE))) for name in jobs
    ]
    return Table(note, ("", "milliseconds", f"x {UV}", f"x {CHALICE}"), rows)


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def _ask(worker: subprocess.Popen[str], output: Path) -> float:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{output}\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def _fresh(worker: subprocess.Popen[str], project: Path) -> float:
    """Bundle with our own caches empty; uv's is warm, as it is for the peer."""
    shutil.rmtree(project / ".multicloud", ignore_errors=True)
    shutil.rmtree(project / "out", ignore_errors=True)
    return _ask(worker, project / "out")


def _uv(project: Path, requirements: str) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "target")
        target.mkdir()
        begun = time.perf_counter()
        if requirements:
            python = ["--python", sys.executable, "--target", str(target)]
            installed.run([uv.find_uv_bin(), "pip", "install", "-q", *python, "-r", str(project / "requirements.txt")])
        shutil.copy(project / "app.py", target)
        with zipfile.ZipFile(Path(scratch, "bundle.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(target.rglob("*")):
                archive.write(file, file.relative_to(target))
        return (time.perf_counter() - begun) * 1000


_changes = itertools.count()


def _chalice(project: Path) -> float:
    (project / "app.py").write_text(f"{CHALICE_API}# {next(_changes)}\n", "utf-8")  # else its last zip is used again
    command = str(installed.environment().with_name("chalice"))
    with tempfile.TemporaryDirectory() as output:
        begun = time.perf_counter()
        installed.run(
            [command, "--project-dir", str(project), "package", output], env={"AWS_DEFAULT_REGION": "eu-west-1"}
        )
        return (time.perf_counter() - begun) * 1000
