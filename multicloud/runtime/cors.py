"""CORS (Fetch standard, section 3.2): the headers of every answer, and the preflight. Imported where CORS is on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from multicloud.runtime.request import Request
    from multicloud.runtime.response import Response


class CorsPolicy:
    """Who may read answers from a browser.

    config: ``allow_origins``, ``allow_methods`` (empty: those of the path), ``allow_headers``, ``expose_headers``,
    ``allow_credentials``, ``max_age_seconds``, as ``multicloud.model.policies.Cors`` says. for_caches: whether answers
    may be kept by a cache; one to a request without an origin must then serve those with one, or say that it varies.
    """

    __slots__ = ("_config", "_for_caches", "_origins", "_wildcard")

    def __init__(self, config: Mapping[str, Any], *, for_caches: bool = False) -> None:
        self._config = config
        self._for_caches = for_caches
        self._origins = frozenset(config["allow_origins"])
        self._wildcard = "*" in self._origins

    def is_preflight(self, request: Request) -> bool:
        """Tell whether a request is a preflight."""
        headers = request.headers
        return request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers

    def allowed_origin(self, request: Request) -> str | None:
        """Return the value of Access-Control-Allow-Origin, None for a foreign origin. The match is exact."""
        origin = request.headers.get("origin")
        if self._wildcard and (origin is not None or self._for_caches):
            return "*"
        if origin is None:
            return None
        return origin if origin in self._origins else None

    def apply(self, request: Request, response: Response) -> None:
        """Add what every answer to an allowed origin bears, errors included."""
        headers = response.headers
        if not self._wildcard:
            vary = headers.get("vary")
            if vary is None:
                headers.put("vary", "Origin")
            elif "origin" not in vary.lower() and vary != "*":
                headers.put("vary", f"{vary}, Origin")
        origin = self.allowed_origin(request)
        if origin is None:
            return
        headers["access-control-allow-origin"] = origin
        if self._config["allow_credentials"]:
            headers["access-control-allow-credentials"] = "true"
        if self._config["expose_headers"]:
            headers["access-control-expose-headers"] = ", ".join(self._config["expose_headers"])

    def preflight(self, request: Request, response: Response, methods: Iterable[str]) -> None:
        """Add what a preflight's answer bears beyond ``apply``. methods: those of the path."""
        if self.allowed_origin(request) is None:
            return
        headers = response.headers
        headers["access-control-allow-methods"] = ", ".join(sorted(self._config["allow_methods"] or methods))
        if self._config["allow_headers"]:
            headers["access-control-allow-headers"] = ", ".join(self._config["allow_headers"])
        headers["access-control-max-age"] = str(self._config["max_age_seconds"])
