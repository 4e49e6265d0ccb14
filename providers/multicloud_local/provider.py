"""The entry point of provider ``local``: the own machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from multicloud.errors import ProviderError
from multicloud.model import ApiDefinition
from multicloud.provider import Config, EntrySource, Exchange, Level, Support

NOT_YET = Support(Level.REFUSED, "this version does not realise it yet; leave it out, and check it in the handler")
SUPPORT = {
    "authorizer.api_key": Support(Level.NATIVE),
    "authorizer.function": Support(Level.NATIVE),
    "authorizer.iam": Support(
        Level.REFUSED,
        "no cloud stands behind the local gateway that could verify its identities; run with --as aws, where such a "
        "route answers 401, and test it on a deployed stage",
    ),
    "authorizer.jwt": Support(Level.NATIVE),
    "cache_seconds": Support(
        Level.EMULATED, "the function states it and answers 304; nothing in front keeps an answer"
    ),
    "cdn": Support(Level.NATIVE),
    "cors": Support(Level.NATIVE),
    "quota": Support(Level.EMULATED, "counted in the gateway's memory: a start begins anew"),
    "scopes": Support(Level.NATIVE),
    # One process serves all requests, so one counter sees all of them.
    "throttle": Support(Level.NATIVE),
    "throttle.address": Support(Level.NATIVE),
    "throttle.caller": Support(Level.NATIVE),
}


class LocalProvider:
    """The local gateway."""

    name = "local"
    shapes = ("local",)
    python_versions = ("3.11", "3.12", "3.13")
    layout = None
    support: Mapping[str, Support] = SUPPORT

    def render_entry(self, source: EntrySource) -> Mapping[str, bytes]:
        """Raise ProviderError: the local gateway runs the project as it lies there."""
        raise ProviderError("provider local makes no bundles; name a stage whose provider is a cloud")

    def connect(self, shape: str, config: Config, objects: Sequence[object]) -> Exchange:
        """Return an exchange through the local gateway's runtime, without its server."""
        from multicloud_local.exchange import connect

        return connect(shape, config, objects)

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
        """Run the gateway until it is told to stop.

        load: imports the user's API. root: the project's folder, watched if reload is set. shape: send each request
        through that cloud's event shape and runtime. Raises StartError if the port is taken.
        """
        from multicloud_local.gateway import serve

        serve(load=load, root=root, stage=stage, host=host, port=port, reload=reload, shape=shape)
