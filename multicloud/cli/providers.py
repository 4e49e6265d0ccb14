"""``multicloud providers``: which clouds this installation knows, and what each still needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution
from typing import Any

import click

from multicloud.cli.output import json_option, print_json, print_table
from multicloud.provider import load_provider, provider_entry_points

_COLUMNS = ("provider", "package", "version", "status")


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the installed providers.

    The status is "ready", or what to do until the provider is.
    """
    rows = [_row(point) for point in provider_entry_points().values()]
    if as_json:
        print_json(rows)
    else:
        print_table(_COLUMNS, [[row[column] for column in _COLUMNS] for row in rows])


def _row(point: EntryPoint) -> dict[str, Any]:
    owner = point.dist
    package = owner.name if owner else ""
    missing = [*_missing(owner, point.name)] if owner else []
    return {
        "provider": point.name,
        "package": package,
        "version": owner.version if owner else "",
        "status": f"pip install '{package}[{point.name}]'" if missing else _fault(point.name) or "ready",
        "missing": missing,
    }


def _missing(owner: Distribution, extra: str) -> Iterator[str]:
    """Yield the packages of a provider's extra (it bears the provider's name) that are not installed."""
    for requirement in owner.requires or ():
        package, _, marker = requirement.partition(";")
        if not re.fullmatch(rf"""\s*extra\s*==\s*["']{re.escape(extra)}["']\s*""", marker):
            continue
        name = re.split(r"[^A-Za-z0-9._-]", package.strip(), maxsplit=1)[0]
        try:
            distribution(name)
        except PackageNotFoundError:
            yield name


def _fault(name: str) -> str:
    """Return why a provider cannot be imported; empty if it can."""
    try:
        load_provider(name)
    except Exception as error:
        return f"cannot be loaded: {type(error).__name__}: {error}"
    return ""
