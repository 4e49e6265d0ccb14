"""``python -m benchmarks [cold|warm|...|guarded ...]``: measure, and write ``RESULTS.md``; by default everything."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import report

MEASUREMENTS = {
    "cold": "cold",
    "warm": "warm",
    "routing": "routing",
    "server": "server",
    "bundling": "bundling",
    "cli": "commands",
    "typed": "typed",
    "guarded": "guarded",
    "surge": "surge",
}
"""Name of a measurement to its module here, in the order of the report."""


def main() -> None:
    """Run the measurements that are named, by default all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(MEASUREMENTS), help="what to measure; default everything")
    names = parser.parse_args().names or list(MEASUREMENTS)
    unknown = sorted(set(names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        module = import_module(f"benchmarks.{MEASUREMENTS[name]}")
        text = report.section(name, module.TITLE, module.measure())
        report.write(Path(__file__).with_name("RESULTS.md"), {name: text}, list(MEASUREMENTS))
        print(text)


if __name__ == "__main__":
    main()
