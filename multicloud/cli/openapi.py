"""``multicloud openapi``: the API's contract, for whoever calls it."""

from __future__ import annotations

import json

import click

from multicloud.cli.output import print_json, user_code
from multicloud.project import Project


@click.command()
@click.option("--format", "form", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
@click.option("--provider", help="Fail for what this provider would refuse.  [default: none is asked]")
def command(form: str, provider: str | None) -> None:
    """Print the API's OpenAPI document.

    It is the same for every provider: one that cannot keep a promise of it refuses the definition instead.
    """
    with user_code():
        document = Project.load().openapi(provider=provider)
    if form == "json":
        print_json(document)
        return
    import yaml

    # A parsed copy holds no object twice: yaml would write an alias for it, which few readers of OpenAPI know.
    click.echo(yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False, allow_unicode=True), nl=False)
