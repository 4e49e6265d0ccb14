"""The application behind the edge in these tests: it says what reached it, and misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

SEEN: list[dict[str, Any]] = []
"""The scope of every request that reached the application."""


async def echo(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    SEEN.append(scope)
    route = ROUTES.get(scope["path"], describe)
    await route(scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    for kind in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{kind}.complete"})


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Any) -> bytes | None:
    """Return the body, None if it did not come whole."""
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)
    return None


async def describe(scope: Any, receive: Any, send: Any) -> None:
    body = await read(receive)
    if body is None:
        if scope.get("multicloud.too_large"):
            await answer(send, 413, b"said by the application", (b"access-control-allow-origin", b"https://a.example"))
        return
    said = {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "body": body.decode("latin-1"),
        "version": scope["http_version"],
    }
    await answer(send, 200, json.dumps(said).encode(), (b"content-type", b"application/json"))


async def early(scope: Any, receive: Any, send: Any) -> None:
    """Answer without reading the body."""
    await answer(send, 401, b"who are you?")


async def unread(scope: Any, receive: Any, send: Any) -> None:
    """Return without an answer once the body is over."""
    await read(receive)


async def raises(scope: Any, receive: Any, send: Any) -> None:
    raise GeneratorExit("not even an Exception")


async def raises_midway(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ValueError("midway")


async def injects(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, 200, b"", (b"x-a", b"b\r\nset-cookie: c=d"))


async def lies(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, 200, b"longer", (b"content-length", b"2"))


async def streams(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"transfer-encoding", b"chunked")]})
    for part in (b"one", b"", b"two"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def empty(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, 204, b"", (b"content-length", b"0"))


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, 200, b"")


async def slow(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0.4)
    await answer(send, 200, b"slow")


async def waits(scope: Any, receive: Any, send: Any) -> None:
    """Wait until the client has left, and note it."""
    await read(receive)
    scope["left"] = (await receive())["type"]


async def large(scope: Any, receive: Any, send: Any) -> None:
    """Send more than any socket buffer holds."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(200):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body"})


ROUTES = {
    "/early": early,
    "/unread": unread,
    "/raises": raises,
    "/raises-midway": raises_midway,
    "/injects": injects,
    "/lies": lies,
    "/streams": streams,
    "/empty": empty,
    "/nothing": nothing,
    "/slow": slow,
    "/waits": waits,
    "/large": large,
}
