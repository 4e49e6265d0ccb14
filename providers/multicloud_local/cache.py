"""A content delivery network in front of the local gateway, where the definition has a ``Cdn``: mistakes show at home.

It keeps what RFC 9111 lets a shared cache keep and no more: answers to GET, of ``CACHEABLE`` statuses, whose
Cache-Control states a time, never to a request with Authorization, never with Set-Cookie, ``private``, ``no-store`` or
``no-cache``. As the clouds' networks do, it ignores what a client's own Cache-Control asks for. The key is the path as
sent, what of the query ``Cdn.query_names`` chooses, and the request's fields that the answer's Vary names. Each answer
says ``x-cache: hit`` or ``miss``, a hit its ``Age``.

``POST /_multicloud/purge`` from this machine forgets everything; with ``?path=/items/1`` one path, with
``?path=/items/*`` all below it. It answers how many answers were forgotten.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING, Any

import attrs

from multicloud.model import Cdn
from multicloud.runtime.caching import DROPPED, matches
from multicloud.runtime.multidict import parse_query, unquote
from multicloud_local.problems import problem_body, problem_headers

if TYPE_CHECKING:
    from multicloud_local.runtime import AsgiApplication, Receive, Scope, Send

Pairs = list[tuple[bytes, bytes]]

PURGE_PATH = "/_multicloud/purge"
CACHEABLE = frozenset((200, 203, 204, 300, 301, 302, 307, 308, 404, 410))
"""Statuses that are kept if the answer states a time. 206 is left out: ranges are not put together."""
FORBIDDING = frozenset(("private", "no-store", "no-cache"))
MAX_BYTES = 64 * 1024 * 1024
"""Of all kept answers together; the one that was not asked for the longest goes first."""
MAX_BODY_BYTES = 4 * 1024 * 1024
"""Of one answer: the portable limit of a body, which only a stream passes."""
ENTRY_BYTES = 1024
"""What an answer costs beside its bytes, so that empty ones are bounded too."""
MAX_VARIANTS = 64
"""Answers under one key."""
LONGEST_SECONDS = 31_536_000


@attrs.frozen
class Stored:
    """An answer. vary: the request's fields that it depends on, and what they held. stored_at, expires_at: seconds."""

    vary: Pairs
    status: int
    headers: Pairs
    body: bytes
    stored_at: float
    expires_at: float

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return ENTRY_BYTES + len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


class Cache:
    """What is kept: under each key the variants that Vary tells apart.

    cdn: the policy. max_bytes: of all answers. clock: seconds that never go back.
    """

    def __init__(self, cdn: Cdn, *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = monotonic) -> None:
        self._names = None if cdn.query_names is None else frozenset(cdn.query_names)
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[str, list[Stored]] = OrderedDict()
        self.size = 0
        self.purges = 0
        """How many there were: an answer that was begun before one must not be kept after it."""

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def key(self, path: str, query: str) -> str:
        """Return what an answer is kept under. path, query: as sent."""
        if self._names is not None:
            parts = query.split("&")
            query = "&".join(part for part in parts if _decoded(part.partition("=")[0]) in self._names)
        return f"{path}?{query}"

    def find(self, key: str, request: Pairs) -> tuple[Stored, int] | None:
        """Return the answer that is fresh and fits a request's header fields, and its age in seconds; None if none."""
        now = self._clock()
        for stored in self._kept.get(key, ()):
            if now < stored.expires_at and _chosen(request, [name for name, _ in stored.vary]) == stored.vary:
                self._kept.move_to_end(key)
                return stored, int(now - stored.stored_at)
        return None

    def store(self, key: str, request: Pairs, status: int, headers: Pairs, body: bytes) -> None:
        """Keep an answer, if it may be kept. request: the request's header fields."""
        seconds, now = fresh_seconds(status, headers), self._clock()
        if seconds == 0:
            return
        vary = _chosen(request, _names(_field(headers, b"vary")))
        stored = Stored(vary, status, headers, body, now, now + seconds)
        variants = [one for one in self._kept.get(key, ()) if one.vary != vary and now < one.expires_at]
        self._replace(key, [*variants, stored][-MAX_VARIANTS:])
        while self.size > self._max_bytes:
            self._replace(next(iter(self._kept)), [])

    def purge(self, is_meant: Callable[[str], bool]) -> int:
        """Forget the answers under the paths (as sent) that are meant; return how many."""
        self.purges += 1
        count = len(self)
        for key in [key for key in self._kept if is_meant(key.partition("?")[0])]:
            self._replace(key, [])
        return count - len(self)

    def _replace(self, key: str, variants: list[Stored]) -> None:
        self.size += sum(one.size for one in variants) - sum(one.size for one in self._kept.pop(key, ()))
        if variants:
            self._kept[key] = variants


def fresh_seconds(status: int, headers: Pairs) -> int:
    """Return for how long a shared cache may keep an answer to a GET without Authorization; 0 if not at all."""
    if status not in CACHEABLE or _field(headers, b"set-cookie") is not None or _field(headers, b"vary") == "*":
        return 0
    stated: dict[str, str] = {}
    for part in (_field(headers, b"cache-control") or "").lower().split(","):
        name, _, value = part.partition("=")
        stated.setdefault(name.strip(), value.strip().strip('"'))
    if FORBIDDING & stated.keys():
        return 0
    seconds = stated.get("s-maxage", stated.get("max-age", ""))
    return min(int(seconds), LONGEST_SECONDS) if seconds.isascii() and seconds.isdigit() and len(seconds) < 16 else 0


def with_cache(application: AsgiApplication, cache: Cache) -> AsgiApplication:
    """Return an ASGI application that answers from a cache what it may, and has the rest answered by another."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif scope["path"] == PURGE_PATH:
            await _answer_purge(cache, scope, send)
        else:
            await _answer(application, cache, scope, receive, send)

    return handle


async def _answer(application: AsgiApplication, cache: Cache, scope: Scope, receive: Receive, send: Send) -> None:
    request: Pairs = scope["headers"]
    is_asked = scope["method"] in ("GET", "HEAD") and _field(request, b"authorization") is None
    key = cache.key(scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"))
    found = cache.find(key, request) if is_asked else None
    if found is not None:
        await _answer_hit(*found, request, send)
        return
    purges = cache.purges

    def keep(status: int, headers: Pairs, body: bytes) -> None:
        if cache.purges == purges:
            cache.store(key, request, status, headers, body)

    await application(scope, receive, _Recording(send, keep if is_asked and scope["method"] == "GET" else None))


async def _answer_hit(stored: Stored, age: int, request: Pairs, send: Send) -> None:
    """Send what is kept; a 304 if the client has it already (RFC 9111, section 4.3.2)."""
    status, headers, body = stored.status, stored.headers, stored.body
    wanted, tag = _field(request, b"if-none-match"), _field(headers, b"etag")
    if status == 200 and wanted is not None and tag is not None and matches(wanted, tag):
        dropped = {b"content-type", *(name.encode() for name in DROPPED)}
        status, headers, body = 304, [pair for pair in headers if pair[0] not in dropped], b""
    head = [*headers, (b"age", b"%d" % age), (b"x-cache", b"hit")]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


class _Recording:
    """Passes an answer on, and gives it to be kept once it is whole. keep: None where it must not be kept."""

    def __init__(self, send: Send, keep: Callable[[int, Pairs, bytes], None] | None) -> None:
        self._send = send
        self._keep = keep
        self._status = 0
        self._headers: Pairs = []
        self._chunks: list[bytes] = []
        self._size = 0

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], [*message["headers"]]
            if fresh_seconds(self._status, self._headers) == 0:
                self._keep = None
            message = {**message, "headers": [*self._headers, (b"x-cache", b"miss")]}
        elif self._keep is not None:
            self._take(message.get("body", b""), is_last=not message.get("more_body", False))
        await self._send(message)

    def _take(self, chunk: bytes, *, is_last: bool) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._keep is not None and is_last and self._size <= MAX_BODY_BYTES:
            self._keep(self._status, self._headers, b"".join(self._chunks))
        if is_last or self._size > MAX_BODY_BYTES:
            self._keep, self._chunks = None, []


async def _answer_purge(cache: Cache, scope: Scope, send: Send) -> None:
    """Purge, for a program on this machine; a page in its browser sends an Origin and is refused."""
    if scope["method"] != "POST":
        await _send_problem(send, 405, "The path takes POST.", ("allow", "POST"))
    elif not _is_loopback(scope) or _field(scope["headers"], b"origin") is not None:
        await _send_problem(send, 403, "Only a program on this machine may purge.")
    else:
        path = dict(parse_query(scope["query_string"].decode("latin-1"))).get("path", "/*")
        prefix = path.removesuffix("*")
        is_meant = path.__eq__ if prefix == path else lambda one: one.startswith(prefix)
        body = json.dumps({"purged": cache.purge(is_meant)}).encode()
        head = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


async def _send_problem(send: Send, status: int, detail: str, *headers: tuple[str, str]) -> None:
    body = problem_body(status, detail)
    head = [*problem_headers(body), *((name.encode(), value.encode()) for name, value in headers)]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


def _is_loopback(scope: Scope) -> bool:
    try:
        address = ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _field(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    """Return a header field, repeats joined; None if it is absent."""
    values = [value.decode("latin-1") for name, value in headers if name == wanted]
    return ",".join(values) if values else None


def _names(vary: str | None) -> list[bytes]:
    """Return the names in Vary, in one order however they were written."""
    return sorted({name.strip().lower().encode("latin-1") for name in (vary or "").split(",")} - {b""})


def _chosen(headers: Pairs, names: list[bytes]) -> Pairs:
    """Return the fields of those names, an absent one as an empty one."""
    return [(name, (_field(headers, name) or "").encode("latin-1")) for name in names]


def _decoded(name: str) -> str:
    return unquote(name.replace("+", " "))
