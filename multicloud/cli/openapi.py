"""``multicloud openapi``: the API's contract, for whoever calls it."""

from __future__ import annotations

import json

import click

from multicloud.cli.output import print_json, user_code
from multicloud.project import Project


@click.command()
@click.option("--format", "form", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
def command(form: str) -> None:
    """Print the API's OpenAPI document."""
    with user_code():
        document = Project.load().openapi()
    if form == "json":
        print_json(document)
        return
    import yaml

    # A parsed copy holds no object twice: yaml would write an alias for it, which few readers of OpenAPI know.
    click.echo(yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False, allow_unicode=True), nl=False)
