"""What mounted ASGI and WSGI applications share: how their headers become a Response."""

from __future__ import annotations

from multicloud.runtime.cookies import parse_set_cookie
from multicloud.runtime.logs import ERROR, log
from multicloud.runtime.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from multicloud.runtime.request import Request

HOP_BY_HOP = frozenset(("connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"))
"""Headers that the platform's own server decides (RFC 9110, section 7.6.1)."""


def to_response(
    request: Request, status_code: int, headers: Iterable[tuple[str, str]], body: object, *, strict: bool
) -> Response:
    """Return the Response of a mounted application.

    strict: raise ValueError for a cookie that not every provider delivers, as in development; else log and drop it.
    """
    response = Response(body, status_code)
    response.content_type = None
    for name, value in headers:
        name = name.lower()
        if name == "content-type":
            response.content_type = value
        elif name == "set-cookie":
            try:
                response.set_cookie(parse_set_cookie(value))
            except ValueError as error:
                if strict:
                    raise
                log(ERROR, "a cookie of a mounted application was dropped", request, reason=str(error))
        elif name not in HOP_BY_HOP:
            response.headers.add(name, value)
    return response
