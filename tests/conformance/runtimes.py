"""Where cases run: through each event shape in this process, and in the clouds' own Python runtimes as processes.

One bundle is made for each cloud, of the project under ``project/`` as a user would deploy it. A process is started at
its first case and ends with the test session.
"""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from multicloud.deploy.bundle import bundle
from multicloud.deploy.entry import compile_application
from multicloud.model.recording import define
from multicloud.provider import Exchange, load_provider
from multicloud.testing import TestClient
from tests.conformance import wire
from tests.emulators import Host, StartupError, serve
from tests.emulators.processes import modules_of

PROJECT = Path(__file__).with_name("project")
STAGE = "test"
DEPENDENCIES = ("attrs", "fastapi", "flask")
"""The distributions that the project imports."""

if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))


@cache
def recorded(api: str) -> Any:
    """Return one of the project's APIs: ``api``, ``bare``, ``behind``, ``open`` or ``touch``."""
    import conformance_api
    import conformance_bare
    import conformance_kept
    import conformance_touch

    apis = {
        "api": conformance_api.api,
        "bare": conformance_bare.bare,
        "behind": conformance_kept.behind,
        "open": conformance_bare.open_to_all,
        "touch": conformance_touch.touch,
    }
    return apis[api]


@cache
def client(api: str, shape: str) -> TestClient:
    """Return the client of an API through an event shape."""
    return TestClient(recorded(api), shape, stage=STAGE)


def lay_out(provider_name: str, folder: Path) -> Path:
    """Bundle the project's main API for a cloud, unpack it, add what the project imports, and return the folder.

    The dependencies are this interpreter's own: what uv would install needs a package index.
    """
    provider = load_provider(provider_name)
    assert provider.layout is not None
    made = bundle(define(recorded("api")), provider, PROJECT, folder / "zips", stage=STAGE)
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(made.output / made.entries[0].file) as archive:
        archive.extractall(unpacked)
    _link_dependencies(unpacked / provider.layout.packages_prefix)
    return unpacked


def _link_dependencies(packages: Path) -> None:
    """Link what the project imports into a bundle, with all that it requires; the test cloud copies what it serves."""
    installed = Path(sysconfig.get_path("purelib"))
    for module in modules_of(sys.executable, DEPENDENCIES).split(","):
        for source in (installed / module, installed / f"{module}.py"):
            if source.exists() and module != "__pycache__":
                (packages / source.name).symlink_to(source)


class Runtimes:
    """The processes of one test session, each started when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.hosts: dict[str, Host] = {}
        self._folder = folder
        self._bundles: dict[str, Path] = {}
        self._ports: dict[str, int] = {}
        self._failures: dict[str, StartupError] = {}
        self._stack = ExitStack()

    def exchange(self, process: str) -> Exchange:
        """Return what sends a request to a process over a socket. Raises StartupError, each time if it fails once."""
        if process in self._failures:
            raise self._failures[process]
        if process not in self._ports:
            try:
                self._ports[process] = self._start(process)
            except StartupError as error:
                self._failures[process] = error
                raise
        port = self._ports[process]
        return lambda request: wire.send(port, request)

    def stop(self) -> None:
        """End every process."""
        self._stack.close()

    def _start(self, process: str) -> int:
        shape = process.removesuffix("-process")
        if shape == "local":
            return self._start_gateway()
        provider = shape.partition("-")[0]
        if provider not in self._bundles:
            self._bundles[provider] = lay_out(provider, self._folder / provider)
        layout = load_provider(provider).layout
        assert layout is not None
        host = self._stack.enter_context(serve(shape, self._bundles[provider], layout.entry_point))
        self.hosts[process] = host
        return host.port

    def _start_gateway(self) -> int:
        from multicloud_local.runtime import create_handler
        from multicloud_local.server import background

        definition = define(recorded("api"))
        config, objects = compile_application(
            definition, definition.functions, provider="local", stage=STAGE, development=False
        )
        return self._stack.enter_context(background(create_handler(config, objects))).port
