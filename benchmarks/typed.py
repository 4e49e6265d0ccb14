"""Typed bodies: what it costs to turn JSON into a class, in a cold start on AWS and warm, and how many faults are told.

Each converter makes the same order of a dataclass (pydantic: of its own class), so the dataclass alone is the floor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import attrs

from benchmarks import installed
from benchmarks.report import Table
from benchmarks.rounds import interleave

TITLE = "one typed body, by the converters that could have been chosen"
ROUNDS = 15

CLASSES = """
import dataclasses
@dataclasses.dataclass
class Line:
    sku: str
    quantity: int
    price: float
@dataclasses.dataclass
class Order:
    customer: str
    lines: list[Line]
    note: str | None = None
"""
MODELS = """
from pydantic import BaseModel
class Line(BaseModel):
    sku: str
    quantity: int
    price: float
class Order(BaseModel):
    customer: str
    lines: list[Line]
    note: str | None = None
"""
OURS = """
from multicloud.runtime.converters import Converters
made = Converters(
    (
        {"object": 0, "fields": (("customer", "customer", "str", True),
                                 ("lines", "lines", ("list", ("record", 1)), True),
                                 ("note", "note", ("either", ("str", "none")), False))},
        {"object": 1, "fields": (("sku", "sku", "str", True), ("quantity", "quantity", "int", True),
                                 ("price", "price", "float", True))},
    ),
    (Order, Line),
).of(("record", 0))
def convert(value):
    faults = []
    found = made(value, None, faults)
    if faults:
        raise ValueError(len(faults))
    return found
count = lambda error: error.args[0]
"""
CATTRS = """
import cattrs
converter = cattrs.Converter()
convert = lambda value: converter.structure(value, Order)
count = lambda error: len(cattrs.transform_error(error))
"""
MSGSPEC = """
import msgspec
convert = lambda value: msgspec.convert(value, Order)
count = lambda error: 1
"""
PYDANTIC = """
convert = Order.model_validate
count = lambda error: len(error.errors())
"""
PROGRAM = """
import json, sys, time
sys.path[:0] = {path!r}
import awslambdaric.bootstrap
good, bad = json.loads({good!r}), json.loads({bad!r})
before, begun = len(sys.modules), time.process_time_ns()
exec(compile({classes!r}, "classes", "exec"))
defined = time.process_time_ns()
exec(compile({converter!r}, "converter", "exec"))
if {converts}:
    convert(good)
started = time.process_time_ns()
modules = len(sys.modules) - before
def refuse(value):
    try:
        convert(value)
    except Exception as error:
        return count(error)
def fastest(call, value, times=2000):
    best = 1e9
    for _ in range(5):
        begun = time.perf_counter_ns()
        for _ in range(times):
            call(value)
        best = min(best, (time.perf_counter_ns() - begun) / times / 1000)
    return best
warm = [fastest(convert, good), fastest(refuse, bad), refuse(bad)] if {converts} else [0, 0, 0]
print(json.dumps([(started - begun) / 1e6, modules, *warm]))
"""
SUBJECTS = {
    "the dataclass alone": (CLASSES, "", ()),
    "multicloud": (CLASSES, OURS, ()),
    "msgspec": (CLASSES, MSGSPEC, ("msgspec",)),
    "cattrs": (CLASSES, CATTRS, ("cattrs",)),
    "pydantic": (MODELS, PYDANTIC, ("pydantic",)),
}
"""Name to the classes, the converter, and what pip must put into the bundle."""

GOOD = {"customer": "ada", "lines": [{"sku": f"s{n}", "quantity": n, "price": n + 0.5} for n in range(5)], "note": None}
BAD = {"lines": [{"sku": 1, "quantity": "x", "price": 1.5}, {"sku": "s"}], "note": 5}
"""Six faults: no customer, a wrong sku, a wrong quantity, two absent, a wrong note."""


@attrs.frozen
class Sample:
    """start_ms: processor time of the classes, the import and the first conversion. faults: told of the bad body."""

    start_ms: float
    modules: int
    good_us: float
    bad_us: float
    faults: int


def run(name: str) -> Sample:
    """Measure in a process of its own. Raises RuntimeError if it fails."""
    classes, converter, requires = SUBJECTS[name]
    folders = [installed.ROOT, installed.packages((*installed.RUNTIMES["aws"][0], *requires))]
    program = PROGRAM.format(
        path=[str(Path(folder)) for folder in folders],
        good=json.dumps(GOOD),
        bad=json.dumps(BAD),
        classes=classes,
        converter=converter,
        converts=bool(converter),
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")
    return Sample(*json.loads(done.stdout))


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the table."""
    samples = interleave(SUBJECTS, rounds, run)
    floor = median(sample.start_ms for sample in samples["the dataclass alone"])
    rows = [
        (
            name,
            median(sample.start_ms for sample in found),
            median(sample.start_ms for sample in found) - floor,
            found[0].modules,
            median(sample.good_us for sample in found),
            median(sample.bad_us for sample in found),
            found[0].faults,
        )
        for name, found in samples.items()
    ]
    head = ("", "processor ms", "over the dataclass", "modules", "good body us", "bad body us", "faults told of 6")
    return [Table("Over awslambdaric; a body with five lines", head, rows)]
