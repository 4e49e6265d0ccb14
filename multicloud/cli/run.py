"""``multicloud run``: the API on this machine, behind the local gateway."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol, cast

import click

from multicloud.model import ApiDefinition
from multicloud.model.checks import nearest
from multicloud.project import Project
from multicloud.provider import load_provider, provider_entry_points, provider_of_shape

SERVER = "local"
"""The one provider that serves; the core knows it by name alone."""


class Server(Protocol):
    """What the local provider offers beyond ``multicloud.provider.Provider``."""

    def serve(
        self,
        *,
        load: Callable[[], ApiDefinition],
        root: Path,
        stage: str,
        host: str,
        port: int,
        reload: bool,
        shape: str | None,
    ) -> None:
        """Serve what load returns until told to stop."""


@click.command()
@click.option("--stage", help="The stage that handlers see.  [default: MULTICLOUD_STAGE, else local]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@click.option("--reload", is_flag=True, help="Start anew when a file of the project changes.")
@click.option(
    "--as", "shape", metavar="SHAPE", help="Send requests through a cloud's events: aws, aws-rest, gcp, azure."
)
def command(stage: str | None, host: str, port: int, reload: bool, shape: str | None) -> None:
    """Serve the API on this machine."""
    if shape is not None:
        _check_shape(shape)
    project = Project.load()
    server = cast("Server", load_provider(SERVER))
    server.serve(
        load=partial(load_definition, project.root / project.config),
        root=project.root,
        stage=project.stage_name(stage),
        host=host,
        port=port,
        reload=reload,
        shape=shape,
    )


def load_definition(path: Path) -> ApiDefinition:
    """Load the project and its definition; with --reload in the process that serves, so that multicloud.toml counts."""
    return Project.load(path).definition()


def _check_shape(shape: str) -> None:
    """Refuse an event shape that no installed provider has."""
    installed = provider_entry_points()
    known = provider_of_shape(shape).shapes if shape.partition("-")[0] in installed else tuple(installed)
    if shape not in known:
        hint = nearest(shape, known) or f"known are {', '.join(known)}"
        raise click.BadParameter(f"no event shape {shape!r}; {hint}", param_hint="--as")
