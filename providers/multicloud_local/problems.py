"""The answers that the edge gives itself: problem documents, as the application would send them."""

from __future__ import annotations

import json
import secrets

from multicloud.runtime.errors import HttpError


def problem_body(status: int, detail: str) -> bytes:
    """Return a compact problem+json document with a fresh request id."""
    problem = HttpError(status, detail).problem(secrets.token_hex(16))
    return json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()


def problem_headers(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that go with it."""
    return [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
