"""The request log: one line for each answer, columns on a terminal, JSON elsewhere.

A request only appends a tuple; lines are formatted and written about every 0.1 s, all in one write.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from json.encoder import encode_basestring_ascii as encode_string
from typing import Any, TextIO

VALUE_CHARACTERS = 2048
"""What a client can make a value hold is cut here."""
PENDING = 256
"""Records that may wait for the next flush: writing more at once would hold up the requests meanwhile."""
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, ends a line somewhere or turns the direction of text."""
COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}

Record = tuple[float, str, bytes, int, float, str, Any]


def printable(text: str) -> str:
    """Return text on one line, unsafe characters as ``\\xNN`` or ``\\uNNNN``, at most VALUE_CHARACTERS long."""
    if len(text) > VALUE_CHARACTERS:
        text = text[: VALUE_CHARACTERS - 3] + "..."
    if UNSAFE.search(text):
        text = UNSAFE.sub(_escape, text)
        if len(text) > VALUE_CHARACTERS:
            text = text[: VALUE_CHARACTERS - 3] + "..."
    return text


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class RequestLog:
    """Collects records and writes them to stream. Colours if stream is a terminal, else JSON lines."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.format = format_columns if stream.isatty() else format_json
        self.pending: list[Record] = []
        self.gone = False

    def record(self, method: str, target: bytes, status: int, elapsed_ms: float, client: str, scope: Any) -> None:
        """Note one answer. target: as sent, query included."""
        self.pending.append((time.time(), method, target, status, elapsed_ms, client, scope))
        if len(self.pending) >= PENDING:
            self.flush()

    def flush(self) -> None:
        """Write what is pending. A stream that is gone (closed pipe) silences the log, not the server."""
        if not self.pending:
            return
        if self.gone:
            self.pending.clear()
            return
        records, self.pending = self.pending, []
        try:
            self.stream.write("".join(map(self.format, records)))
            self.stream.flush()
        except (OSError, ValueError):
            self.gone = True


def format_json(record: Record) -> str:
    """Return a record as one JSON line. Spelled out: json.dumps of a dict takes twice as long."""
    when, method, target, status, elapsed_ms, client, scope = record
    second = int(when)
    request_id = scope.get("multicloud.request_id")
    tail = "" if request_id is None else f', "request_id": {encode_string(printable(str(request_id)))}'
    return (
        f'{{"time": "{_utc(second)}.{int((when - second) * 1000):03}Z", "method": {encode_string(printable(method))}, '
        f'"path": {encode_string(printable(target.decode("latin-1")))}, "status": {status}, '
        f'"ms": {elapsed_ms:.3f}, "client": {encode_string(client)}{tail}}}\n'
    )


@lru_cache(maxsize=4)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def format_columns(record: Record) -> str:
    """Return a record as one coloured line for a terminal."""
    from click import style

    _, method, target, status, elapsed_ms, _, _ = record
    colour = COLOURS.get(status // 100)
    time_text = style(f"{elapsed_ms:8.1f} ms", dim=True)
    return f"{printable(method):<8}{style(str(status), fg=colour)} {time_text}  {printable(target.decode('latin-1'))}\n"
