"""``TestClient``: sends requests through a provider's own event shape and runtime, in this process."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from multicloud.deploy.exchange import open_exchange
from multicloud.model import ApiDefinition
from multicloud.model.recording import define
from multicloud.provider import HttpRequest, HttpResponse
from multicloud.runtime.multidict import Headers, join_headers
from multicloud.runtime.recorder import Api

SAFE_IN_TARGET = "!#$%&'()*+,/:;=?@[]~"
"""What a path or query given as text keeps as it is: RFC 3986's reserved characters and the percent sign."""


@attrs.frozen
class TestResponse:
    """One answer. headers: case-insensitive, repeats joined. set_cookies: the Set-Cookie values in order."""

    __test__ = False  # pytest collects classes by this name

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    set_cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The body as UTF-8; what is not UTF-8 shows as U+FFFD."""
        return self.content.decode("utf-8", "replace")

    @property
    def cookies(self) -> dict[str, str]:
        """The names and values of the cookies that the answer sets, without their attributes."""
        pairs = [cookie.partition(";")[0].partition("=") for cookie in self.set_cookies]
        return {name: value for name, _, value in pairs}

    def json(self) -> Any:
        """Parse the body. Raises ValueError if it is not JSON."""
        return json_module.loads(self.content)


class TestClient:
    """Calls an API.

    api: an ``Api`` or ``ApiDefinition``. provider: an event shape, ``local`` by default, or ``aws``, ``aws-rest``,
    ``aws-url``, ``aws-alb``, ``gcp``, ``azure`` and what further installed providers offer. stage: what the handlers
    see as ``request.stage``.
    Raises DefinitionError if the API is not valid or the provider refuses something in it, MissingDependency if the
    provider's own package is absent.
    """

    __test__ = False  # as above

    def __init__(self, api: Api | ApiDefinition, provider: str = "local", *, stage: str = "test") -> None:
        self._exchange = open_exchange(define(api), provider, stage=stage)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        params: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        json: Any = None,
        content: bytes | str = b"",
        cookies: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send a request and return its answer.

        path: with or without a query; characters that no URL holds are percent-encoded, an escape is kept. params:
        added to the query; a list gives several. json: the body as JSON, unless it is None. content: the body as it is.
        """
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if json is not None:
            content = json_module.dumps(json)
            pairs.insert(0, ("content-type", "application/json"))
        if cookies:
            pairs.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
        body = content.encode("utf-8") if isinstance(content, str) else content
        if body and not any(name.lower() == "content-length" for name, _ in pairs):
            pairs.append(("content-length", str(len(body))))
        return _response(self.send(HttpRequest(method, _target(path, params), tuple(pairs), body)))

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request exactly as it stands."""
        return self._exchange(request)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Send a GET request; options as ``request`` takes them."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """Send a POST request; options as ``request`` takes them."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        """Send a PUT request; options as ``request`` takes them."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        """Send a PATCH request; options as ``request`` takes them."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        """Send a DELETE request; options as ``request`` takes them."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Any) -> TestResponse:
        """Send a HEAD request; options as ``request`` takes them."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> TestResponse:
        """Send an OPTIONS request; options as ``request`` takes them."""
        return self.request("OPTIONS", path, **options)


def _target(path: str, params: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    target = quote(path, safe=SAFE_IN_TARGET)
    added = urlencode(list(params.items()) if isinstance(params, Mapping) else list(params), doseq=True)
    if not added:
        return target
    return target + ("&" if "?" in target else "?") + added


def _response(response: HttpResponse) -> TestResponse:
    plain = [(name, value) for name, value in response.headers if name.lower() != "set-cookie"]
    cookies = tuple(value for name, value in response.headers if name.lower() == "set-cookie")
    return TestResponse(response.status_code, Headers(join_headers(plain)), response.body, cookies)
