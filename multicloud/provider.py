"""What the core knows of a cloud: the Provider protocol, and where providers are found.

A provider is a class registered under the entry point group ``multicloud.providers``. It is loaded when a stage
names it, so that an absent SDK of one cloud costs users of another nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import attrs

from multicloud.errors import ProviderError
from multicloud.model import ApiDefinition

GROUP = "multicloud.providers"

Config = Mapping[str, Any]
"""The plain literals that ``multicloud.deploy.entry`` compiles a definition into; see its docstring for the shape."""


@attrs.frozen
class HttpRequest:
    """One HTTP request as it stands on the wire.

    target: path and query, percent-encoded, as in the request line. headers: pairs in the order sent.
    client_ip: the peer's address as the platform would state it.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client_ip: str = "127.0.0.1"

    @property
    def raw_path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """The query without ``?``, still percent-encoded; empty if there is none."""
        return self.target.partition("?")[2]


@attrs.frozen
class HttpResponse:
    """One HTTP answer as it stands on the wire. headers: pairs, names in lower case."""

    status_code: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Exchange = Callable[[HttpRequest], HttpResponse]


@attrs.frozen
class BundleLayout:
    """How a cloud wants a function's zip.

    packages_prefix: folder inside the zip for dependencies and the runtime, "" for the root.
    runtime_package: the provider's own package, whose ``runtime.py`` ships.
    entry_point: what the platform is told to call.
    max_zip_bytes, max_unzipped_bytes: the platform's limits; None where it states none.
    """

    packages_prefix: str
    runtime_package: str
    entry_point: str
    max_zip_bytes: int | None
    max_unzipped_bytes: int | None


@attrs.frozen
class EntrySource:
    """What a provider needs to write a function's entry module.

    imports: modules to import, each as (module, alias). objects: one expression for each of the user's objects
    that the config refers to by index. config: the literals, as ``Config`` says.
    """

    api: str
    function: str
    imports: Sequence[tuple[str, str]]
    objects: Sequence[str]
    config: Config


class Level(Enum):
    """How a provider realises a feature."""

    NATIVE = "native"
    EMULATED = "emulated"
    REFUSED = "refused"


@attrs.frozen
class Support:
    """How a flavour realises one feature of a definition.

    note: for ``EMULATED`` what that weakens, for ``REFUSED`` what to do instead, for ``NATIVE`` what differs or what is
    not yet so; one sentence.
    """

    level: Level
    note: str = ""


@attrs.frozen
class Flavour:
    """One kind of gateway that a provider can put in front of functions.

    name: short, unique for the provider. title: as the vendor calls it. support: every feature of
    ``multicloud.deploy.support.FEATURES`` to how it is realised.
    """

    name: str
    title: str
    support: Mapping[str, Support]


@attrs.frozen
class Choice:
    """Which flavour a definition leads to. flavour: its name. why: half a sentence, as after "because"."""

    flavour: str
    why: str


class Provider(Protocol):
    """One cloud. Providers hold no state: the class is instantiated once per use."""

    name: str
    shapes: tuple[str, ...]
    """The event shapes that ``connect`` knows, the default one first: ``("aws", "aws-rest", ...)``."""
    python_versions: tuple[str, ...]
    """The Python versions that the platform runs, oldest first."""
    layout: BundleLayout | None
    """None where functions are not bundled (the local provider)."""

    flavours: tuple[Flavour, ...]
    """The gateways that it can put in front, the plainest first."""

    def flavour_of(self, definition: ApiDefinition) -> Choice:
        """Return which of them a definition leads to, and why. Pure."""

    def render_entry(self, source: EntrySource) -> Mapping[str, bytes]:
        """Return the generated files of a bundle: path inside the zip to content."""

    def connect(self, shape: str, config: Config, objects: Sequence[object]) -> Exchange:
        """Return a function that sends a request through this cloud's event shape and runtime, in this process.

        Raises MissingDependency if the event's own package is absent.
        """


def provider_entry_points() -> dict[str, EntryPoint]:
    """Return the installed providers by name, none of them imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def load_provider(name: str) -> Provider:
    """Import and return the provider of that name. Raises ProviderError if there is none."""
    installed = provider_entry_points()
    if name not in installed:
        raise ProviderError(f"no provider {name!r}; installed: {', '.join(installed) or 'none'}")
    provider: Provider = installed[name].load()()
    return provider


def provider_of_shape(shape: str) -> Provider:
    """Return the provider that knows an event shape: ``aws-rest`` is known by ``aws``."""
    return load_provider(shape.partition("-")[0])
