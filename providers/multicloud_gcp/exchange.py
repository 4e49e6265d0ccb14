"""Sends an HTTP request through functions-framework's Flask request and this SDK's runtime, in this process.

The environment is what gunicorn makes of a request (``RAW_URI``, a decoded ``PATH_INFO``, joined headers).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from multicloud.errors import MissingDependency
from multicloud.provider import Config, Exchange, HttpRequest, HttpResponse
from multicloud.runtime.multidict import join_headers
from multicloud_gcp.runtime import create_handler


def connect(shape: str, config: Config, objects: Sequence[object]) -> Exchange:
    """Return the exchange of compiled functions. Raises MissingDependency without Flask."""
    try:
        from flask import Request, Response
    except ModuleNotFoundError:
        raise MissingDependency("gcp", "flask") from None
    handler = create_handler(config, objects, Response)

    def exchange(request: HttpRequest) -> HttpResponse:
        environ = build_environ(request)
        native = handler(Request(environ))
        body, status, headers = native.get_wsgi_response(environ)
        content = b"".join(body)
        pairs = tuple((name.lower(), value) for name, value in headers)
        return HttpResponse(int(status.split(" ", 1)[0]), pairs, content)

    return exchange


def front_end_headers(request: HttpRequest) -> dict[str, str]:
    """Return the headers as Google's front end passes them on: with the address it saw."""
    headers = join_headers(request.headers)
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded},{request.client_ip}" if forwarded else request.client_ip
    return headers


def build_environ(request: HttpRequest) -> dict[str, Any]:
    """Return the WSGI environment (PEP 3333) that gunicorn makes of a request."""
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.raw_path).decode("latin-1"),
        "QUERY_STRING": request.raw_query,
        "RAW_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client_ip,
        "HTTP_FUNCTION_EXECUTION_ID": uuid4().hex[:12],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in front_end_headers(request).items():
        if "_" in name:
            continue  # gunicorn's header_map: such a name could pass for another's
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    return environ
