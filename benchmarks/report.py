"""``RESULTS.md``: a section for each measurement, replaced when that measurement runs again."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs

HEAD = """# What multicloud costs

Written by `python -m benchmarks`. Milliseconds belong to a machine and a moment; the ratios, each taken within one run,
are what to compare. Every section says how and when it was measured.
"""


@attrs.frozen
class Table:
    """One table. head: its columns. rows: cells; a float is shown with three figures. note: what it holds."""

    note: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]

    def text(self) -> str:
        """Return the table as Markdown."""
        lines = [self.head, ["---"] + ["---:"] * (len(self.head) - 1), *self.rows]
        return "\n".join([self.note, "", *("| " + " | ".join(map(shown, line)) + " |" for line in lines)])


def shown(cell: object) -> str:
    """Return a cell's text."""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.1f}" if cell >= 10 else f"{cell:.2f}"
    return str(cell)


def section(name: str, title: str, tables: Sequence[Table]) -> str:
    """Return the section of a measurement, with the command and the machine's shape."""
    implementation = platform.python_implementation()
    where = (
        f"`python -m benchmarks {name}`, {datetime.now(UTC):%Y-%m-%d}, {implementation} {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    )
    return "\n\n".join([f"## {name}: {title}", where, *(table.text() for table in tables)]) + "\n"


def write(path: Path, sections: dict[str, str], order: Sequence[str]) -> None:
    """Put sections into the file, beside those of measurements that did not run."""
    former = path.read_text("utf-8") if path.exists() else ""
    found = {text.split(":")[0]: f"## {text}" for text in re.split(r"^## ", former, flags=re.MULTILINE)[1:]}
    found.update(sections)
    path.write_text("\n".join([HEAD, *(found[name].rstrip() + "\n" for name in order if name in found)]), "utf-8")
