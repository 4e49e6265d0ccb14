"""From a handler to an endpoint: what turns a Request into a Response and never raises.

An endpoint is the handler, its exception handlers and its middleware in one callable, either plain or a coroutine
function. Both kinds mix freely: a plain layer waits for an async one through the loop, an async layer calls a plain
one through ``run_sync``. ``Endpoints`` makes those of an application, each at its first request.
"""

from __future__ import annotations

from _thread import allocate_lock

from multicloud.runtime.response import json_response, to_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any, Protocol

    from multicloud.runtime.asgi import AsgiMount
    from multicloud.runtime.gate import Gate, Gates
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


class Endpoints:
    """The endpoints of an application.

    config, objects: as ``Application`` takes them. owner: whose loop is used. failure: answers what no exception
    handler takes. collects: whether the platform cannot stream. routes, mounts: what has been made so far, by number.
    lifespans: mounted applications that want to be told of the end.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        objects: Sequence[Any],
        owner: HasLoop,
        failure: Callable[[Request, BaseException], Response],
        *,
        collects: bool,
    ) -> None:
        self.routes: list[Endpoint | None] = [None] * len(config["routes"])
        self.mounts: list[Endpoint | None] = [None] * len(config["mounts"])
        self.lifespans: list[AsgiMount] = []
        self._config = config
        self._objects = objects
        self._owner = owner
        self._failure = failure
        self._collects = collects
        self._kept: Mapping[str, Mapping[str, int]] = config["caching"]["kept"] if "caching" in config else {}
        self._gates: Gates | None = None
        self._making_gates = allocate_lock()  # threading is not needed otherwise

    def unmatched(self, call: Callable[[Request], Any]) -> Endpoint:
        """Make the endpoint of a request that no route takes, which the API's own layers see."""
        errors = self._error_policy(self._config["exception_handlers"])
        return self._wrap(plain_endpoint(call, errors, collects=False), self._config["middleware"], errors)

    def preflight(self, call: Callable[[Request], Any]) -> Endpoint:
        """Make the endpoint of preflights, which no layer sees."""
        return plain_endpoint(call, self._error_policy(self._config["exception_handlers"]), collects=False)

    def route(self, number: int) -> Endpoint:
        """Make the endpoint of a route."""
        route = self._config["routes"][number]
        function = self._config["functions"][route["function"]]
        errors = self._error_policy(function["exception_handlers"], self._config["exception_handlers"])
        handler = self._objects[route["handler"]]
        make = async_endpoint if route["async"] else plain_endpoint
        if "typed" in route:
            from multicloud.runtime.typed import bind_typed

            call = bind_typed(handler, route, self._config.get("records", ()), self._objects)
        else:
            call = bind(handler, route["request"], route["arguments"])
        # What may be kept is collected everywhere: its entity tag must not depend on where it streams.
        collects = self._collects or route["path"] in self._kept.get(route["method"], ())
        layers = (*self._config["middleware"], *function["middleware"], *route["middleware"])
        endpoint = self._wrap(make(call, errors, collects), layers, errors)
        endpoint.route = route["path"]
        endpoint.parameters = route["parameters"]
        self.routes[number] = self._finished(endpoint, function, route)
        return endpoint

    def mount(self, number: int) -> Endpoint:
        """Make the endpoint of a mounted application."""
        mount = self._config["mounts"][number]
        function = self._config["functions"][mount["function"]]
        errors = self._error_policy(function["exception_handlers"], self._config["exception_handlers"])
        app, prefix, strict = self._objects[mount["app"]], mount["prefix"], self._config["development"]
        if mount["kind"] == "asgi":
            from multicloud.runtime.asgi import AsgiMount

            asgi_mount = AsgiMount(app, prefix, strict=strict, waits=self._collects)
            self.lifespans.append(asgi_mount)
            endpoint = async_endpoint(asgi_mount.answer, errors, self._collects)
        else:
            from multicloud.runtime.wsgi import WsgiMount

            endpoint = plain_endpoint(WsgiMount(app, prefix, strict=strict).answer, errors, self._collects)
        endpoint = self._wrap(endpoint, (*self._config["middleware"], *function["middleware"]), errors)
        endpoint.route = prefix + "/{path+}"
        self.mounts[number] = self._finished(endpoint, function, mount)
        return endpoint

    def _finished(self, endpoint: Endpoint, function: Mapping[str, Any], part: Mapping[str, Any]) -> Endpoint:
        endpoint.timeout_seconds = function["timeout_seconds"]
        if "gate" in part:
            endpoint.gate = self._gate(part["gate"])
        return endpoint

    def _gate(self, number: int) -> Gate:
        """Return a gate. Two threads may build one endpoint at a time, but must count in the same buckets."""
        from multicloud.runtime.gate import Gates

        with self._making_gates:
            if self._gates is None:
                self._gates = Gates(self._config, self._objects, self._owner)
            return self._gates.get(number)

    def _wrap(self, endpoint: Endpoint, layers: Sequence[tuple[int, bool]], errors: ErrorPolicy) -> Endpoint:
        for number, is_async in reversed(layers):
            endpoint = wrap(self._objects[number], is_async, endpoint, errors)
        return endpoint

    def _error_policy(self, *tables: Sequence[tuple[int, int, bool]]) -> ErrorPolicy:
        """Return the policy of tables of (class, handler, is_async); the first table that names a class decides."""
        handlers: dict[type[BaseException], Any] = {}
        for table in tables:
            for error, handler, is_async in table:
                handlers.setdefault(self._objects[error], (self._objects[handler], is_async))
        return ErrorPolicy(handlers, self._failure, self._owner)
