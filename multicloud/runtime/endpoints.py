"""From a handler to an endpoint: what turns a Request into a Response and never raises.

An endpoint is the handler, its exception handlers and its middleware in one callable, either plain or a coroutine
function. Both kinds mix freely: a plain layer waits for an async one through the loop, an async layer calls a plain
one through ``run_sync``.
"""

from __future__ import annotations

from multicloud.runtime.response import json_response, to_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any, Protocol

    from multicloud.runtime.gate import Gate
    from multicloud.runtime.loops import Loop
    from multicloud.runtime.request import Request
    from multicloud.runtime.response import Response

    Layer = tuple[Callable[..., Any], bool]

    class HasLoop(Protocol):
        """What an ErrorPolicy takes its loop from."""

        @property
        def loop(self) -> Loop:
            """Where coroutines run."""


class Endpoint:
    """call: Request to Response, never raising. is_async: whether call is a coroutine function.

    gate: what a request must satisfy first, None if nothing. route: the path template. parameters: names of its
    parameters. timeout_seconds: of its function. level: the most calls of ``run_sync`` that are nested in this one.
    """

    __slots__ = ("call", "gate", "is_async", "level", "parameters", "route", "timeout_seconds")

    def __init__(self, call: Callable[..., Any], is_async: bool, level: int = 0) -> None:
        self.call = call
        self.is_async = is_async
        self.level = level
        self.gate: Gate | None = None
        self.route = ""
        self.parameters: Sequence[str] = ()
        self.timeout_seconds = 29.0


class ErrorPolicy:
    """How exceptions become responses.

    handlers: exception class to (handler, is_async), the function's before the API's. fallback: answers what no
    handler takes. owner: whose loop is used; made when a coroutine first needs it.
    """

    __slots__ = ("_owner", "fallback", "handlers")

    def __init__(
        self,
        handlers: dict[type[BaseException], Layer],
        fallback: Callable[[Request, BaseException], Response],
        owner: HasLoop,
    ) -> None:
        self.handlers = handlers
        self.fallback = fallback
        self._owner = owner

    @property
    def loop(self) -> Loop:
        """Where coroutines run."""
        return self._owner.loop

    def find(self, error: BaseException) -> Layer | None:
        """Return the handler of the most specific class."""
        if self.handlers:
            for cls in type(error).__mro__:
                if cls in self.handlers:
                    return self.handlers[cls]
        return None

    def answer(self, request: Request, error: BaseException) -> Response:
        """Answer an exception from plain code."""
        found = self.find(error)
        if found is None:
            return self.fallback(request, error)
        handler, _ = found
        try:
            result = handler(request, error)
            return to_response(self.loop.block_on(_await(result)) if hasattr(result, "__await__") else result)
        except BaseException as second:  # whatever a handler raises must not take the instance down
            return self.fallback(request, second)

    async def answer_async(self, request: Request, error: BaseException) -> Response:
        """Answer an exception from a coroutine."""
        if is_cancellation(error):
            raise error
        found = self.find(error)
        if found is None:
            return self.fallback(request, error)
        handler, is_async = found
        try:
            result = handler(request, error) if is_async else await self.loop.run_sync(handler, request, error)
            return to_response(await result if hasattr(result, "__await__") else result)
        except BaseException as second:
            if is_cancellation(second):
                raise
            return self.fallback(request, second)


def is_cancellation(error: BaseException) -> bool:
    """Tell whether an exception ends a coroutine from outside, and must reach its task."""
    return isinstance(error, GeneratorExit) or type(error).__name__ == "CancelledError"


def plain_endpoint(call: Callable[[Request], Any], errors: ErrorPolicy, collects: bool) -> Endpoint:
    """Wrap a plain handler, or a plain wrapper of an async one. collects: whether the platform cannot stream."""

    def endpoint(request: Request) -> Response:
        try:
            result = call(request)
            if type(result) is dict:
                return json_response(result)
            if hasattr(result, "__await__"):
                result = errors.loop.block_on(_await(result))
            response = to_response(result)
            if collects and response.stream is not None:
                collect(response, errors.loop)
            return response
        except BaseException as error:  # as above
            return errors.answer(request, error)

    return Endpoint(endpoint, is_async=False)


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def async_endpoint(call: Callable[[Request], Any], errors: ErrorPolicy, collects: bool) -> Endpoint:
    """Wrap an async handler."""

    async def endpoint(request: Request) -> Response:
        try:
            response = to_response(await call(request))
            if collects and response.stream is not None:
                await collect_async(response, errors.loop)
            return response
        except BaseException as error:  # as above
            return await errors.answer_async(request, error)

    return Endpoint(endpoint, is_async=True)


def wrap(layer: Callable[..., Any], is_async: bool, inner: Endpoint, errors: ErrorPolicy) -> Endpoint:
    """Put one middleware around an endpoint."""
    if is_async:
        wrapped = async_endpoint(_async_layer(layer, inner, errors), errors, collects=False)
        wrapped.level = inner.level if inner.is_async else inner.level + 1
        return wrapped
    call_next = inner.call
    if inner.is_async:

        def call_next(request: Request) -> Response:
            response: Response = errors.loop.block_on(inner.call(request))
            return response

    wrapped = plain_endpoint(lambda request: layer(request, call_next), errors, collects=False)
    wrapped.level = inner.level
    return wrapped


def _async_layer(layer: Callable[..., Any], inner: Endpoint, errors: ErrorPolicy) -> Callable[[Request], Any]:
    """Return an async middleware bound to what it wraps."""
    if inner.is_async:
        return lambda request: layer(request, inner.call)

    async def call_next(request: Request) -> Response:
        response: Response = await errors.loop.run_sync(inner.call, request, level=inner.level)
        return response

    return lambda request: layer(request, call_next)


def bind(handler: Callable[..., Any], wants_request: bool, arguments: Sequence[str] | None) -> Callable[[Request], Any]:
    """Return a callable of the request alone. arguments: path parameters to pass by name; None for all of them."""
    if arguments is None:
        if wants_request:
            return lambda request: handler(request, **request.path_params)
        return lambda request: handler(**request.path_params)
    if not arguments:
        return handler if wants_request else lambda request: handler()
    if wants_request:
        return lambda request: handler(request, **{name: request.path_params[name] for name in arguments})
    return lambda request: handler(**{name: request.path_params[name] for name in arguments})


def collect(response: Response, loop: Loop) -> None:
    """Read a stream into the body, where the platform sends none."""
    stream: Any = response.stream
    if hasattr(stream, "__anext__"):
        loop.block_on(collect_async(response, loop))
        return
    response.body = b"".join([as_bytes(chunk) for chunk in stream])
    response.stream = None


async def collect_async(response: Response, loop: Loop) -> None:
    """Read a stream into the body from a coroutine; a plain one in a thread, for it may block."""
    stream: Any = response.stream
    if hasattr(stream, "__anext__"):
        response.body = b"".join([as_bytes(chunk) async for chunk in stream])
        response.stream = None
    else:
        await loop.run_sync(collect, response, loop)


def as_bytes(chunk: str | bytes) -> bytes:
    """Return a chunk of a stream as bytes; text is UTF-8. Raises TypeError for anything else."""
    if isinstance(chunk, str):
        return chunk.encode("utf-8")
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        return bytes(chunk)
    raise TypeError(f"a stream's chunks are str or bytes, got {type(chunk).__name__}")
