"""Azure Functions: the HttpRequest of the v2 programming model, to and fro. Ships in the function.

``azure.functions`` itself comes in through the generated entry module, since the worker has loaded it already. What the
host does to an exchange: Azure/azure-functions-host, GrpcMessageConversionExtensions and RawScriptResult.
"""

from __future__ import annotations

from time import time

from multicloud.runtime.application import Application
from multicloud.runtime.loops import HostLoop, ThreadLoop
from multicloud.runtime.multidict import unquote
from multicloud.runtime.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from multicloud.runtime.response import Response

UNENCODED_URL = "x-waws-unencoded-url"
"""Header in which App Service's front end states the request target as sent."""

REPEATED_TARGET = frozenset((UNENCODED_URL, "x-original-url"))
"""Headers in which the front end repeats the target. A long URL would put the header block over its limit."""

LAYERS = 8
"""Layers of percent-encoding undone to compare two paths. Without a bound a path costs the square of its length."""

THREADS = 32
"""Plain handlers at a time beside async ones; the worker's own pool is as large at most."""


class AzureRequest(Request):
    """A request of the Functions host. raw: the azure.functions.HttpRequest."""

    def __init__(self, raw: Any, invocation_id: str, timeout_seconds: float) -> None:
        self.raw = raw
        self._invocation_id = invocation_id
        self._started = time()
        self._timeout_seconds = timeout_seconds
        self._plain: dict[str, str] | None = None
        self._raw_query: str
        self.method = raw.method
        path, _, self._raw_query = raw.url.partition("://")[2].partition("?")
        self.path = self._sent_path = sent_path("/" + path.partition("/")[2], raw.headers.get(UNENCODED_URL))

    @property
    def raw_path(self) -> str | None:
        """The path of the URL that the host passes on as sent."""
        return self._sent_path

    @property
    def raw_query(self) -> str:
        """The query of the URL; the host's own mapping merges repeats and drops blanks."""
        return self._raw_query

    def url_bytes(self) -> int:
        """Return the length of path and query."""
        return len(self._sent_path) + (len(self._raw_query) + 1 if self._raw_query else 0)

    def plain_headers(self) -> dict[str, str]:
        """Return the host's headers, lower case and joined already."""
        plain = self._plain
        if plain is None:
            pairs = [(name.lower(), value) for name, value in self.raw.headers.items()]
            plain = self._plain = {name: value for name, value in pairs if name not in REPEATED_TARGET}
        return plain

    def read_body(self, limit_bytes: int) -> bytes:
        """Return the body; the host has read it."""
        return self.raw.get_body() or b""

    def read_deadline(self) -> float:
        """Return when this request's time is up."""
        return self._started + self._timeout_seconds

    @property
    def client_ip(self) -> str:
        """The address that Azure's front end appended, without its port."""
        address = self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        host, colon, port = address.rpartition(":")
        return host.strip("[]") if colon and port.isdecimal() and (":" not in host or host[:1] == "[") else address

    @property
    def request_id(self) -> str:
        """The host's invocation id."""
        return self._invocation_id


def sent_path(path: str, unencoded_url: str | None) -> str:
    """Return the path as the client sent it.

    Kestrel decodes the path of the URL, removes its dot segments and encodes it anew. App Service states the request
    target as sent in a header, which is believed only where it names the same path.
    """
    stated = (unencoded_url or "").partition("?")[0]
    return stated if stated[:1] == "/" and stated != path and decoded(host_path(stated)) == decoded(path) else path


def host_path(path: str) -> str:
    """Return a path as Kestrel reads it: decoded but for ``%2F``, dot segments removed."""
    segments: list[str] = []
    sent = unquote(path.replace("%2f", "%2F").replace("%2F", "%252F")).split("/")
    for segment in sent:
        if segment == ".." and len(segments) > 1:
            segments.pop()
        elif segment not in (".", ".."):
            segments.append(segment)
    return "/".join([*segments, ""] if sent[-1] in (".", "..") else segments)


def decoded(path: str) -> str:
    """Return a path with its layers of encoding undone."""
    for _ in range(LAYERS):
        if "%" not in path:
            break
        path = unquote(path)
    return path


def render(response: Response, response_class: Any) -> Any:
    """Return the azure.functions.HttpResponse. The host percent-encodes a cookie's value by itself."""
    native = response_class(response.body, status_code=response.status_code)
    headers = native.headers
    for name, value in response.header_items():
        headers[name] = value
    for value in response.set_cookie_values(encode_value=False):
        headers.add("Set-Cookie", value)
    return native


def create_handler(config: Mapping[str, Any], objects: Sequence[Any], response_class: Any) -> Callable[[Any, Any], Any]:
    """Return the function to register, a coroutine function if anything of the user's is one.

    response_class: azure.functions.HttpResponse.
    """
    loop = HostLoop(THREADS) if config["async"] else ThreadLoop()
    application = Application(config, objects, lambda: loop, streaming=False)
    stage, provider = config["stage"], config["provider"]
    timeout_seconds = config["functions"][0]["timeout_seconds"]

    def read(req: Any, context: Any) -> AzureRequest:
        request = AzureRequest(req, context.invocation_id, timeout_seconds)
        request.stage = stage
        request.provider = provider
        return request

    async def handle_async(req: Any, context: Any) -> Any:
        return render(await application.answer_async(read(req, context)), response_class)

    def handle(req: Any, context: Any) -> Any:
        return render(application.answer(read(req, context)), response_class)

    return handle_async if config["async"] else handle
