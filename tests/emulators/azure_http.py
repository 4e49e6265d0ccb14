"""The Functions host's two translations: ASP.NET's request to RpcHttp, and RpcHttp to ASP.NET's response.

The request follows Kestrel's path decoding, ``PathString`` and ``GrpcMessageConversionExtensions.ToRpcHttp``; the
response ``RawScriptResult``, ``HttpBinding`` and ASP.NET's cookies (the source of azure-functions-host and aspnetcore).
Headers that App Service's front end adds are set too, as captures show them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, unquote_plus

from .front import WireRequest, WireResponse

_TRIPLETS = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_TO_ESCAPE = re.compile(r"(?:(?!%[0-9A-Fa-f]{2})[^A-Za-z0-9\-._~!$&'()*+,;=:@/])+")
_SAME_SITE = {1: "lax", 2: "strict", 3: "none"}  # RpcHttpCookie.SameSite: None, Lax, Strict, ExplicitNone


def decoded_path(raw_path: str) -> str:
    """Return ``HttpRequest.Path``: escapes undone but for ``%2F`` and what is not UTF-8, dot segments removed.

    Raises ValueError for a NUL or for bytes outside ASCII, where Kestrel answers 400.
    """
    raw = raw_path.encode("latin-1")
    if not raw.isascii():
        raise ValueError("a request line is ASCII")
    path = _TRIPLETS.sub(lambda run: _decoded_run(run.group()), raw).decode("utf-8")
    kept: list[str] = []
    segments = path[1:].split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _decoded_run(run: bytes) -> bytes:
    """Decode one run of escapes the way Kestrel does: whole UTF-8 sequences, and the rest left as it is."""
    values = bytes.fromhex(run.decode("ascii").replace("%", ""))
    if 0 in values:
        raise ValueError("a path holds no NUL")
    out, position = b"", 0
    while position < len(values):
        length = _sequence_length(values[position : position + 4])
        if length == 0 or values[position : position + 1] == b"/":
            out += run[position * 3 : position * 3 + 3]
            position += 1
        else:
            out += values[position : position + length]
            position += length
    return out


def _sequence_length(values: bytes) -> int:
    """Return how many of the first bytes are one UTF-8 character; 0 if none are."""
    for length in range(1, len(values) + 1):
        try:
            values[:length].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return length
    return 0


def escaped_path(path: str) -> str:
    """Return ``PathString.ToUriComponent``: what is not allowed in a path is escaped, what looks escaped is left."""
    return _TO_ESCAPE.sub(lambda run: quote(run.group(), safe="-_.~"), path)


def joined(values: Iterable[str]) -> str:
    """Return ``StringValues.ToString``: joined with commas, empty ones left out."""
    return ",".join(value for value in values if value)


def query_parameters(query: str | None) -> dict[str, str]:
    """Return RpcHttp's ``query``: names without regard to case, repeats joined, blanks dropped."""
    spelling: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for part in (query or "").split("&"):
        name, _, value = part.partition("=")
        if part:
            key = spelling.setdefault(unquote_plus(name).lower(), unquote_plus(name))
            values.setdefault(key, []).append(unquote_plus(value))
    return {name: text for name, several in values.items() if (text := joined(several))}


def header_map(request: WireRequest) -> dict[str, str]:
    """Return RpcHttp's ``headers`` with those of App Service's front end, which override a client's."""
    host = next(iter(request.values("host")), "")
    target = request.target.decode("latin-1")
    address, port = request.peer
    front = {
        "x-original-url": target,
        "x-waws-unencoded-url": target,
        "x-client-ip": address,
        "x-client-port": str(port),
        "x-forwarded-proto": "https",
        "disguised-host": host,
    }
    names = dict.fromkeys(name.lower() for name, _ in request.headers)
    headers = {name: joined(request.values(name)) for name in names}
    forwarded = ", ".join([*request.values("x-forwarded-for"), f"{address}:{port}"])
    return {**headers, **front, "x-forwarded-for": forwarded}


def to_rpc(request: WireRequest, route_values: dict[str, str], protos: Any) -> Any:
    """Return the RpcHttp of a request. A body without Content-Length is dropped, as ToRpcHttp does."""
    raw_path, query = request.path_and_query()
    host = next(iter(request.values("host")), "")
    url = f"https://{host}{escaped_path(decoded_path(raw_path))}" + (f"?{query}" if query else "")
    http = protos.RpcHttp(
        method=request.method,
        url=url,
        headers=header_map(request),
        query=query_parameters(query),
        params=route_values,
    )
    if request.body and not request.chunked:
        http.body.bytes = request.body
    return http


def from_rpc(data: Any) -> WireResponse:
    """Return what the host answers for a function's return value, a TypedData."""
    kind = data.WhichOneof("data")
    if kind == "http":
        body = _content(data.http.body)
        status = int(data.http.status_code or 200)
        return _response(status, data.http.headers.items(), [_cookie(each) for each in data.http.cookies], body)
    if kind in ("string", "json"):
        return _from_text(getattr(data, kind))
    return WireResponse(500)


def _from_text(text: str) -> WireResponse:
    """Follow ``HttpBinding.CreateResult``: an object with a ``body`` is taken for a response, any other is the body."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict) and "body" in value:
        content = value["body"] if isinstance(value["body"], str) else json.dumps(value["body"])
        status = int(value.get("statusCode") or value.get("status") or 200)
        return _response(status, dict(value.get("headers") or {}).items(), [], content.encode())
    return _response(200, [("content-type", "text/plain; charset=utf-8")], [], text.encode())


def _response(status: int, headers: Iterable[tuple[str, str]], cookies: list[str], body: bytes) -> WireResponse:
    pairs = list(headers)
    names = [name.lower() for name, _ in pairs]
    # ASP.NET throws for a second spelling of a header and for a body where the status allows none.
    if len(set(names)) != len(names) or (body and status in (204, 205, 304)) or not 100 <= status <= 999:
        return WireResponse(500)
    return WireResponse(status, [*pairs, *(("set-cookie", cookie) for cookie in cookies)], body)


def _content(body: Any) -> bytes:
    kind = body.WhichOneof("data")
    if kind is None:
        return b""
    value = getattr(body, kind)
    return value if isinstance(value, bytes) else str(value).encode()


def _cookie(cookie: Any) -> str:
    """Return the Set-Cookie that ASP.NET writes: the value escaped, attributes in its order and in lower case."""
    parts = [f"{cookie.name}={quote(cookie.value, safe='-_.~')}"]
    if cookie.HasField("expires"):
        parts.append(f"expires={formatdate(cookie.expires.value.seconds, usegmt=True)}")
    if cookie.HasField("max_age"):
        parts.append(f"max-age={int(cookie.max_age.value)}")
    parts += [f"{name}={getattr(cookie, name).value}" for name in ("domain", "path") if getattr(cookie, name).value]
    if cookie.secure.value:
        parts.append("secure")
    if cookie.same_site in _SAME_SITE:
        parts.append(f"samesite={_SAME_SITE[cookie.same_site]}")
    if cookie.http_only.value:
        parts.append("httponly")
    return "; ".join(parts)
