"""Raw sockets for these tests: what was sent is what is written here."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

HOST = "Host: localhost\r\n"
PATIENCE = 10.0


@attrs.frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        assert self.headers["content-type"] == "application/problem+json"
        document = json.loads(self.body)
        assert json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() == self.body
        return document


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.buffer = b""

    def send(self, raw: str | bytes) -> None:
        self.socket.sendall(raw.encode("latin-1") if isinstance(raw, str) else raw)

    def receive(self) -> bytes:
        """Return what came, empty at the end of the connection. A reset after the answer is an end too."""
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def answer(self, *, head_only: bool = False) -> Answer:
        """Read one answer. Fails on anything that is not exactly framed."""
        head = self._until(b"\r\n\r\n").decode("latin-1")
        line, *lines = head.split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z -]*", line)
        assert match, line
        headers = dict(each.lower().split(": ", 1) for each in lines)
        if head_only or int(match[1]) < 200 or int(match[1]) in (204, 304):
            return Answer(int(match[1]), headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(int(match[1]), headers, self._chunked())
        if "content-length" not in headers:
            return Answer(int(match[1]), headers, self.rest())
        return Answer(int(match[1]), headers, self._exactly(int(headers["content-length"])))

    def rest(self) -> bytes:
        """Read until the server closes."""
        while more := self.receive():
            self.buffer += more
        rest, self.buffer = self.buffer, b""
        return rest

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self._exactly(2) == b"\r\n"
        return body

    def _until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            more = self.receive()
            assert more, f"the connection ended after {self.buffer!r}"
            self.buffer += more
        found, _, self.buffer = self.buffer.partition(end)
        return found

    def _exactly(self, length: int) -> bytes:
        while len(self.buffer) < length:
            more = self.receive()
            assert more, f"the connection ended after {self.buffer!r}"
            self.buffer += more
        found, self.buffer = self.buffer[:length], self.buffer[length:]
        return found


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    connection = Wire(port)
    try:
        yield connection
    finally:
        connection.socket.close()


def ask(port: int, raw: str | bytes) -> Answer:
    """Send on a connection of its own and read the one answer."""
    with wire(port) as connection:
        connection.send(raw)
        return connection.answer()


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
