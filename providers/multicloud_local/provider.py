"""The entry point of provider ``local``: the own machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from multicloud.errors import ProviderError
from multicloud.model import ApiDefinition
from multicloud.provider import Choice, Config, EntrySource, Exchange, Flavour, Level, Support

SUPPORT = {
    "authorizer.api_key": Support(Level.NATIVE),
    "authorizer.function": Support(Level.NATIVE),
    "authorizer.iam": Support(
        Level.REFUSED,
        "no cloud stands behind the local gateway that could verify its identities; run with --as aws, where such a "
        "route answers 401, and test it on a deployed stage",
    ),
    "authorizer.jwt": Support(Level.NATIVE),
    "scopes": Support(Level.NATIVE),
    "public": Support(Level.NATIVE),
    "cors": Support(Level.NATIVE),
    # One process serves all requests, so one counter sees all of them.
    "throttle.api": Support(Level.NATIVE),
    "throttle.function": Support(Level.NATIVE),
    "throttle.route": Support(Level.NATIVE),
    "throttle.caller": Support(Level.NATIVE),
    "throttle.address": Support(Level.NATIVE),
    "quota": Support(Level.EMULATED, "counted in the gateway's memory: a start begins anew"),
    "validation": Support(Level.NATIVE),
    "cache_seconds": Support(Level.NATIVE, "the gateway keeps answers where a Cdn is stated, else clients alone do"),
    "cdn": Support(Level.NATIVE, "kept in the gateway's memory, up to 64 MiB; nothing is compressed"),
    "domain": Support(Level.EMULATED, "the gateway answers to the names of this machine alone"),
    "encryption": Support(Level.EMULATED, "the gateway stores nothing, so there is nothing to encrypt"),
    "logging": Support(Level.EMULATED, "records go to standard error and are not kept"),
    "tracing": Support(Level.EMULATED, "handlers see the caller's trace; nothing is recorded or sent"),
    "alarms": Support(Level.EMULATED, "nothing is watched on this machine"),
}
FLAVOURS = (Flavour("gateway", "local gateway", SUPPORT),)


class LocalProvider:
    """The local gateway."""

    name = "local"
    shapes = ("local",)
    python_versions = ("3.11", "3.12", "3.13")
    layout = None
    flavours = FLAVOURS

    def flavour_of(self, definition: ApiDefinition) -> Choice:
        """Return the one there is."""
        return Choice("gateway", "there is one")

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
