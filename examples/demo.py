"""The main job in one run: one API, four runtimes, the same answers.

Bundle the shop for three clouds, serve each bundle with that cloud's own Python runtime and the project with the local
gateway, send the same requests to all, and compare the answers byte for byte.

Run it from the repository's root: ``make demo``.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from multicloud import ApiDefinition, Project
from multicloud.provider import load_provider
from multicloud.runtime.router import Router, build
from multicloud_local.gateway import create_application
from multicloud_local.server import background
from tests.emulators import serve

SHOP = Path(__file__).parent / "shop"
CLOUDS = ("aws", "gcp", "azure")
PROVIDERS = ("local", *CLOUDS)
SECRETS = {"MULTICLOUD_SECRET_SHOP_PARTNER_KEY": "demo-key"}
"""What a cloud's secret store would hold, and what a developer sets in the shell."""
COMPARED = (
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-type",
    "location",
    "vary",
    "www-authenticate",
)
"""Headers that the SDK answers for; the others (Date, Connection, ...) belong to each platform's own server."""


class Gateway:
    """Stands for a cloud's gateway: knows which function answers a request, and where that one listens."""

    def __init__(self, definition: ApiDefinition, ports: dict[str, int]) -> None:
        self._ports = ports
        self._routes = definition.routes
        self._router = Router(*build((route.method, route.path) for _, route in self._routes))
        self._mounts = [(mount.prefix, function.name) for function in definition.functions for mount in function.mounts]

    def port(self, method: str, path: str) -> int:
        """Return the port of the function that a request is for; any function answers a path that none has."""
        found = self._router.match(method, path)
        numbers = (
            [found[0]]
            if found
            else [number for leaf in self._router.leaves(path) for number in leaf.values() if isinstance(number, int)]
        )
        if numbers:
            return self._ports[self._routes[numbers[0]][0].name]
        for prefix, name in self._mounts:
            if path.startswith(prefix + "/"):
                return self._ports[name]
        return next(iter(self._ports.values()))


def send(port: int, case: dict[str, Any]) -> tuple[int, str]:
    """Send a request; return the status and a digest of all that the SDK answers for."""
    headers = dict(case.get("headers", {}))
    body = base64.b64decode(case["body_base64"]) if "body_base64" in case else case.get("body", "").encode()
    if "json" in case:
        body, headers["content-type"] = json.dumps(case["json"], ensure_ascii=False).encode(), "application/json"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(case["method"], case["target"], body or None, headers)
    answer = connection.getresponse()
    content = re.sub(rb'"request_id":"[^"]*"', b'"request_id":"-"', answer.read())
    # Azure's worker states a content type where there is no body to have one.
    compared = [(name, answer.getheader(name)) for name in COMPARED if content or name != "content-type"]
    cookies = answer.headers.get_all("set-cookie") or []
    digest = hashlib.sha256(repr((answer.status, compared, cookies)).encode() + content).hexdigest()
    connection.close()
    return answer.status, digest[:10]


@contextmanager
def serve_bundles(definition: ApiDefinition, cloud: str, bundles: Path) -> Iterator[tuple[Gateway, float]]:
    """Serve every function of a cloud's bundles; yield the gateway and how long the slowest took to start, in ms."""
    layout = load_provider(cloud).layout
    assert layout is not None
    with ExitStack() as stack:
        hosts = {
            function.name: stack.enter_context(
                serve(cloud, bundles / f"{function.name}.zip", layout.entry_point, SECRETS)
            )
            for function in definition.functions
        }
        ports = {name: host.port for name, host in hosts.items()}
        yield Gateway(definition, ports), max(host.startup_ms for host in hosts.values())


def main() -> int:
    """Run the demo; return 1 if any answer differs."""
    console = Console(width=max(Console().width, 110))
    os.environ.update(SECRETS)
    project = Project.load(SHOP / "multicloud.toml")
    definition = project.definition()
    cases = json.loads((SHOP / "requests.json").read_text("utf-8"))
    gateways, cold_start_ms = {}, {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for cloud in CLOUDS:
            started = time.perf_counter()
            project.bundle(cloud, folder / cloud)
            size = sum(file.stat().st_size for file in (folder / cloud).glob("*.zip"))
            console.print(f"bundled shop for {cloud}: {size / 1000:,.0f} kB in {time.perf_counter() - started:.2f} s")
            gateways[cloud], cold_start_ms[cloud] = stack.enter_context(
                serve_bundles(definition, cloud, folder / cloud)
            )
        started = time.perf_counter()
        local = stack.enter_context(background(create_application(lambda: definition, "local", None)))
        cold_start_ms["local"] = (time.perf_counter() - started) * 1000
        gateways["local"] = Gateway(definition, {function.name: local.port for function in definition.functions})
        table, differing = compare(cases, gateways)
    table.add_section()
    table.add_row("start of the runtime, ms", *(f"{cold_start_ms[provider]:.0f}" for provider in PROVIDERS), "")
    console.print(table)
    console.print("every answer is the same on every provider" if not differing else f"{differing} answers differ")
    return 1 if differing else 0


def compare(cases: list[dict[str, Any]], gateways: dict[str, Gateway]) -> tuple[Table, int]:
    """Send every request to every provider; return the table of answers and how many requests differ."""
    table = Table("request", *PROVIDERS, "same", title="One API, four runtimes: status and digest of each answer")
    differing = 0
    for case in cases:
        path = case["target"].partition("?")[0]
        answers = [send(gateways[provider].port(case["method"], path), case) for provider in PROVIDERS]
        same = len(set(answers)) == 1
        differing += not same
        target = case["target"] if len(case["target"]) <= 27 else case["target"][:26] + "…"
        target += f" ({case['note']})" if "note" in case else ""
        cells = [f"{status} {digest}" for status, digest in answers]
        table.add_row(f"{case['method']} {target}", *cells, "yes" if same else "[red]NO[/red]")
    return table, differing


if __name__ == "__main__":
    sys.exit(main())
