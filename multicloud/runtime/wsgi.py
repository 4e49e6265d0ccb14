"""Mounted WSGI applications (PEP 3333), Flask and Django among them. Imported where one is mounted."""

from __future__ import annotations

import sys
from io import BytesIO

from multicloud.runtime.mounts import to_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from multicloud.runtime.request import Request
    from multicloud.runtime.response import Response


class WsgiMount:
    """Answers requests under a prefix. strict: see ``multicloud.runtime.mounts.to_response``."""

    def __init__(self, app: Callable[..., Any], prefix: str, *, strict: bool) -> None:
        self._app = app
        self._prefix = prefix
        self._strict = strict

    def answer(self, request: Request) -> Response:
        """Call the application for one request."""
        started: list[Any] = []
        written: list[bytes] = []
        is_out = False

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            if exc_info is None and started:
                raise RuntimeError("the mounted WSGI application called start_response twice")
            if exc_info is not None and is_out:
                raise exc_info[1].with_traceback(exc_info[2])
            started[:] = [status, headers]
            return written.append

        chunks = self._app(self._environ(request), start_response)
        stream = _stream(chunks, written)
        # An application may call start_response as late as its first chunk, and again until one is not empty.
        first = next((chunk for chunk in stream if chunk), b"")
        is_out = True
        if not started:
            raise RuntimeError("the mounted WSGI application did not call start_response")
        status_code = int(started[0].split(" ", 1)[0])
        body: Any = first + b"".join(stream) if isinstance(chunks, (list, tuple)) else _chain(first, stream)
        return to_response(request, status_code, started[1], body, strict=self._strict)

    def _environ(self, request: Request) -> dict[str, Any]:
        path = request.path[len(self._prefix) :]
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": _latin(self._prefix),
            "PATH_INFO": _latin(path),
            "QUERY_STRING": _latin(request.raw_query),
            "SERVER_NAME": request.headers.get("host", "localhost").partition(":")[0],
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": request.client_ip,
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": BytesIO(request.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "multicloud.request": request,
        }
        for name, value in request.headers.items():
            if not value.isascii():  # a header's characters are latin-1 already; an event can hold others
                value = value.encode("latin-1", "replace").decode("latin-1")
            if name == "content-type":
                environ["CONTENT_TYPE"] = value
            elif name != "content-length":
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ


def _latin(path: str) -> str:
    """Return text as WSGI wants it: its UTF-8 bytes as latin-1."""
    return path if path.isascii() else path.encode("utf-8").decode("latin-1")


def _stream(chunks: Any, written: list[bytes]) -> Iterator[bytes]:
    """Yield what was written before each chunk and the chunk; close the application's iterable at the end."""
    try:
        for chunk in chunks:
            yield b"".join(written) + chunk
            written.clear()
        if written:
            yield b"".join(written)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
