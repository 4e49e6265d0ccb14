"""How commands print: tables for people, JSON for programs. What the user's code prints goes elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Print a value of plain dicts, lists and scalars."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their columns: framed on a terminal, else one plain line each, whole however long it is."""
    if sys.stdout.isatty():
        _print_framed(columns, rows)
        return
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_framed(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # 60 modules that only a terminal needs
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))  # Text: brackets in a route are no markup
    Console().print(table)


@contextmanager
def user_code() -> Iterator[None]:
    """Run the user's code: what it prints goes to standard error, for standard output holds data alone."""
    with redirect_stdout(sys.stderr):
        yield
