"""What a handler saw, as JSON: the canonical request that every platform must give alike."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from multicloud import HttpError, Request

SHOWN = ("accept", "authorization", "content-type", "origin", "traceparent", "user-agent")


def canonical(request: Request) -> dict[str, Any]:
    """Return all of a request that does not differ from one request to the next."""
    trace = request.trace
    return {
        "method": request.method,
        "path": request.path,
        "route": request.route,
        "path_params": dict(request.path_params),
        "query": request.query.multi_items(),
        "headers": {name: value for name, value in sorted(request.headers.items()) if is_shown(name)},
        "cookies": dict(request.cookies),
        "body": base64.b64encode(request.body).decode(),
        "sha256": hashlib.sha256(request.body).hexdigest(),
        "text": attempt(lambda: request.text),
        "json": attempt(request.json),
        "form": attempt(lambda: request.form.multi_items()),
        "files": attempt(lambda: {name: describe(file) for name, file in request.files.items()}),
        "client_ip": request.client_ip,
        "identity": request.identity,
        "stage": request.stage,
        "has_id": bool(request.request_id),
        "has_deadline": 0 < request.remaining_seconds <= 29,
        "trace": trace and [trace.trace_id, trace.parent_id, trace.sampled, trace.state],
        "seen_by": getattr(request, "seen_by", []),
    }


def is_shown(name: str) -> bool:
    """Tell whether a header is the client's own, not one that a platform adds."""
    return name in SHOWN or name.startswith("x-test")


def attempt(read: Callable[[], Any]) -> Any:
    """Return what reading gives, or the status of its refusal."""
    try:
        return read()
    except HttpError as error:
        return f"refused {error.status_code}"


def describe(file: Any) -> dict[str, str]:
    """Return the JSON form of an uploaded file."""
    content = base64.b64encode(file.content).decode()
    return {"filename": file.filename, "content_type": file.content_type, "content": content}
