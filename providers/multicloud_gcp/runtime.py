"""Cloud Functions: the Flask request of functions-framework, to and fro. Ships in the function.

Flask itself comes in through the generated entry module, since the platform's runtime has loaded it already. The
WSGI environment is read directly: Flask's own views of it decode, merge and sort.
"""

from __future__ import annotations

from time import time

from multicloud.runtime.application import Application
from multicloud.runtime.endpoints import as_bytes
from multicloud.runtime.loops import ThreadLoop
from multicloud.runtime.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from multicloud.runtime.response import Response


class GcpRequest(Request):
    """A request of functions-framework. raw: the flask.Request."""

    def __init__(self, raw: Any, timeout_seconds: float) -> None:
        self.raw = raw
        self._environ: dict[str, Any] = raw.environ
        self._started = time()
        self._timeout_seconds = timeout_seconds
        self._plain: dict[str, str] | None = None
        self.method = self._environ["REQUEST_METHOD"]
        self.path = self.raw_path or wsgi_text(self._environ["PATH_INFO"])

    @property
    def raw_path(self) -> str | None:
        """The request target's path, from gunicorn's RAW_URI; None under a server that does not keep it."""
        target = self._environ.get("RAW_URI") or self._environ.get("REQUEST_URI")
        if target is None:
            return None
        if not target.startswith("/"):  # absolute-form (RFC 9112, section 3.2.2)
            target = "/" + target.partition("://")[2].partition("/")[2]
        return wsgi_text(target.partition("?")[0])

    @property
    def raw_query(self) -> str:
        """The WSGI query string."""
        return wsgi_text(self._environ.get("QUERY_STRING", ""))

    def url_bytes(self) -> int:
        """Return the length of path and query."""
        query = self._environ.get("QUERY_STRING")
        return len(self.path) + (len(query) + 1 if query else 0)

    def plain_headers(self) -> dict[str, str]:
        """Return the headers of the WSGI environment, whose server has joined repeats."""
        plain = self._plain
        if plain is None:
            environ = self._environ
            plain = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key[:5] == "HTTP_"}
            if "CONTENT_TYPE" in environ:
                plain["content-type"] = environ["CONTENT_TYPE"]
            if environ.get("CONTENT_LENGTH"):
                plain["content-length"] = environ["CONTENT_LENGTH"]
            self._plain = plain
        return plain

    def read_body(self, limit_bytes: int) -> bytes:
        """Return the body; one byte past the limit at most is read."""
        stream = self._environ["wsgi.input"]
        length = self._environ.get("CONTENT_LENGTH")
        if length:
            return stream.read(min(int(length), limit_bytes + 1)) if length.isdecimal() else b""
        if self._environ.get("wsgi.input_terminated"):
            return stream.read(limit_bytes + 1)  # type: ignore[no-any-return] # WSGI's stream has no static type
        return b""

    def read_deadline(self) -> float:
        """Return when Cloud Run ends this request."""
        return self._started + self._timeout_seconds

    @property
    def client_ip(self) -> str:
        """The address that Google's front end appended, or the peer's where there is none in front."""
        forwarded = self.headers.get("x-forwarded-for", "")
        return forwarded.rpartition(",")[2].strip() or self._environ.get("REMOTE_ADDR", "")

    @property
    def request_id(self) -> str:
        """The framework's execution id."""
        return self.headers.get("function-execution-id", "")


def wsgi_text(text: str) -> str:
    """Return what WSGI delivers as latin-1 for what it is, UTF-8 (PEP 3333)."""
    return text if text.isascii() else text.encode("latin-1", "replace").decode("utf-8", "replace")


def stream_body(response: Response, application: Application) -> Iterator[bytes]:
    """Yield the chunks of a streamed response; an async generator runs on the function's loop."""
    stream: Any = response.stream
    if hasattr(stream, "__anext__"):
        while True:
            try:
                yield as_bytes(application.loop.block_on(stream.__anext__()))
            except StopAsyncIteration:
                return
    for chunk in stream:
        yield as_bytes(chunk)


def create_handler(config: Mapping[str, Any], objects: Sequence[Any], response_class: Any) -> Callable[[Any], Any]:
    """Return the HTTP function of a compiled function. response_class: flask.Response."""
    loop = ThreadLoop()
    application = Application(config, objects, lambda: loop, streaming=True)
    stage, provider = config["stage"], config["provider"]
    timeout_seconds = config["functions"][0]["timeout_seconds"]

    def handler(raw: Any) -> Any:
        request = GcpRequest(raw, timeout_seconds)
        request.stage = stage
        request.provider = provider
        response = application.answer(request)
        body = response.body if response.stream is None else stream_body(response, application)
        headers = response.header_items()
        headers += [("set-cookie", value) for value in response.set_cookie_values()]
        native = response_class(body, status=response.status_code, headers=headers)
        if response.content_type is None:
            native.headers.pop("content-type", None)  # Flask adds its default
        if "content-length" in response.headers:
            native.headers["content-length"] = response.headers["content-length"]  # Flask measures HEAD's empty body
        return native

    return handler
