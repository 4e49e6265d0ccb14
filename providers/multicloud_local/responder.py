"""One exchange with the application: ASGI's scope, receive and send on one side, ``Connection`` on the other.

The head of the answer is held back until its body begins, so that a plain answer is one write and its length is known
even where the application did not say it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from multicloud.runtime.errors import REASONS
from multicloud_local.http1 import has_controls
from multicloud_local.problems import problem_body, problem_headers

if TYPE_CHECKING:
    from multicloud_local.protocol import Connection

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application: called with scope, receive and send."""

CHECKED = "multicloud.checked"
"""Scope key, True always: sizes and repeated headers have been checked here."""

TOO_LARGE = "multicloud.too_large"
"""Scope key, True once the body is known to be over the limit: by its stated length before the application is called,
chunked when it passes the limit. ``receive`` then gives ``http.disconnect``; the application answers 413 in its turn,
after path, method and authoriser, and the connection closes."""

logger = logging.getLogger("multicloud.local")


def _status_line(status: int) -> bytes:
    try:
        phrase = REASONS.get(status) or HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}
BODILESS = frozenset((204, 304))


class Responder:
    """Drives the application for one request and writes its answer.

    complete: the request's body is in. answered: the response is out. close: no request may follow.
    started: a part of it is out. disconnected: nobody is there to be answered. status: of the answer, 0 before it.
    began: seconds of ``time.perf_counter``; target: as sent; both for the log.
    """

    __slots__ = (
        "_chunked",
        "_delivered",
        "_head",
        "_left",
        "_waiter",
        "answered",
        "awaits_continue",
        "began",
        "body",
        "close",
        "complete",
        "connection",
        "disconnected",
        "scope",
        "started",
        "status",
        "target",
    )

    def __init__(
        self, connection: Connection, scope: Scope, *, complete: bool, close: bool, awaits_continue: bool
    ) -> None:
        self.connection = connection
        self.scope = scope
        self.complete = complete
        self.close = close
        self.awaits_continue = awaits_continue
        self.body = b""
        self.status = 0
        self.began = 0.0
        self.target = b""
        self.answered = self.disconnected = self.started = self._delivered = False
        self._waiter: asyncio.Future[None] | None = None
        self._head: list[bytes] | None = None  # of a response that is held back
        self._chunked = False
        self._left: int | None = None  # bytes that the stated length still promises

    async def run(self, app: Application) -> None:
        """Call the application; whatever it does, there is one answer or a closed connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except (KeyboardInterrupt, SystemExit):
            self.connection.abort()
            raise
        except asyncio.CancelledError:
            self._fail(503, "The gateway is stopping.")
        except BaseException:
            # A handler may raise anything, GeneratorExit included: the gateway outlives it.
            logger.exception("the application failed on %s %s", self.scope["method"], self.scope["path"])
            self._fail(500, "The server failed.")
        else:
            if self._too_large:
                self._fail(413, self.connection.too_large_detail)
            elif not self.answered and not self.disconnected:
                logger.error("the application did not answer %s %s", self.scope["method"], self.scope["path"])
                self._fail(500, "The server failed.")

    @property
    def _too_large(self) -> bool:
        return TOO_LARGE in self.scope

    def _fail(self, status: int, detail: str) -> None:
        if self.answered or self.disconnected:
            return
        if self.started:
            # Half an answer is on its way: only the cut tells the client.
            self.connection.abort()
            return
        body = problem_body(status, detail)
        self._chunked = False
        self.close = True
        self._start(status, problem_headers(body))
        self._write(body, more=False)

    # The request.

    def wake(self) -> None:
        """Let ``receive`` look again: a part of the body came, or its end, or the client left."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def receive(self) -> Message:
        """Return the next part of the body; ``http.disconnect`` once there is nothing more to wait for."""
        if self.awaits_continue and not self._too_large and not self.started:
            self.awaits_continue = False
            if not self.complete:
                self.connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self._ready():
            self.connection.resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.disconnected or self.answered or self._too_large:
            return {"type": "http.disconnect"}
        body, self.body = self.body, b""
        self._delivered = self.complete
        return {"type": "http.request", "body": body, "more_body": not self.complete}

    def _ready(self) -> bool:
        return bool(
            self.body
            or (self.complete and not self._delivered)
            or self.disconnected
            or self.answered
            or self._too_large
        )

    # The response.

    async def send(self, message: Message) -> None:
        """Take the answer's start, then its body. Raises RuntimeError for what cannot be sent as HTTP."""
        connection = self.connection
        if connection.writable is not None:
            await connection.writable
        if self.disconnected:
            return
        kind = message["type"]
        if self.answered:
            raise RuntimeError(f"{kind} was sent after the answer's end")
        if kind == "http.response.body" and self.status:
            self._write(message.get("body", b""), more=message.get("more_body", False))
        elif kind == "http.response.start" and not self.status:
            self._start(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"{kind} cannot be sent now")

    def _start(self, status: int, headers: Any) -> None:
        head = [STATUS_LINES[status], self.connection.default_lines()]
        for name, value in headers:
            if name == b"content-length":
                if status == 204:
                    continue
                self._left = int(value)
            elif name == b"connection":
                self.close = self.close or b"close" in value.lower()
                continue
            elif name in (b"transfer-encoding", b"keep-alive", b"upgrade"):
                continue  # framing is the server's
            head.append(b"%b: %b\r\n" % (name, value))
        if has_controls(b"".join(head), len(head) - (not head[1])):
            raise RuntimeError("a response header holds a control character")
        self.status = status
        self._head = head

    def _write(self, body: bytes, *, more: bool) -> None:
        content = self._end_head(body, more=more) if self._head is not None else []
        if self.scope["method"] == "HEAD" or self.status in BODILESS:
            self._left = None
        elif self._chunked:
            if body:
                content += (b"%x\r\n" % len(body), body, b"\r\n")
            if not more:
                content.append(b"0\r\n\r\n")
        elif body:
            if self._left is not None:
                if len(body) > self._left:
                    raise RuntimeError("the response's body is longer than its content-length")
                self._left -= len(body)
            content.append(body)
        if self._left and not more:
            raise RuntimeError("the response's body is shorter than its content-length")
        if content:
            self.started = True
            self.connection.write(b"".join(content))
        if more:
            return
        self.answered = True
        self.wake()
        self.connection.response_ended(self)

    def _end_head(self, body: bytes, *, more: bool) -> list[bytes]:
        """Return the head, now that the first part of the body tells how to frame it."""
        head = self._head or []
        self._head = None
        if self.awaits_continue and not self.complete:
            # Whether the client will send its body after this answer cannot be known.
            self.close = True
        if self._left is None and self.status not in BODILESS:
            if not more:
                if self.scope["method"] != "HEAD" or body:
                    head.append(b"content-length: %d\r\n" % len(body))
                    self._left = len(body)
            elif self.scope["http_version"] == "1.1":
                self._chunked = True
                head.append(b"transfer-encoding: chunked\r\n")
            else:
                self.close = True
        head.append(b"connection: close\r\n\r\n" if self.close else b"\r\n")
        return head
