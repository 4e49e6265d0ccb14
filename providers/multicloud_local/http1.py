"""The grammar of HTTP/1.1 requests (RFC 9112), read strictly: bytes in, ``Head`` and body bytes out, no I/O.

Whatever two servers in a row could read differently is refused, never repaired: that is what request smuggling lives
on. Own grammar rather than llhttp (httptools): llhttp refuses unknown methods, which must reach the application to
become 405; it joins folded lines without saying so; and it does not tell where a message ends, so that a malformed
second request would be answered before the first.
"""

from __future__ import annotations

import re

import attrs

from multicloud_local.limits import Limits

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
METHOD_BYTES = 32
NAME_BYTES = 256
CONTROLS = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])
"""All but the tab. CR and LF are counted against the line ends."""
TARGET = re.compile(rb"(?:/|(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<authority>[^/?]*))[\x21\x22\x24-\x7e]*")
"""Origin form and absolute form. Printable ASCII without ``#``: a fragment is never sent."""
AUTHORITY = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")
LENGTH = re.compile(rb"0|[1-9][0-9]{0,17}")
"""No sign, no leading zero, no list, and what fits 64 bits."""
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;%b(?:=(?:%b|\"[^\"\\]*\"))?)*" % (TOKEN.pattern, TOKEN.pattern))
CHUNK_LINE_BYTES = 256
SINGLE = frozenset((b"host", b"authorization", b"content-length", b"content-type"))
"""Headers that must not be repeated: proxies disagree on which one counts."""
FRAMING = frozenset((*SINGLE, b"transfer-encoding", b"connection", b"expect"))
"""Headers that the edge itself reads."""
VERSIONS = {b"HTTP/1.1": "1.1", b"HTTP/1.0": "1.0"}

_names: dict[bytes, bytes] = {}
"""Header names seen to be well formed, to their lower case. Bounded by NAMES: clients invent names."""
NAMES = 1024


class EdgeError(Exception):
    """A request that the edge answers itself. status: the answer's. detail: one sentence for people."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


@attrs.define
class Head:
    """A request line and its headers.

    target: as sent, in absolute form too. path, query: its parts, still encoded. headers: names in lower case, in the
    order sent; ``host`` is the authority that counts. length: of the body in bytes, None if it is chunked.
    keep_alive: may another request follow. expects_continue: the client waits for 100 before it sends the body.
    """

    method: str
    target: bytes
    path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    host: bytes
    length: int | None
    keep_alive: bool
    expects_continue: bool


def has_controls(text: bytes, line_ends: int) -> bool:
    """Whether text holds a control byte other than the tab and its line ends: bare CR and LF count."""
    return len(text.translate(None, CONTROLS)) + 2 * line_ends != len(text)


def check_beginning(text: bytes, limits: Limits) -> None:
    """Raise EdgeError if text cannot become a request whatever follows it. Costs nothing once a head came whole."""
    whole = text[:-1] if text.endswith(b"\r") else text
    if has_controls(whole, whole.count(b"\r\n")):
        raise EdgeError(400, "The request holds a bare line end or a control character.")
    line, line_end, rest = text.partition(b"\r\n")
    if line_end:
        parse_request_line(line, limits)
    elif len(line) > METHOD_BYTES and b" " not in line[: METHOD_BYTES + 1]:
        raise EdgeError(400, "The method is not a token.")
    elif len(line) > METHOD_BYTES + limits.url_bytes + len("  HTTP/1.1\r"):
        raise EdgeError(414, f"The URL is longer than {limits.url_bytes} bytes.")
    if len(rest) > limits.header_bytes + 2:
        raise EdgeError(431, f"The headers are larger than {limits.header_bytes} bytes.")


def parse_head(text: bytes, limits: Limits) -> Head:
    """Read a request's head, without the empty line that ends it. Raises EdgeError if anything about it is unclear."""
    lines = text.split(b"\r\n")
    if has_controls(text, len(lines) - 1):
        raise EdgeError(400, "The request holds a bare line end or a control character.")
    method, target, version = parse_request_line(lines[0], limits)
    if len(lines) - 1 > limits.header_count:
        raise EdgeError(431, f"There are more than {limits.header_count} headers.")
    if len(text) - len(lines[0]) > limits.header_bytes:
        raise EdgeError(431, f"The headers are larger than {limits.header_bytes} bytes.")
    headers, framing = parse_fields(lines)
    path, query, authority = split_target(method, target)
    host = framing.get(b"host")
    if host is None:
        raise EdgeError(400, "The Host header is missing.")
    if authority is not None and authority != host:
        host = authority
        headers = [(name, authority if name == b"host" else value) for name, value in headers]
    connection = framing.get(b"connection", b"")
    return Head(
        method=method,
        target=target,
        path=path,
        query=query,
        version=version,
        headers=headers,
        host=host,
        length=body_length(framing, version),
        keep_alive=version == "1.1" and (not connection or b"close" not in _list(connection.lower())),
        expects_continue=_expects_continue(framing, version),
    )


def parse_request_line(line: bytes, limits: Limits) -> tuple[str, bytes, str]:
    """Return method, target and version ("1.0" or "1.1"). Raises EdgeError 414 for a long target, else 400."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise EdgeError(400, "The request line is not a method, a target and a version, one space apart.")
    method, target, version = parts
    if len(method) > METHOD_BYTES or not TOKEN.fullmatch(method):
        raise EdgeError(400, "The method is not a token.")
    if version not in VERSIONS:
        raise EdgeError(400, "The version is neither HTTP/1.1 nor HTTP/1.0.")
    if len(target) > limits.url_bytes:
        raise EdgeError(414, f"The URL is longer than {limits.url_bytes} bytes.")
    return method.decode(), target, VERSIONS[version]


def split_target(method: str, target: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Return path, query and, of an absolute target, the authority. Raises EdgeError 400."""
    if target == b"*" and method == "OPTIONS":
        return target, b"", None
    match = TARGET.fullmatch(target)
    if match is None:
        raise EdgeError(400, "The request target is neither a path nor an http URL.")
    authority: bytes | None = match["authority"]
    if authority is not None:
        target = target[match.end("authority") :]
    path, _, query = target.partition(b"?")
    return path or b"/", query, authority


def parse_fields(lines: list[bytes]) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
    """Read header lines, the first line left out. Returns all pairs, and the values of those in FRAMING, joined.

    Raises EdgeError 400 for a name that is no token (so for folded lines and for space before the colon) and for a
    repeat of a header in SINGLE.
    """
    headers = []
    framing: dict[bytes, bytes] = {}
    for line in lines[1:]:
        raw, colon, value = line.partition(b":")
        name = _names.get(raw) or _lower(raw)
        if not colon:
            raise EdgeError(400, "A header has no colon.")
        value = value.strip(b" \t")
        headers.append((name, value))
        if name in FRAMING:
            if name not in framing:
                framing[name] = value
            elif name in SINGLE:
                raise EdgeError(400, f"The header {name.decode()} is repeated.")
            else:
                framing[name] += b"," + value
    return headers, framing


def body_length(framing: dict[bytes, bytes], version: str) -> int | None:
    """Return the body's length in bytes, None if it is chunked.

    Raises EdgeError 501 for a transfer coding that we do not know, 400 for everything that two readers could frame
    differently.
    """
    codings, length = framing.get(b"transfer-encoding"), framing.get(b"content-length")
    if codings is not None:
        if length is not None:
            raise EdgeError(400, "Both Content-Length and Transfer-Encoding are given.")
        if version == "1.0":
            raise EdgeError(400, "HTTP/1.0 has no Transfer-Encoding.")
        names = _list(codings.lower())
        if names != [b"chunked"]:
            if b"chunked" in names[:-1] or not all(TOKEN.fullmatch(name) for name in names):
                raise EdgeError(400, "Transfer-Encoding is malformed.")
            raise EdgeError(501, "The only transfer coding known here is chunked.")
        return None
    if length is None:
        return 0
    if not LENGTH.fullmatch(length):
        raise EdgeError(400, "Content-Length is not a number of bytes.")
    return int(length)


def split_authority(authority: bytes) -> str | None:
    """Return the host of ``host[:port]`` in lower case, None if it is malformed: userinfo, path, port over 65535."""
    match = AUTHORITY.fullmatch(authority)
    if match is None or (match[2] is not None and int(match[2]) > 65535):
        return None
    return match[1].decode().lower()


class ChunkedBody:
    """Decodes one chunked body. ``feed`` it; once ``ended``, what followed it is in ``rest``."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rest = b""
        self.ended = False
        self._at = 0  # where reading goes on in rest
        self._remaining = 0  # bytes to come of the current chunk, its line end included
        self._in_trailer = False

    def feed(self, received: bytes) -> bytes:
        """Return the body bytes that became known. Raises EdgeError 400 for anything malformed."""
        self.rest += received
        body: list[bytes] = []
        while not self.ended and self._step(body):
            pass
        self.rest = self.rest[self._at :]
        self._at = 0
        return b"".join(body)

    def _step(self, body: list[bytes]) -> bool:
        """Read one element, chunk content or its line end. Returns whether there may be another."""
        if self._remaining > 2:
            part = self.rest[self._at : self._at + self._remaining - 2]
            body.append(part)
            self._at += len(part)
            self._remaining -= len(part)
            return self._remaining == 2
        if self._remaining:
            line_end = self.rest[self._at : self._at + 2]
            if not b"\r\n".startswith(line_end):
                raise EdgeError(400, "A chunk is longer than its size says.")
            if len(line_end) < 2:
                return False
            self._at += 2
            self._remaining = 0
        return self._trailer() if self._in_trailer else self._size_line()

    def _size_line(self) -> bool:
        end = self.rest.find(b"\r\n", self._at, self._at + CHUNK_LINE_BYTES + 2)
        line = self.rest[self._at : end] if end >= 0 else self.rest[self._at :].removesuffix(b"\r")
        if len(line) > CHUNK_LINE_BYTES or has_controls(line, 0):
            raise EdgeError(400, "A chunk's size line is malformed.")
        if end < 0:
            return False
        match = CHUNK.fullmatch(line)
        if match is None:
            raise EdgeError(400, "A chunk's size line is malformed.")
        size = int(match[1], 16)
        self._at = end + 2
        self._remaining = size + 2 if size else 0
        self._in_trailer = size == 0
        return True

    def _trailer(self) -> bool:
        """Check trailer fields and drop them: no platform delivers them."""
        text, end, rest = self.rest[self._at :].partition(b"\r\n\r\n")
        if text.startswith(b"\r\n") or (not end and text == b"\r\n"):
            self._at += 2
            self.ended = True
            return False
        whole = text if end else text.removesuffix(b"\r")
        if len(text) > self.limits.header_bytes or has_controls(whole, whole.count(b"\r\n")):
            raise EdgeError(400, "The trailer is malformed or too large.")
        if end:
            if parse_fields([b"", *text.split(b"\r\n")])[1]:
                raise EdgeError(400, "The trailer holds headers that would change how the request is read.")
            self._at = len(self.rest) - len(rest)
            self.ended = True
        return False


def _lower(raw: bytes) -> bytes:
    if len(raw) > NAME_BYTES or not TOKEN.fullmatch(raw):
        raise EdgeError(400, "A header's name is not a token.")
    if len(_names) >= NAMES:
        _names.clear()
    return _names.setdefault(raw, raw.lower())


def _list(value: bytes) -> list[bytes]:
    return [part.strip(b" \t") for part in value.split(b",")]


def _expects_continue(framing: dict[bytes, bytes], version: str) -> bool:
    expectation = framing.get(b"expect")
    if expectation is None or version == "1.0":
        return False
    if expectation.lower() != b"100-continue":
        raise EdgeError(417, "The only expectation known here is 100-continue.")
    return True
