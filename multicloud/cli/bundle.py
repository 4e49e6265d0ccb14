"""``multicloud bundle``: the zips, for whoever deploys them by other means or wants to see what would be deployed."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from multicloud.cli.output import json_option, print_json, print_table, user_code
from multicloud.project import Project


@click.command()
@click.argument("stage")
@click.option(
    "--output",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the zips and manifest.json.",
)
@click.option(
    "--python", metavar="VERSION", help="The Python that functions run, such as 3.12.  [default: the stage's]"
)
@json_option
def command(stage: str, output: Path, python: str | None, as_json: bool) -> None:
    """Write the zip of each function, as its cloud wants it.

    STAGE names the provider. What a former run put into DIR is replaced; if this run fails, it stays.
    """
    with user_code():
        bundles = Project.load().bundle(stage, output, python=python)
    for notice in bundles.notices:
        click.echo(f"note: {notice}", err=True)
    if as_json:
        print_json({"output": str(bundles.output), "functions": [attrs.asdict(entry) for entry in bundles.entries]})
        return
    columns = ("function", "file", "bytes", "unzipped", "python", "architecture", "entry point")
    rows = [
        (
            entry.name,
            str(output / entry.file),
            f"{entry.bytes:,}",
            f"{entry.unzipped_bytes:,}",
            entry.python_version,
            entry.architecture,
            entry.entry_point,
        )
        for entry in bundles.entries
    ]
    print_table(columns, rows)
