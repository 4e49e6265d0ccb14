"""Routes whose answers may be kept, and an API behind a content delivery network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from multicloud import Api, Cdn, Cookie, Cors, NotFound, Request, Response

SECONDS = 60
MARKED = {"etag": '"v1"', "vary": "accept-language", "content-language": "de", "x-total": "7"}


def _missing() -> Any:
    raise NotFound("There is no such item.")


def _broken() -> Any:
    raise RuntimeError("secret detail of the server")


def _chunks() -> Iterator[str]:
    yield "one,"
    yield "two"


KEPT: dict[str, Any] = {
    "dict": lambda: {"kept": True},
    "text": lambda: "Grüße",
    "bytes": lambda: b"\x00\xff",
    "html": lambda: Response("Grüße", content_type="text/html; charset=utf-8"),
    "generator": _chunks,
    "none": lambda: None,
    "created": lambda: ({"made": 1}, 201),
    "moved": lambda: Response(None, 301, headers={"location": "/kept/dict"}),
    "found": lambda: Response(None, 302, headers={"location": "/kept/dict"}),
    "missing": _missing,
    "broken": _broken,
    "cookie": lambda: Response({"kept": False}, cookies=[Cookie("a", "1")]),
    "private": lambda: Response({"kept": True}, headers={"cache-control": "private, max-age=5"}),
    "no-store": lambda: Response({"kept": True}, headers={"Cache-Control": "no-store"}),
    "marked": lambda: Response({"kept": True}, headers=MARKED),
    "weak": lambda: Response({"kept": True}, headers={"etag": 'W/"v1"'}),
    "comma": lambda: Response({"kept": True}, headers={"etag": '"a,b"'}),
}


def record_kept_routes(api: Api) -> None:
    """Record the routes below /kept."""

    @api.get("/kept/{kind}", cache_seconds=SECONDS)
    def kept(kind: str) -> Any:
        return KEPT[kind]()

    @api.get("/async-kept/{kind}", cache_seconds=SECONDS)
    async def async_kept(kind: str) -> Any:
        return KEPT[kind]()

    @api.post("/kept/{kind}")
    def made(kind: str) -> Any:
        return {"made": kind}


behind = Api("behind", cdn=Cdn(default_cache_seconds=5), cors=Cors(allow_origins=["*"]))


@behind.get("/default")
def by_default(request: Request) -> Any:
    return {"query": request.query.multi_items()}


@behind.get("/stated", cache_seconds=SECONDS)
def stated() -> Any:
    return {"kept": True}


@behind.get("/fails")
def fails() -> Any:
    return _broken()


@behind.post("/default")
def written() -> Any:
    return {"written": True}
