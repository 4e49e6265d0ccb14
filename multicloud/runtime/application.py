"""The dispatcher: route, check, call, finish. One for all providers; a provider's runtime converts and does no more.

The order of checks is CONTRACT.md's: the edge (414, 431, repeated headers), the path (400, 404), the method (405), the
gate (401, 403, 429), the body (413, 400), then the handler. Nothing about a request is kept outside its Request.
"""

from __future__ import annotations

import sys

from multicloud.runtime.endpoints import Endpoints
from multicloud.runtime.errors import HttpError
from multicloud.runtime.overruns import Overruns
from multicloud.runtime.request import BODILESS, check_headers
from multicloud.runtime.response import BODILESS_STATUS, Response, json_response
from multicloud.runtime.router import Router, decode_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from multicloud.runtime.endpoints import Endpoint
    from multicloud.runtime.loops import Loop
    from multicloud.runtime.request import Request

CONTEXT = "multicloud.runtime.context"
"""Loaded only where the user's code asks which request it works on."""

MOUNT_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


class Application:
    """Answers requests.

    config: the literals that ``multicloud.deploy.entry`` compiled from the definition. objects: the user's callables,
    classes and applications, to which config refers by index. make_loop: returns where coroutines run; called when
    the first one does. streaming: whether the platform can send a response in parts. enforces_timeout: whether to
    answer 504 at a function's timeout, where no platform does.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        objects: Sequence[Any],
        make_loop: Callable[[], Loop],
        *,
        streaming: bool,
        enforces_timeout: bool = False,
    ) -> None:
        self.config = config
        self._make_loop = make_loop
        self._loop: Loop | None = None
        self._limit: Callable[[Awaitable[Any], float], Awaitable[Any]] | None = None
        if enforces_timeout:
            from multicloud.runtime.timeouts import limit

            self._limit = limit
        self._overruns = Overruns(min(function["timeout_seconds"] for function in config["functions"]))
        self._static = config["static"]
        self._router = Router(config["static"], config["tree"], config["routes"], config["shared"], config["mounts"])
        limits = config["limits"]
        self._max_body_bytes = limits["body_bytes"]
        self._max_header_bytes = limits["header_bytes"]
        self._max_headers = limits["headers"]
        self._max_url_bytes = limits["url_bytes"]
        self._cors = None
        if config["cors"] is not None:
            from multicloud.runtime.cors import CorsPolicy

            self._cors = CorsPolicy(config["cors"], for_caches="caching" in config)
        self._caching = None
        if "caching" in config:
            from multicloud.runtime.caching import Caching

            self._caching = Caching(config["caching"])
        self._endpoints = Endpoints(config, objects, self, self._failure, collects=not streaming)
        self._unmatched = self._endpoints.unmatched(self._answer_unmatched)
        self._preflight = self._endpoints.preflight(self._answer_preflight)

    @property
    def loop(self) -> Loop:
        """Where coroutines run."""
        if self._loop is None:
            self._loop = self._make_loop()
        return self._loop

    # One request.

    def answer(self, request: Request) -> Response:
        """Answer a request from plain code. Never raises."""
        context = sys.modules.get(CONTEXT)
        token = None if context is None else context.current_request.set(request)
        try:
            endpoint = self._select(request)
            if endpoint.gate is not None:
                endpoint.gate.check(request)
            self._load_body(endpoint, request)
            self._overruns.begin(request, endpoint.timeout_seconds)
            if endpoint.is_async:
                response: Response = self.loop.block_on(endpoint.call(request))
            else:
                response = endpoint.call(request)
            return self._finish(request, response)
        except BaseException as error:  # whatever happens must not take the instance down
            return self._finish_failure(request, error)
        finally:
            self._overruns.end(request)
            if context is not None:
                context.current_request.reset(token)

    async def answer_async(self, request: Request) -> Response:
        """Answer a request on the platform's loop. Raises nothing but the task's own cancellation."""
        context = sys.modules.get(CONTEXT)
        token = None if context is None else context.current_request.set(request)
        try:
            endpoint = self._select(request)
            if endpoint.gate is not None:
                check: Awaitable[Any] = endpoint.gate.check_async(request)
                if self._limit is not None and endpoint.gate.calls_user:
                    check = self._limit(check, endpoint.timeout_seconds)
                await check
            await self._receive_body(endpoint, request)
            self._overruns.begin(request, endpoint.timeout_seconds)
            if endpoint.is_async:
                call = endpoint.call(request)
            else:
                call = self.loop.run_sync(endpoint.call, request, level=endpoint.level)
            response = await (call if self._limit is None else self._limit(call, endpoint.timeout_seconds))
            return self._finish(request, response)
        except BaseException as error:
            if type(error).__name__ == "CancelledError" and _is_cancelling():
                raise
            return self._finish_failure(request, error)
        finally:
            self._overruns.end(request)
            if context is not None:
                context.current_request.reset(token)

    async def stop(self) -> None:
        """Shut mounted applications down, where the platform tells us that the instance ends."""
        for mount in self._endpoints.lifespans:
            await mount.stop()

    def _select(self, request: Request) -> Endpoint:
        """Return the endpoint of a request and fill in its path, route and parameters. Raises HttpError."""
        if not request.is_checked:
            try:
                self._check_edge(request)
            except (TypeError, AttributeError):
                raise HttpError(400, "The event is malformed.") from None
        if request.path not in self._static:
            request.path = decode_path(request.path, request.raw_path is not None)
        method = request.method
        found = self._router.match(method, request.path)
        if found is not None:
            number, values = found
            endpoint = self._endpoints.routes[number] or self._endpoints.route(number)
            request.path_params = dict(zip(endpoint.parameters, values)) if values else {}  # noqa: B905 - equal in number
        else:
            request.path_params = {}
            endpoint = self._select_other(request)
        request.route = endpoint.route
        return endpoint

    def _load_body(self, endpoint: Endpoint, request: Request) -> None:
        """Read the body: after routing, before the handler. Raises HttpError."""
        if request.method not in BODILESS and endpoint is not self._unmatched:
            try:
                request.load_body(request.read_body(self._max_body_bytes), self._max_body_bytes)
            except (TypeError, AttributeError):
                raise HttpError(400, "The event is malformed.") from None

    async def _receive_body(self, endpoint: Endpoint, request: Request) -> None:
        """Read the body on the platform's loop. Raises HttpError."""
        if request.method not in BODILESS and endpoint is not self._unmatched:
            request.load_body(await request.receive_body(self._max_body_bytes), self._max_body_bytes)

    def _check_edge(self, request: Request) -> None:
        """Refuse what is over the portable limits, and repeated single headers."""
        if request.url_bytes() > self._max_url_bytes:
            raise HttpError(414, f"The URL is longer than {self._max_url_bytes} bytes.")
        headers = request.plain_headers()
        cookies = request.cookie_parts()
        count = len(headers)
        size = len("".join([*headers, *headers.values(), *cookies])) + 4 * count
        if cookies:  # "cookie: a; b", and the line's end
            count += 1
            size += 8 + 2 * len(cookies)
        if count > self._max_headers:
            raise HttpError(431, f"There are more than {self._max_headers} headers.")
        if size > self._max_header_bytes:
            raise HttpError(431, f"The headers are larger than {self._max_header_bytes} bytes.")
        check_headers(headers)

    # What no route takes.

    def _select_other(self, request: Request) -> Endpoint:
        """Return the endpoint for a request that no route takes: a mounted application, a preflight, an error."""
        methods = self._router.methods(request.path)
        number = None if methods else self._router.mount(request.path)
        if self._cors is not None and self._cors.is_preflight(request) and (methods or number is not None):
            return self._preflight
        if number is None:
            return self._unmatched
        return self._endpoints.mounts[number] or self._endpoints.mount(number)

    def _answer_unmatched(self, request: Request) -> Response:
        """Answer OPTIONS on a known path, else raise 404 or 405."""
        methods = self._router.methods(request.path)
        if not methods:
            raise HttpError(404, "No route matches this path.")
        allow = ", ".join(sorted(methods))
        if request.method == "OPTIONS":
            return Response(None, 204, headers={"allow": allow})
        raise HttpError(405, "The path does not take this method.", headers={"allow": allow})

    def _answer_preflight(self, request: Request) -> Response:
        response = Response(None, 204)
        if self._cors is not None:
            self._cors.preflight(request, response, self._router.methods(request.path) or MOUNT_METHODS)
        return response

    # From an answer to what is sent.

    def _failure(self, request: Request, error: BaseException) -> Response:
        """Return the problem document of an exception; one that is no HttpError is logged and hidden."""
        if not isinstance(error, HttpError):
            _log_failure(request, error)
            error = HttpError(500, "The server failed to answer this request.")
        response = json_response(error.problem(request.request_id))
        response.status_code = error.status_code
        response.content_type = "application/problem+json"
        for name, value in error.headers.items():
            response.headers[name] = value
        return response

    def _finish_failure(self, request: Request, error: BaseException) -> Response:
        """Answer what went wrong outside an endpoint: the edge, the router, a faulty error document."""
        try:
            return self._finish(request, self._failure(request, error))
        except BaseException as second:  # an extension without a JSON form, for instance
            _log_failure(request, second)
            return self._finish(
                request, self._failure(request, HttpError(500, "The server failed to answer this request."))
            )

    def _finish(self, request: Request, response: Response) -> Response:
        """Apply the rules that hold for every answer: size, caching, CORS, no body where HTTP has none."""
        size = len(response.body)
        if size > self._max_body_bytes:
            from multicloud.runtime.logs import ERROR, log

            log(ERROR, "a response is over the limit", request, size_bytes=size, limit_bytes=self._max_body_bytes)
            response = self._failure(request, HttpError(500, "The server failed to answer this request."))
        if request.rate_limit is not None:
            response.headers["ratelimit-policy"], response.headers["ratelimit"] = request.rate_limit
        if self._caching is not None:
            response = self._caching.finish(request, response)
        if self._cors is not None:
            self._cors.apply(request, response)
        if request.method == "HEAD" or response.status_code in BODILESS_STATUS:
            _drop_body(request, response)
        return response


def _log_failure(request: Request, error: BaseException) -> None:
    from multicloud.runtime.logs import log_failure

    log_failure(request, error)


def _drop_body(request: Request, response: Response) -> None:
    """Remove the body; HEAD still states the length that GET would."""
    if response.stream is not None:
        close = getattr(response.stream, "close", None)
        if close is not None:
            close()
        response.stream = None
    elif request.method == "HEAD" and response.body:
        response.headers["content-length"] = str(len(response.body))
    response.body = b""
    if response.status_code in BODILESS_STATUS:
        response.content_type = None


def _is_cancelling() -> bool:
    """Tell whether the current task was cancelled from outside, rather than a handler raising CancelledError."""
    from asyncio import current_task

    task = current_task()
    return task is not None and task.cancelling() > 0
