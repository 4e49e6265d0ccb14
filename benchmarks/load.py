"""Load for the ``server`` measurement: wrk where it is installed, else a generator of our own on asyncio."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time

REQUEST = b"GET /hello HTTP/1.1\r\nhost: 127.0.0.1:%d\r\norigin: https://shop.example.com\r\n\r\n"


def requests_per_second(port: int, connections: int, seconds: float) -> float:
    """Return how many GET /hello a server on 127.0.0.1 answers over kept-alive connections.

    Raises RuntimeError if it answers one of them with anything but 200.
    """
    if shutil.which("wrk"):
        return _wrk(port, connections, seconds)
    return asyncio.run(_generate(port, connections, seconds))


def tool() -> str:
    """Return what makes the load."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def _wrk(port: int, connections: int, seconds: float) -> float:
    url = f"http://127.0.0.1:{port}/hello"
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "-H",
        "origin: https://shop.example.com",
    ]
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


async def _generate(port: int, connections: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    made = [_Connection(REQUEST % port) for _ in range(connections)]
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
