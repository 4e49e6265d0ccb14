"""``multicloud explain``: how each provider realises what the API asks for, and what it refuses."""

from __future__ import annotations

from typing import Any

import click

from multicloud.cli.output import json_option, print_json, print_table, user_code
from multicloud.model.checks import nearest
from multicloud.project import Project
from multicloud.provider import provider_entry_points

_COLUMNS = ("provider", "feature", "level", "note")


@click.command()
@click.option("--stage", help="Explain for the provider of this stage.")
@click.option("--provider", help="Explain for this provider.  [default: every installed one]")
@json_option
def command(stage: str | None, provider: str | None, as_json: bool) -> None:
    """Show how each feature of the API is realised, and what refuses it.

    A feature is native (the gateway does it), emulated (the function does it, and the note says what that weakens) or
    refused (the note says what to do). Exits with 1 if one is refused.
    """
    if stage and provider:
        raise click.UsageError("--stage names a provider already: leave one out")
    _check_provider(provider)
    with user_code():
        project = Project.load()
        names = [project.stage(stage).provider] if stage else [provider] if provider else [*provider_entry_points()]
        explained = [_plain(project, name) for name in names]
    if as_json:
        print_json(explained)
    else:
        _print(explained)
    if any(feature["level"] == "refused" for one in explained for feature in one["features"]):
        click.get_current_context().exit(1)


def _check_provider(name: str | None) -> None:
    installed = provider_entry_points()
    if name is not None and name not in installed:
        hint = nearest(name, installed) or f"installed are {', '.join(installed)}"
        raise click.BadParameter(f"no provider {name!r}; {hint}", param_hint="--provider")


def _plain(project: Project, provider: str) -> dict[str, Any]:
    explanation = project.explain(provider)
    return {
        "provider": provider,
        "gateway": explanation.flavour.title,
        "why": explanation.why,
        "features": [
            {"feature": feature, "level": support.level.value, "note": support.note}
            for feature, support in explanation.features
        ],
    }


def _print(explained: list[dict[str, Any]]) -> None:
    for one in explained:
        click.echo(f"{one['provider']}: {one['gateway']}, because {one['why']}")
    click.echo()
    rows = [{**one, **feature} for one in explained for feature in one["features"]]
    if rows:
        print_table(_COLUMNS, [[row[column] for column in _COLUMNS] for row in rows])
    else:
        click.echo("The API uses no feature that gateways differ in.")
