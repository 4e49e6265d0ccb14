"""Routing: a warm call on the last of many routes. What a router costs is the growth from 10 to 5000."""

from __future__ import annotations

from statistics import median

from benchmarks.bundles import unpacked
from benchmarks.events import NATIVE, Call
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import AWS, Subject
from benchmarks.warm import Process

TITLE = "a warm call on the last of many routes"
ROUNDS = 7
SAMPLE_NS = 10_000_000
SIZES = (10, 1000, 5000)
SHAPES = {"static": "/v1/group{group}/route{number}", "with a parameter": "/v1/group{group}/route{number}/{{item_id}}"}

OURS = """from multicloud import Api

api = Api("many")


def show(request):
    return {{"item": None}}


def show_item(request, item_id):
    return {{"item": item_id}}


for number, template in enumerate({templates!r}):
    handler = show_item if "{{" in template else show
    api.get(template, operation_id=f"route{{number}}")(handler)
"""

PEERS = tuple(
    subject
    for subject in AWS
    if subject.name in ("multicloud", "Chalice, payload 1.0", "Powertools", "Mangum + Starlette")
)


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the tables."""
    return [_table(shape, rounds) for shape in SHAPES]


def templates_of(shape: str, size: int) -> list[str]:
    """Return that many templates."""
    return [SHAPES[shape].format(group=number // 40, number=number) for number in range(size)]


def _start(subject: Subject, templates: list[str]) -> Process:
    last = templates[-1]
    item = "4711" if "{" in last else None
    call = Call("GET", last.replace("{item_id}", "4711"), last, {"item_id": item} if item else {})
    folders = unpacked(OURS.format(templates=templates), subject.provider) if subject.provider else subject.folders()
    made = None if subject.provider else templates
    process = Process(subject, {"last": NATIVE[subject.kind](call)}, folders, made)
    process.check("last", {"item": item})
    return process


def _table(shape: str, rounds: int) -> Table:
    cells = [(subject, size) for subject in PEERS for size in SIZES]
    processes = {(subject.name, size): _start(subject, templates_of(shape, size)) for subject, size in cells}
    try:
        calls = {key: process.calls_for("last", SAMPLE_NS) for key, process in processes.items()}
        samples = interleave(processes, rounds, lambda key: processes[key].microseconds("last", calls[key]))
    finally:
        for process in processes.values():
            process.stop()
    rows = [
        (
            subject.name,
            *(median(samples[subject.name, size]) for size in SIZES),
            ratio(samples[subject.name, SIZES[-1]], samples[subject.name, SIZES[0]]),
        )
        for subject in PEERS
    ]
    return Table(
        f"Routes {shape}, microseconds", ("", *(f"{size} routes" for size in SIZES), f"{SIZES[-1]} / {SIZES[0]}"), rows
    )
