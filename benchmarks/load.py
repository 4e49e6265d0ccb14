"""Load for the ``server`` measurement: wrk where it is installed, else a generator of our own on asyncio."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Sequence

ORIGIN = "origin: https://shop.example.com"


def requests_per_second(port: int, connections: int, seconds: float, headers: Sequence[str] = ()) -> float:
    """Return how many GET /hello a server on 127.0.0.1 answers over kept-alive connections.

    headers: further ones, as ``name: value``. Raises RuntimeError if it answers one of them with anything but 200.
    """
    if shutil.which("wrk"):
        return _wrk(port, connections, seconds, (ORIGIN, *headers))
    return asyncio.run(_generate(port, connections, seconds, (ORIGIN, *headers)))


def tool() -> str:
    """Return what makes the load."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def _wrk(port: int, connections: int, seconds: float, headers: Sequence[str]) -> float:
    url = f"http://127.0.0.1:{port}/hello"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    for header in headers:
        command += ["-H", header]
    text = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if found is None or "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    return float(found[1])


class _Connection(asyncio.Protocol):
    """Sends a request as soon as the last one is answered; all answers are of one length."""

    def __init__(self, request: bytes) -> None:
        self.answered = 0
        self.failed = b""
        self._request = request
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE) if end else None
        if length is None or len(body) < int(length[1]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.failed = head
        self.answered += 1
        self._received = b""
        self.transport.write(self._request)


async def _generate(port: int, connections: int, seconds: float, headers: Sequence[str]) -> float:
    loop = asyncio.get_running_loop()
    request = "\r\n".join(["GET /hello HTTP/1.1", f"host: 127.0.0.1:{port}", *headers, "", ""]).encode()
    made = [_Connection(request) for _ in range(connections)]
    for connection in made:
        await loop.create_connection(lambda connection=connection: connection, "127.0.0.1", port)  # type: ignore[misc]
    begun, already = time.perf_counter(), sum(connection.answered for connection in made)
    await asyncio.sleep(seconds)
    answered, spent = sum(connection.answered for connection in made) - already, time.perf_counter() - begun
    for connection in made:
        if connection.failed:
            raise RuntimeError(connection.failed.decode("latin-1"))
        connection.transport.abort()
    return answered / spent
