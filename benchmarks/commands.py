"""The command line: how long a person waits for ``multicloud --help`` and ``multicloud routes``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.bundles import project_of
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import APPLICATIONS

TITLE = "the command line"
ROUNDS = 11
PASS = "python -c pass"


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the table."""
    multicloud = str(Path(sys.executable).with_name("multicloud"))
    commands = {
        PASS: [sys.executable, "-c", "pass"],
        "multicloud --help": [multicloud, "--help"],
        "multicloud routes": [multicloud, "routes"],
    }
    project = project_of((APPLICATIONS / "ours.py").read_text("utf-8"))

    def milliseconds(name: str) -> float:
        begun = time.perf_counter()
        subprocess.run(commands[name], cwd=project, capture_output=True, check=True)
        return (time.perf_counter() - begun) * 1000

    samples = interleave(commands, rounds, milliseconds)
    rows = [(f"`{name}`", median(samples[name]), ratio(samples[name], samples[PASS])) for name in commands]
    return [Table("From start to end of the process", ("", "milliseconds", f"x {PASS}"), rows)]
