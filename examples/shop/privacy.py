"""What both functions do to every answer."""

from collections.abc import Awaitable, Callable

from multicloud import Request, Response


async def keep_private(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Let no cache keep an answer that does not say how long it is good for."""
    response = await call_next(request)
    if "cache-control" not in response.headers:
        response.headers["cache-control"] = "no-store"
    return response
