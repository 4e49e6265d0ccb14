"""Warm: one invocation on AWS Lambda, in microseconds."""

from __future__ import annotations

import json
import marshal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.events import ANSWERS, CALLS, NATIVE
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import AWS, Subject

TITLE = "one invocation on AWS, warm"
ROUNDS = 15
SAMPLE_NS = 15_000_000


class Process:
    """A running ``warm_process.py``. templates: passed to the module's ``make``, if there are any."""

    def __init__(
        self, subject: Subject, events: Mapping[str, Any], folders: list[Path], templates: list[str] | None = None
    ) -> None:
        here = Path(__file__).parent
        self.subject = subject
        self._process = subprocess.Popen(
            [sys.executable, "-S", str(here / "warm_process.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-west-1"},
        )
        self._send(
            {
                "kind": subject.kind,
                "module": subject.module,
                "attribute": subject.attribute,
                "path": [str(folder) for folder in folders],
                "templates": templates,
                "events": dict(events),
            }
        )

    def _send(self, message: Any) -> None:
        assert self._process.stdin is not None
        marshal.dump(message, self._process.stdin)
        self._process.stdin.flush()

    def ask(self, name: str, calls: int) -> Any:
        """Return nanoseconds of that many calls; with 0, the status and body of one."""
        assert self._process.stdout is not None
        self._send((name, calls))
        return marshal.load(self._process.stdout)

    def check(self, name: str, expected: Any) -> None:
        """Raise RuntimeError unless the answer is the expected one."""
        status, body = self.ask(name, 0)
        if status not in (200, 201) or json.loads(body) != expected:
            raise RuntimeError(f"{self.subject.name}, {name}: {status} {body!r}")

    def calls_for(self, name: str, nanoseconds: int) -> int:
        """Return how many calls take about that long."""
        self.ask(name, 50)
        return max(20, int(nanoseconds / (self.ask(name, 50) / 50)))

    def microseconds(self, name: str, calls: int) -> float:
        """Return the time of one of that many calls."""
        return float(self.ask(name, calls)) / calls / 1000

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the tables."""
    processes = {
        subject.name: Process(
            subject, {name: NATIVE[subject.kind](call) for name, call in CALLS.items()}, subject.folders()
        )
        for subject in AWS
    }
    try:
        for process in processes.values():
            for name, expected in ANSWERS.items():
                process.check(name, expected)
        return [_table(name, processes, rounds) for name in CALLS]
    finally:
        for process in processes.values():
            process.stop()


def _table(name: str, processes: Mapping[str, Process], rounds: int) -> Table:
    calls = {peer: process.calls_for(name, SAMPLE_NS) for peer, process in processes.items()}
    samples = interleave(processes, rounds, lambda peer: processes[peer].microseconds(name, calls[peer]))
    rows = [
        (peer, median(samples[peer]), ratio(samples[peer], samples[process.subject.floor]))
        for peer, process in processes.items()
    ]
    return Table(f"`{name}`, processor time", ("", "microseconds", "x raw"), rows)
