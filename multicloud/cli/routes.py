"""``multicloud routes``: what the API answers, and which function does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from multicloud.cli.output import json_option, print_json, print_table, user_code
from multicloud.model import ApiDefinition
from multicloud.project import Project

_COLUMNS = ("method", "path", "function", "operation_id", "authorizer")


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the routes of the API.

    A mounted application is listed with ASGI or WSGI in place of a method.
    """
    with user_code():
        definition = Project.load().definition()
    rows = list(_rows(definition))
    if as_json:
        print_json(rows)
    else:
        print_table(_COLUMNS, [[_cell(row[column]) for column in _COLUMNS] for row in rows])


def _rows(definition: ApiDefinition) -> Iterator[dict[str, Any]]:
    """Yield a route or mount as plain values; authorizer: the names of the alternatives, empty if anyone may call."""
    for function in definition.functions:
        for route in function.routes:
            allowed = [type(one).__name__ for one in definition.authorizers(function, route)]
            values = (route.method, route.path, function.name, route.operation_id, allowed)
            yield dict(zip(_COLUMNS, values, strict=True))
        for mount in function.mounts:
            allowed = [type(one).__name__ for one in definition.authorizers(function)]
            yield dict(zip(_COLUMNS, (mount.kind.upper(), mount.prefix, function.name, None, allowed), strict=True))


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else value or ""
