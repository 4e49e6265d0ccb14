"""Sends an HTTP request through azure-functions' HttpRequest and this SDK's runtime, in this process.

What the Functions host does before and after: Azure/azure-functions-host, GrpcMessageConversionExtensions.ToRpcHttp and
RawScriptResult.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from uuid import uuid4

import attrs

from multicloud.errors import MissingDependency
from multicloud.provider import Config, Exchange, HttpRequest, HttpResponse
from multicloud.runtime.multidict import join_headers
from multicloud_azure.runtime import create_handler


@attrs.frozen
class Context:
    """What the worker passes beside the request."""

    invocation_id: str = attrs.field(factory=lambda: str(uuid4()))


def connect(shape: str, config: Config, objects: Sequence[object]) -> Exchange:
    """Return the exchange of compiled functions. Raises MissingDependency without azure-functions."""
    try:
        import azure.functions as func
    except ModuleNotFoundError:
        raise MissingDependency("azure", "azure.functions") from None
    handler = create_handler(config, objects, func.HttpResponse)
    call = _on_loop(handler) if inspect.iscoroutinefunction(handler) else handler

    def exchange(request: HttpRequest) -> HttpResponse:
        native = func.HttpRequest(
            method=request.method,
            url="https://shop.azurewebsites.net"
            + host_path(request.raw_path)
            + request.target[len(request.raw_path) :],
            headers=front_end_headers(request),
            params=dict(parse_qsl(request.raw_query)),
            route_params={"path": request.raw_path[1:]},
            body=request.body,
        )
        return read_response(call(native, Context()))

    return exchange


def host_path(raw_path: str) -> str:
    """Return the path in the URL that the worker gets: Kestrel decodes it, all but ``%2F``, and encodes it anew."""
    try:
        decoded = unquote(raw_path.replace("%2f", "%2F").replace("%2F", "%252F"), errors="strict")
    except UnicodeDecodeError:
        return raw_path
    segments: list[str] = []
    sent = decoded.split("/")
    for segment in sent:
        if segment == ".." and len(segments) > 1:
            segments.pop()
        elif segment not in (".", ".."):
            segments.append(segment)
    if sent[-1] in (".", ".."):
        segments.append("")
    return quote("/".join(segments), safe="/!$&'()*+,:;=@~%")


def front_end_headers(request: HttpRequest) -> dict[str, str]:
    """Return the headers as App Service's front end passes them on: with the address and the target it saw."""
    headers = join_headers(request.headers)
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded}, {request.client_ip}" if forwarded else request.client_ip
    headers["x-waws-unencoded-url"] = request.target
    return headers


def _on_loop(handler: Any) -> Any:
    """Return a plain call of a coroutine function, on one loop in a thread of its own, as the worker has it."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="multicloud-test", daemon=True).start()
    return lambda *arguments: asyncio.run_coroutine_threadsafe(handler(*arguments), loop).result()


def read_response(native: Any) -> HttpResponse:
    """Return the HTTP answer that the host makes: one value a header, a cookie's value percent-encoded."""
    single: dict[str, str] = {}
    cookies: list[tuple[str, str]] = []
    for name, value in native.headers.items():
        if name.lower() == "set-cookie":
            pair, separator, attributes = value.partition(";")
            key, _, text = pair.partition("=")
            cookies.append(("set-cookie", f"{key}={quote(text, safe='-._~')}{separator}{attributes}"))
        else:
            single[name.lower()] = value
    single.setdefault("content-type", f"{native.mimetype}; charset={native.charset}")
    return HttpResponse(native.status_code, (*single.items(), *cookies), native.get_body())
