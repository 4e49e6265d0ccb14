"""``Api`` and ``Function``: light recorders of what the user writes. They ship in the function.

They keep what they are given and check nothing: ``multicloud.model.recording.define`` builds the validated
``ApiDefinition`` from them at deploy time, and inside a function only the decorators' return values matter.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    Handler = TypeVar("Handler", bound=Callable[..., Any])


class Route:
    """One method on one path, as recorded. options: the decorator's keyword arguments."""

    __slots__ = ("handler", "method", "options", "path")

    def __init__(self, method: str, path: str, handler: Callable[..., Any], options: dict[str, Any]) -> None:
        self.method = method
        self.path = path
        self.handler = handler
        self.options = options


class Router:
    """What ``Api`` and ``Function`` share: decorators that record.

    name: the API's or function's name. settings: its keyword arguments, as given.
    Every route decorator takes the path template and, as keywords, ``operation_id``, ``summary``, ``description``,
    ``tags``, ``deprecated``, ``scopes``, ``authorizer``, ``throttle``, ``quota``, ``cache_seconds`` and
    ``middleware``; ``multicloud.model.routes.RouteDefinition`` says what each means. The decorated handler is returned
    unchanged.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.name = name
        self.settings = settings
        self.routes: list[Route] = []
        self.middlewares: list[Callable[..., Any]] = []
        self.exception_handlers: list[tuple[type[BaseException], Callable[..., Any]]] = []
        self.mounts: list[tuple[str, Any]] = []

    @property
    def handlers(self) -> dict[str, Callable[..., Any]]:
        """The handlers by method and path: ``handlers["GET /items"]``. How an entry module finds one without a name."""
        return {f"{route.method} {route.path}": route.handler for route in self.routes}

    def route(self, path: str, *, methods: Iterable[str] = ("GET",), **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for several methods on one path."""
        names = [methods] if isinstance(methods, str) else list(methods)

        def record(handler: Handler) -> Handler:
            for method in names:
                self.routes.append(Route(method, path, handler, options))
            return handler

        return record

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for GET; HEAD is answered from it as well."""
        return self.route(path, methods=("GET",), **options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for POST."""
        return self.route(path, methods=("POST",), **options)

    def put(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for PUT."""
        return self.route(path, methods=("PUT",), **options)

    def patch(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for PATCH."""
        return self.route(path, methods=("PATCH",), **options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for DELETE."""
        return self.route(path, methods=("DELETE",), **options)

    def head(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for HEAD alone."""
        return self.route(path, methods=("HEAD",), **options)

    def options(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Record a handler for OPTIONS, in place of the automatic answer."""
        return self.route(path, methods=("OPTIONS",), **options)

    def middleware(self, layer: Handler) -> Handler:
        """Record a middleware, plain or async: ``layer(request, call_next) -> Response``. The first is outermost."""
        self.middlewares.append(layer)
        return layer

    def exception_handler(self, *errors: type[BaseException]) -> Callable[[Handler], Handler]:
        """Record a handler ``(request, error) -> answer`` for exceptions of these classes and their subclasses."""

        def record(handler: Handler) -> Handler:
            self.exception_handlers.extend((error, handler) for error in errors)
            return handler

        return record

    def mount(self, prefix: str, app: Any) -> None:
        """Hand every path under a literal prefix to an ASGI or WSGI application."""
        self.mounts.append((prefix, app))


class Function(Router):
    """A part of the API that deploys, scales and fails on its own.

    name: letters, digits and hyphens. settings: ``memory_mb``, ``timeout_seconds``, ``min_instances``,
    ``max_instances``, ``concurrency``, ``architecture``, ``environment``, ``secrets``, ``dependencies``, ``extras``,
    ``authorizer``, ``throttle``, ``quota``; ``multicloud.model.functions.FunctionDefinition`` gives each its meaning
    and default.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        super().__init__(name, settings)


class Api(Router):
    """The API as a whole. Routes recorded on it belong to its default function, which bears its name.

    functions: the API's further functions. settings: what ``Function`` takes, for the default function, and
    ``authorizer``, ``cors``, ``throttle``, ``quota``, ``cdn``, ``domain``, ``encryption``, ``logging``, ``tracing``,
    ``alarms``, ``description`` and ``version``; ``multicloud.model.definition.ApiDefinition`` gives each its meaning.
    Middleware and exception handlers recorded here serve every function.
    """

    def __init__(self, name: str, *, functions: Sequence[Function] = (), **settings: Any) -> None:
        super().__init__(name, settings)
        self.functions = list(functions)
