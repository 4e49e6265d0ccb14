"""Requests over a socket exactly as they stand: nothing normalised, repeats kept."""

from __future__ import annotations

import http.client
import socket
from typing import Any

from multicloud.provider import HttpRequest, HttpResponse

SECONDS = 20.0


def send(port: int, request: HttpRequest) -> HttpResponse:
    """Send one request to 127.0.0.1 on a connection of its own. Raises OSError or HTTPException without an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        sender = connection.dup()
        try:
            sender.sendall(render(request, port))
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the body was read: the answer may be here all the same
        finally:
            sender.close()
        return read_answer(connection, request.method)


def render(request: HttpRequest, port: int) -> bytes:
    """Return the bytes of a request; ``Host`` is added if it is not among the headers."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in request.headers):
        lines.append(f"Host: 127.0.0.1:{port}")
    lines += [f"{name}: {value}" for name, value in request.headers]
    lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


def read_answer(connection: Any, method: str) -> HttpResponse:
    """Read one answer."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    try:
        pairs = tuple((name.lower(), value) for name, value in response.getheaders())
        return HttpResponse(response.status, pairs, response.read())
    finally:
        response.close()
