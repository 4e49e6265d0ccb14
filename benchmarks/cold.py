"""Cold start: from the cloud's own runtime, already imported, to the first answer; and a whole process on AWS."""

from __future__ import annotations

import marshal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

import attrs

from benchmarks import installed
from benchmarks.events import CALLS, NATIVE
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import AWS, OTHERS, POLICIES, Subject
from tests.emulators import serve

TITLE = "import and first answer over the cloud's own runtime"
ROUNDS = 15
PROCESS_ROUNDS = 5


@attrs.frozen
class Start:
    """wall_ms, processor_ms: import and first answer. modules: how many they added to the runtime's.

    The ratios are of processor time, which other processes disturb less; the bundles are in the page cache.
    """

    wall_ms: float
    processor_ms: float
    modules: int


def start(subject: Subject, plan: bytes) -> Start:
    """Run one process. Raises RuntimeError unless it answers 200."""
    script = Path(__file__).with_name("cold_process.py")
    done = subprocess.run([sys.executable, "-I", "-S", str(script)], input=plan, capture_output=True)
    if done.returncode or not done.stdout:
        raise RuntimeError(f"{subject.name}: {done.stderr.decode()}")
    status, wall, processor, modules = marshal.loads(done.stdout)
    if status != 200:
        raise RuntimeError(f"{subject.name}: status {status}")
    return Start(wall / 1e6, processor / 1e6, modules)


def plan_of(subject: Subject) -> bytes:
    """Return what the process is told."""
    requires, modules = installed.RUNTIMES[subject.cloud]
    return marshal.dumps(
        {
            "path": [str(folder) for folder in [*subject.folders(), installed.packages(requires)]],
            "runtime": list(modules),
            "module": subject.module,
            "attribute": subject.attribute,
            "kind": subject.kind,
            "event": NATIVE[subject.kind](CALLS["GET /hello"]),
            "here": str(Path(__file__).parent),
        }
    )


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the tables."""
    subjects = {subject.name: subject for subject in (*AWS[:3], POLICIES, *AWS[3:], *OTHERS)}
    plans = {name: plan_of(subject) for name, subject in subjects.items()}
    samples = interleave(subjects, rounds, lambda name: start(subjects[name], plans[name]))
    tables = []
    for cloud, over in (("aws", "awslambdaric"), ("gcp", "functions-framework"), ("azure", "the Azure worker")):
        rows = [
            (
                name,
                median(sample.wall_ms for sample in samples[name]),
                median(sample.processor_ms for sample in samples[name]),
                ratio(*([sample.processor_ms for sample in samples[one]] for one in (name, subject.floor))),
                samples[name][0].modules,
            )
            for name, subject in subjects.items()
            if subject.cloud == cloud
        ]
        tables.append(Table(f"Over {over}", ("", "ms", "processor ms", "x raw", "modules added"), rows))
    return [*tables, whole_process()]


def whole_process() -> Table:
    """Return the table of ``python -m awslambdaric`` from its spawn to the first response over HTTP."""
    subjects = {subject.name: subject for subject in AWS[:3:2]}

    def first_response(name: str) -> float:
        subject = subjects[name]
        folder = subject.folders()[0]
        with serve("aws", folder, f"{subject.module}.{subject.attribute}") as host:
            begun = time.perf_counter()
            with urllib.request.urlopen(host.url + "/hello") as response:
                response.read()
            return host.startup_ms + (time.perf_counter() - begun) * 1000

    samples = interleave(subjects, PROCESS_ROUNDS, first_response)
    rows = [(name, median(samples[name]), ratio(samples[name], samples[AWS[0].name])) for name in subjects]
    return Table("A process of awslambdaric, from its spawn to the first response", ("", "milliseconds", "x raw"), rows)
