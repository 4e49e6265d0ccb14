"""What may be kept, for how long, and what a client that kept it is told (RFC 9110, section 13; RFC 9111).

Imported by functions with a route that has ``cache_seconds``, and by all functions of an API that has a ``Cdn``. It has
the last word on an answer before CORS: it sees the answers of the gate, of the router and of exception handlers too, so
that none of them is kept by a cache in front that fills in a time of its own.
"""

from __future__ import annotations

from hashlib import blake2b

from multicloud.runtime.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from multicloud.runtime.request import Request

KEPT_STATUS = frozenset((200, 203, 204, 300, 301, 308))
"""Successes and permanent redirects; an error is never kept unless the handler itself says so."""

DROPPED = ("content-encoding", "content-language", "content-range", "content-length", "last-modified")
"""What describes a body that a 304 does not bring (RFC 9110, section 15.4.5); Content-Location is to stay."""


class Caching:
    """The rules of an application.

    config: ``kept``, method to template to seconds; ``cdn``, whether a content delivery network stands in front, so
    that an answer that must not be kept has to say so.
    """

    __slots__ = ("_has_cdn", "_kept")

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._kept: Mapping[str, Mapping[str, int]] = config["kept"]
        self._has_cdn: bool = config["cdn"]

    def finish(self, request: Request, response: Response) -> Response:
        """Return the answer with its Cache-Control and ETag, or the 304 in its place. What a handler set stays."""
        kept = self._kept.get(request.method)
        if kept is None:  # nothing but GET and HEAD is ever kept
            return response
        seconds = kept.get(request.route)
        if seconds is None and not self._has_cdn:
            return response
        headers = response.headers
        if "cache-control" not in headers:
            # An answer that sets a cookie is meant for one client alone.
            is_kept = seconds is not None and response.status_code in KEPT_STATUS and not response.cookies
            headers["cache-control"] = f"public, max-age={seconds}" if is_kept else "no-store"
        if response.status_code != 200:
            return response
        tag = headers.get("etag")
        if tag is None:
            if seconds is None or response.stream is not None or "no-store" in headers["cache-control"].lower():
                return response
            tag = headers["etag"] = entity_tag(response)
        wanted = request.headers.get("if-none-match")
        return _not_modified(response) if wanted is not None and matches(wanted, tag) else response


def entity_tag(response: Response) -> str:
    """Return a strong entity tag: other bytes, or the same under another type or encoding, have another one."""
    described = f"{response.content_type}\n{response.headers.get('content-encoding', '')}\n"
    digest = blake2b(described.encode("latin-1"), digest_size=16)
    digest.update(response.body)
    return f'"{digest.hexdigest()}"'


def matches(field: str, tag: str) -> bool:
    """Tell whether If-None-Match names an entity tag, by weak comparison. A malformed field names none.

    field: ``*`` or a list of entity tags, repeats of the header joined with a comma (RFC 9110, section 13.1.2).
    """
    if field.strip(" \t") == "*":
        return True
    parts = field.split('"')  # what stands between the tags, the tags themselves, in turn: a tag may hold a comma
    between, tags = parts[::2], parts[1::2]
    if len(between) != len(tags) + 1 or between[-1].strip(" \t,"):
        return False
    if any(one.strip(" \t,") not in ("", "W/") for one in between) or not all("," in one for one in between[1:-1]):
        return False
    return tag.removeprefix("W/").strip('"') in tags


def _not_modified(response: Response) -> Response:
    """Return a new 304: the handler's own response may be one that it answers with again."""
    headers = [pair for pair in response.headers.items() if pair[0] not in DROPPED]
    answer = Response(None, 304, headers=headers)
    answer.cookies = response.cookies
    answer.stream = response.stream  # to be closed by whoever drops the body
    return answer
