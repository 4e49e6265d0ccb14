"""Sends an HTTP request through the local gateway's runtime, in this process and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from threading import Thread
from typing import TYPE_CHECKING, Any

from multicloud.provider import Config, Exchange, HttpRequest, HttpResponse
from multicloud_local.runtime import create_handler

if TYPE_CHECKING:
    from multicloud_local.runtime import AsgiApplication


def connect(shape: str, config: Config, objects: Sequence[object]) -> Exchange:
    """Return the exchange of compiled functions. Their coroutines run on one loop in a thread of its own."""
    app = create_handler(config, objects)
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="multicloud-test", daemon=True).start()

    def exchange(request: HttpRequest) -> HttpResponse:
        return asyncio.run_coroutine_threadsafe(_call(app, request), loop).result()

    return exchange


async def _call(app: AsgiApplication, request: HttpRequest) -> HttpResponse:
    scope = {
        "type": "http",
        "method": request.method,
        "raw_path": request.raw_path.encode("latin-1"),
        "query_string": request.raw_query.encode("latin-1"),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
        "client": (request.client_ip, 0),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"])
    return HttpResponse(sent[0]["status"], headers, b"".join(message["body"] for message in sent[1:]))
