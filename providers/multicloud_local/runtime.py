"""The local gateway's runtime: an ASGI application around the dispatcher, with every rule of the clouds in force.

The server in front of it (``multicloud_local.server``) refuses what is no sound HTTP message; what a cloud's platform
does beyond that is done here: timeouts, the body limit, the request id.
"""

from __future__ import annotations

from itertools import count
from os import urandom
from time import time

from multicloud.runtime.application import Application
from multicloud.runtime.endpoints import as_bytes
from multicloud.runtime.errors import HttpError
from multicloud.runtime.loops import HostLoop
from multicloud.runtime.multidict import join_headers
from multicloud.runtime.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from multicloud.runtime.response import Response

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS = 40
"""Plain handlers at a time; the others wait. A cloud would start instances instead."""

TOO_LARGE = "multicloud.too_large"
"""Key of an ASGI scope whose body is declared larger than the server reads."""

CHECKED = "multicloud.checked"
"""Key of an ASGI scope whose sizes and repeated headers the server has checked."""

_instance = urandom(6).hex()
_numbers = count(1)


class LocalRequest(Request):
    """A request of the local gateway. raw: the ASGI scope."""

    _plain: dict[str, str] | None = None

    def __init__(self, scope: Scope, receive: Receive, timeout_seconds: float) -> None:
        self.raw = scope
        self.method = scope["method"]
        self.path = scope["raw_path"].decode("latin-1")
        self._receive = receive
        self._started = time()
        self._timeout_seconds = timeout_seconds
        self._number = next(_numbers)
        self.is_checked = CHECKED in scope

    @property
    def raw_path(self) -> str | None:
        """The path of the request line."""
        return self.raw["raw_path"].decode("latin-1")  # type: ignore[no-any-return] # a scope's values have no static type

    @property
    def raw_query(self) -> str:
        """The query of the request line."""
        return self.raw["query_string"].decode("latin-1")  # type: ignore[no-any-return] # as above

    def url_bytes(self) -> int:
        """Return the length of path and query."""
        query = self.raw["query_string"]
        return len(self.raw["raw_path"]) + (len(query) + 1 if query else 0)

    def plain_headers(self) -> dict[str, str]:
        """Return the scope's headers, repeats joined."""
        plain = self._plain
        if plain is None:
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.raw["headers"]]
            plain = self._plain = join_headers(pairs)
        return plain

    async def receive_body(self, limit_bytes: int) -> bytes:
        """Return the body; reading ends one message past the limit, and does not begin if it is declared larger."""
        if self.raw.get(TOO_LARGE):
            raise HttpError(413, f"The body is over {limit_bytes} bytes.")
        chunks, size = [], 0
        while size <= limit_bytes:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                if self.raw.get(TOO_LARGE):  # a chunked body that went on past the limit
                    raise HttpError(413, f"The body is over {limit_bytes} bytes.")
                raise HttpError(400, "The body ended before its time.")
            chunk = message.get("body", b"")
            chunks.append(chunk)
            size += len(chunk)
            if not message.get("more_body", False):
                break
        return b"".join(chunks)

    def read_deadline(self) -> float:
        """Return when the gateway answers 504."""
        return self._started + self._timeout_seconds

    @property
    def client_ip(self) -> str:
        """The peer's address. Nothing trusted stands in front of this gateway, so no header is read."""
        client = self.raw.get("client")
        return client[0] if client else ""

    @property
    def request_id(self) -> str:
        """The process's id and a number."""
        return f"{_instance}-{self._number}"


async def stream_chunks(response: Response, application: Application) -> AsyncIterator[bytes]:
    """Yield the chunks of a streamed response; a plain iterator runs in a thread, for it may block."""
    stream: Any = response.stream
    if hasattr(stream, "__anext__"):
        async for chunk in stream:
            yield as_bytes(chunk)
        return
    end = object()
    while (chunk := await application.loop.run_sync(next, stream, end)) is not end:
        yield as_bytes(chunk)


async def send_response(response: Response, application: Application, send: Send) -> None:
    """Send a response, streamed if it streams."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.header_items()]
    headers += [(b"set-cookie", value.encode("latin-1")) for value in response.set_cookie_values()]
    if response.stream is None and response.status_code not in (204, 304) and "content-length" not in response.headers:
        headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if response.stream is not None:
        async for chunk in stream_chunks(response, application):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": response.body})


def create_handler(config: Mapping[str, Any], objects: Sequence[Any]) -> AsgiApplication:
    """Return the ASGI application of compiled functions. config, objects: as ``Application`` takes them."""
    loop = HostLoop(THREADS)
    application = Application(config, objects, lambda: loop, streaming=True, enforces_timeout=True)
    stage, provider = config["stage"], config["provider"]
    timeout_seconds = max(function["timeout_seconds"] for function in config["functions"])

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = LocalRequest(scope, receive, timeout_seconds)
            request.stage = stage
            request.provider = provider
            await send_response(await application.answer_async(request), application, send)
        elif scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await application.stop()
            await send({"type": "lifespan.shutdown.complete"})

    return handle
