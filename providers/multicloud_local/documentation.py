"""``/_multicloud/openapi.json`` and ``/_multicloud/docs``: what the API is, and a page to try it, at home alone.

The page is Swagger UI out of a package; it loads nothing from anywhere else, and its content security policy holds it
to that. These paths exist in the local gateway only: no function ever has them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from multicloud.model import ApiDefinition
from multicloud_local.problems import problem_body, problem_headers

if TYPE_CHECKING:
    from multicloud_local.runtime import AsgiApplication

    Send = Callable[[dict[str, Any]], Awaitable[None]]

PACKAGE = "openapi_ui_bundles"
"""Holds Swagger UI's files; it needs nothing else and is never imported."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<main id="page"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

START = """"use strict";
fetch("openapi.json").then((answer) => answer.json()).then((api) => {
  const schemes = Object.values((api.components || {}).securitySchemes || {});
  for (const scheme of schemes.filter((one) => one.type === "openIdConnect")) {
    // Swagger UI would ask the identity provider for a token; a developer has one to paste.
    Object.assign(scheme, { type: "http", scheme: "bearer", bearerFormat: "JWT" });
    delete scheme.openIdConnectUrl;
  }
  SwaggerUIBundle({ spec: api, dom_id: "#page", deepLinking: true, tryItOutEnabled: true, validatorUrl: null });
});
"""


@attrs.frozen
class Answer:
    """One of the fixed answers."""

    body: bytes
    content_type: str
    status: int = 200

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers; a browser keeps nothing, for the definition may change at any save."""
        if self.status != 200:
            return problem_headers(self.body)
        return [
            (b"content-type", self.content_type.encode()),
            (b"content-length", b"%d" % len(self.body)),
            (b"cache-control", b"no-store"),
            (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
        ]


def with_documentation(application: AsgiApplication, definition: ApiDefinition) -> AsgiApplication:
    """Return the application with the documentation of a definition before it."""
    pages = _pages(definition)

    def documented(scope: dict[str, Any], receive: Any, send: Any) -> Awaitable[None]:
        make = pages.get(scope["raw_path"]) if scope["type"] == "http" else None
        return application(scope, receive, send) if make is None else _send(make(), scope["method"], send)

    return documented


def _pages(definition: ApiDefinition) -> Mapping[bytes, Callable[[], Answer]]:
    """Return what makes each answer, by path. Each is made when it is first asked for."""

    @cache
    def document() -> Answer:
        from multicloud.model.openapi_document import to_openapi

        written = to_openapi(definition)
        written["servers"] = [{"url": "/", "description": "The local gateway."}]
        return Answer(json.dumps(written, ensure_ascii=False).encode(), "application/json")

    page = Answer(PAGE.format(title=definition.name).encode(), "text/html; charset=utf-8")  # letters and hyphens
    start = Answer(START.encode(), "text/javascript; charset=utf-8")
    return {
        b"/_multicloud/openapi.json": document,
        b"/_multicloud/docs": lambda: page,
        b"/_multicloud/docs/start.js": lambda: start,
        b"/_multicloud/docs/swagger-ui-bundle.js": lambda: _asset("swagger-ui-bundle.js", "text/javascript"),
        b"/_multicloud/docs/swagger-ui.css": lambda: _asset("swagger-ui.css", "text/css"),
    }


@cache
def _asset(name: str, content_type: str) -> Answer:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        return Answer(
            problem_body(404, f"The page needs the package {PACKAGE.replace('_', '-')}; install it."), "", 404
        )
    file = Path(found.origin).parent / "swagger_ui" / "vendor" / name
    return Answer(file.read_bytes(), f"{content_type}; charset=utf-8")


async def _send(answer: Answer, method: str, send: Send) -> None:
    headers, body = answer.headers(), answer.body
    status = answer.status
    if method not in ("GET", "HEAD"):
        status, body = 405, problem_body(405, "The path does not take this method.")
        headers = [*problem_headers(body), (b"allow", b"GET, HEAD")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
