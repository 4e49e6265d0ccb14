"""Mounted ASGI applications (ASGI 3.0), FastAPI and Starlette among them. Imported where one is mounted.

The application's lifespan runs once in an instance, at its first request, never once a request.
"""

from __future__ import annotations

import asyncio

from multicloud.runtime.logs import log_failure
from multicloud.runtime.mounts import to_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

    from multicloud.runtime.request import Request
    from multicloud.runtime.response import Response

    Message = dict[str, Any]


class Lifespan:
    """Runs an application's lifespan protocol (ASGI specification, "Lifespan")."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Return when the application has started. Raises RuntimeError, at each request, if it could not."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._received.put_nowait({"type": "lifespan.startup"})
            self._task = asyncio.ensure_future(self._run())
            # Where no platform says that an instance ends, the task dies with it: nothing to warn of.
            self._task._log_destroy_pending = False  # type: ignore[attr-defined] # as asyncio's own gather() does
        await asyncio.shield(self._ready)

    async def stop(self) -> None:
        """Tell a started application to shut down, and wait for it."""
        if self._task is not None and not self._task.done():
            self._received.put_nowait({"type": "lifespan.shutdown"})
            await self._stopped.wait()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._received.get, self._send)
        except Exception:  # the specification: an application without lifespan support may raise
            self._settle(None)
        self._settle(None)
        self._stopped.set()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.failed":
            self._settle(RuntimeError(f"the mounted application did not start: {message.get('message', '')}"))
        elif kind == "lifespan.startup.complete":
            self._settle(None)
        else:
            self._stopped.set()

    def _settle(self, error: Exception | None) -> None:
        if self._ready is not None and not self._ready.done():
            if error is None:
                self._ready.set_result(None)
            else:
                self._ready.set_exception(error)


class AsgiMount:
    """Answers requests under a prefix. strict: see ``multicloud.runtime.mounts.to_response``.

    waits: whether to answer only when the application has returned, its background tasks included: for platforms that
    send nothing before, and may stop the instance after.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], prefix: str, *, strict: bool, waits: bool) -> None:
        self._app = app
        self._prefix = prefix
        self._strict = strict
        self._waits = waits
        self._lifespan: Lifespan | None = None

    async def answer(self, request: Request) -> Response:
        """Call the application for one request; return when it has sent its headers."""
        if self._lifespan is None:
            self._lifespan = Lifespan(self._app)
        await self._lifespan.start()
        exchange = _Exchange(request)
        task = asyncio.ensure_future(self._app(self._scope(request), exchange.receive, exchange.send))
        task.add_done_callback(exchange.finish)
        try:
            start = await exchange.started
            if self._waits:
                await asyncio.wait({task})
        except BaseException:
            task.cancel()
            raise
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
        body: Any = exchange.chunks()
        if exchange.is_complete:
            body = b"".join([chunk async for chunk in body])
        return to_response(request, start["status"], headers, body, strict=self._strict)

    async def stop(self) -> None:
        """Shut the application down, where the platform tells us that the instance ends."""
        if self._lifespan is not None:
            await self._lifespan.stop()

    def _scope(self, request: Request) -> Message:
        raw_path = request.raw_path
        headers = [
            (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in request.headers.items()
        ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "https",
            "path": request.path,
            "raw_path": None if raw_path is None else raw_path.encode("utf-8", "replace"),
            "root_path": self._prefix,
            "query_string": request.raw_query.encode("utf-8", "replace"),
            "headers": headers,
            "client": (request.client_ip, 0) if request.client_ip else None,
            "server": None,
            "state": dict(self._lifespan.state) if self._lifespan is not None else {},
            "multicloud.request": request,
        }


class _Exchange:
    """The messages of one request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._body: bytes | None = request.body
        self._chunks: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self._ended = asyncio.Event()
        self.started: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.is_complete = False
        self._start: Message | None = None

    async def receive(self) -> Message:
        if self._body is None:
            await self._ended.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._chunks.put_nowait(message.get("body", b""))
            if not message.get("more_body", False):
                self.is_complete = True
                self._end(None)
            self._reveal()

    def finish(self, task: asyncio.Future[None]) -> None:
        """Take note that the application returned, or raised."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None and self.is_complete and not task.cancelled():
            # Starlette answers 500 itself and raises nonetheless, for the server to log.
            log_failure(self._request, error)
        if error is None and self._start is None:
            error = RuntimeError("the mounted ASGI application sent no response")
        if not self.started.done() and error is not None:
            self.started.set_exception(
                RuntimeError("cancelled") if isinstance(error, asyncio.CancelledError) else error
            )
        else:
            self._reveal()
        self._end(error)

    def _reveal(self) -> None:
        if self._start is not None and not self.started.done():
            self.started.set_result(self._start)

    def _end(self, error: BaseException | None) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._chunks.put_nowait(error)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as the application sends it. Raises what the application raised half-way."""
        while (chunk := await self._chunks.get()) is not None:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk
