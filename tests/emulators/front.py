"""A small strict HTTP/1.1 front over httptools: what the AWS and Azure hosts listen with.

It hands on what stood on the wire (method, target bytes unnormalised, header pairs in order, body) and writes back what
it is given. Ambiguous framing is refused with 400 and the connection closed. llhttp, under httptools, knows a fixed
list of methods: one outside it is a 400 too, where a vendor's front may pass it on.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import httptools

_LOG = logging.getLogger(__name__)
_BODILESS = frozenset({204, 304})
_UNSENDABLE = re.compile(r"[\0\r\n]|[^\0-\xff]")


class UnsendableError(Exception):
    """A response that no HTTP server could write; the client gets an empty 500."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request as sent. headers: names as written, values latin-1. chunked: the body came with chunked framing."""

    method: str
    target: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: tuple[str, int]
    chunked: bool

    def values(self, name: str) -> list[str]:
        """Return the values of each header of that lower-case name, in order."""
        return [value for key, value in self.headers if key.lower() == name]

    def path_and_query(self) -> tuple[str, str | None]:
        """Return the raw path and the raw query (None without ``?``) of an origin-form or absolute-form target."""
        target = self.target.decode("latin-1")
        if not target.startswith("/") and "://" in target:
            target = "/" + target.partition("://")[2].partition("/")[2]
        path, mark, query = target.partition("?")
        return path, query if mark else None


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One answer as it will stand on the wire, but for Date, Connection and a Content-Length that is not given."""

    status_code: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


Answer = Callable[[WireRequest], Awaitable[WireResponse]]


class Front:
    """A listener on 127.0.0.1 that answers each request with ``answer``; a connection's requests run one by one."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on a free port and return it."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Stop listening and cut the connections that are open."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, front: Front) -> None:
        self._front = front
        self._requests: deque[tuple[WireRequest, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._refused = False
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = tuple(transport.get_extra_info("peername")[:2])
        self._front.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.connections.discard(self)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refused = True
            self._wake()

    # What httptools calls while it reads.

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        names = [name.lower() for name, _ in self._headers]
        if names.count("host") > 1 or ("host" not in names and self._parser.get_http_version() == "1.1"):
            raise ValueError("a request has exactly one Host")
        if names.count("content-length") + names.count("transfer-encoding") > 1:
            raise ValueError("a body has exactly one framing")
        if ("expect", "100-continue") in ((name.lower(), value.lower()) for name, value in self._headers):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        request = WireRequest(
            self._parser.get_method().decode("ascii"),
            self._target,
            tuple(self._headers),
            b"".join(self._body),
            self._peer,
            any(name.lower() == "transfer-encoding" for name, _ in self._headers),
        )
        self._requests.append((request, self._parser.should_keep_alive()))
        self._wake()

    # The answers, one after the other, so that pipelined requests keep their order.

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while self._requests:
            request, keep_alive = self._requests.popleft()
            try:
                rendered = _render(await self._front.answer(request), request.method == "HEAD", keep_alive)
            except UnsendableError:
                rendered = _render(WireResponse(500), request.method == "HEAD", keep_alive)
            except Exception:
                _LOG.exception("the emulator itself failed on %s %r", request.method, request.target)
                rendered = _render(WireResponse(500), request.method == "HEAD", keep_alive)
            self._transport.write(rendered)
            if not keep_alive:
                self._transport.close()
                return
        if self._refused:
            self._transport.write(_render(WireResponse(400), head=False, keep_alive=False))
            self._transport.close()


def _render(response: WireResponse, head: bool, keep_alive: bool) -> bytes:
    """Return the bytes of a response. Raises UnsendableError."""
    try:
        reason = HTTPStatus(response.status_code).phrase
    except ValueError:
        reason = ""
    bodiless = response.status_code in _BODILESS
    lines = [f"HTTP/1.1 {response.status_code} {reason}", f"date: {formatdate(usegmt=True)}"]
    stated = False
    for name, value in response.headers:
        if name.lower() == "content-length":
            stated = True
            if bodiless:
                continue
            if not head and value != str(len(response.body)):
                raise UnsendableError("the stated length is not the body's")
        if _UNSENDABLE.search(name + value):
            raise UnsendableError(f"the header {name!r} cannot be written")
        lines.append(f"{name}: {value}")
    if not stated and not bodiless:
        lines.append(f"content-length: {len(response.body)}")
    if not keep_alive:
        lines.append("connection: close")
    block = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return block if head or bodiless else block + response.body
