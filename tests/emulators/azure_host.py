"""Azure: the Functions host as far as HTTP goes, and a real worker process on Microsoft's azure_functions_runtime.

The host speaks FunctionRpc with the worker: start, init, metadata, load, then one invocation for each request. It
reads host.json for the route prefix, checks function keys, routes as ASP.NET does, and starts a worker that died anew.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import protos

from . import azure_http, azure_routes
from .front import Front, WireRequest, WireResponse
from .hosts import Host, Setup
from .processes import LoopThread, RuntimeProcess, StartupError, isolated_command, log_tail

FUNCTION_KEY = "function-key-of-the-emulator"
_START_SECONDS = 20.0
_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
_HOMEPAGE = b"<!DOCTYPE html><html><body>Your Azure Function App is up and running.</body></html>"
_WORKER_PACKAGES = (
    "azure-functions",
    "azure-functions-runtime",
    "azurefunctions-extensions-base",
    "grpcio",
    "protobuf",
)


class WorkerError(Exception):
    """The worker died, or said that something failed."""


class AzureHost:
    """A function app: an HTTP front, a gRPC server, and one worker process."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._thread = LoopThread()
        self._front = Front(self._answer)
        self._outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._routes: list[azure_routes.Route] = []
        self._process: RuntimeProcess | None = None
        self._server: grpc.Server | None = None
        self._address = ""
        self._ready: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> Host:
        """Start the servers and the worker, and wait until its functions are loaded."""
        # One thread for a live stream, one for a worker that replaces it before the old stream has ended.
        self._server = grpc.server(ThreadPoolExecutor(2), options=_OPTIONS)
        protos.add_FunctionRpcServicer_to_server(_Servicer(self), self._server)
        self._address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self._thread.run(self._start())

    def stop(self) -> None:
        """End the worker, then the servers."""
        self._stopping = True
        if self._process is not None and self._process.running:
            self._process.end()
        self._outgoing.put(None)
        if self._server is not None:
            self._server.stop(0).wait()
        self._thread.run(self._front.stop())
        self._thread.stop()

    async def _start(self) -> Host:
        setup = self._setup
        port = await self._front.start()
        command = self._command()
        started = time.perf_counter()
        process = self._spawn(command)
        assert self._ready is not None
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), _START_SECONDS)
        except (TimeoutError, WorkerError, ValueError) as error:
            raise StartupError(f"the Azure worker did not load the app: {error}\n{log_tail(setup.log_path)}") from None
        elapsed = (time.perf_counter() - started) * 1000
        url = f"http://127.0.0.1:{port}"
        return Host("azure", url, port, elapsed, setup.log_path, process.pid, FUNCTION_KEY)

    def _command(self) -> list[str]:
        worker = Path(__file__).with_name("azure_worker.py")
        setup, request_id = self._setup, str(uuid.uuid4())
        return isolated_command(
            setup.python, setup.directory, _WORKER_PACKAGES, str(worker), self._address, request_id, modules=("protos",)
        )

    def _spawn(self, command: list[str]) -> RuntimeProcess:
        self._outgoing = queue.SimpleQueue()
        self._stream_open: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        environment = {
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "FUNCTIONS_EXTENSION_VERSION": "~4",
            "PYTHON_SCRIPT_FILE_NAME": self._setup.entry_point.removesuffix(".py") + ".py",
            "WEBSITE_SITE_NAME": "function-app",
            "WEBSITE_HOSTNAME": "function-app.azurewebsites.net",
            "HOME": str(self._setup.scratch),
            **self._setup.environment,
        }
        setup = self._setup
        process = RuntimeProcess(
            command, setup.directory, environment, setup.log_path, lambda code: self._thread.soon(self._exited)
        )
        self._process = process
        self._ready = asyncio.get_running_loop().create_task(self._load())
        return process

    def _exited(self) -> None:
        """React to the worker's end: fail what it had, and start it again unless it never came up."""
        if self._stopping or self._ready is None:
            return
        loaded = self._ready.done() and self._ready.exception() is None
        self._outgoing.put(None)
        for future in (self._stream_open, *self._waiting.values()):
            if not future.done():
                future.set_exception(WorkerError("the worker ended"))
        self._waiting.clear()
        if loaded:
            self._spawn(self._command())

    # The worker's side.

    def arrived(self, message: Any) -> None:
        """Take a message of the worker; called on the loop."""
        kind = message.WhichOneof("content")
        if kind == "start_stream" and not self._stream_open.done():
            self._stream_open.set_result(message)
        key = message.invocation_response.invocation_id if kind == "invocation_response" else message.request_id
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(getattr(message, kind))

    async def _ask(self, key: str, **content: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        self._outgoing.put(protos.StreamingMessage(request_id=key, **content))
        response = await future
        if response.result.status != protos.StatusResult.Success:
            raise self._failure(response.result.exception)
        return response

    def _failure(self, exception: Any) -> WorkerError:
        """Log what the worker reports, as the host does; a client never sees it."""
        with self._setup.log_path.open("a", encoding="utf-8") as log:
            log.write(f"Exception: {exception.message}\nStack: {exception.stack_trace}\n")
        return WorkerError(exception.message or "the worker failed without a message")

    async def _load(self) -> None:
        """Bring a worker up: what the host does before the first invocation."""
        await self._stream_open
        directory = str(self._setup.directory)
        init = protos.WorkerInitRequest(host_version="4.1037.0", function_app_directory=directory)
        await self._ask(str(uuid.uuid4()), worker_init_request=init)
        wanted = protos.FunctionsMetadataRequest(function_app_directory=directory)
        metadata = await self._ask(str(uuid.uuid4()), functions_metadata_request=wanted)
        functions = list(metadata.function_metadata_results)
        if not functions:
            raise WorkerError("no functions found")
        routes = [route for function in functions if (route := _route_of(function, _prefix(directory)))]
        for function in functions:
            load = protos.FunctionLoadRequest(function_id=function.function_id, metadata=function)
            await self._ask(str(uuid.uuid4()), function_load_request=load)
        self._routes = routes

    # The client's side.

    async def _answer(self, request: WireRequest) -> WireResponse:
        raw_path, _ = request.path_and_query()
        try:
            path = azure_http.decoded_path(raw_path)
        except ValueError:
            return WireResponse(400)
        try:
            assert self._ready is not None
            await asyncio.shield(self._ready)
        except WorkerError:
            return WireResponse(503)
        found = azure_routes.find(self._routes, request.method, path)
        if found is None:
            return self._unrouted(path)
        route, values = found
        if route.auth_level != "ANONYMOUS" and not _has_key(request):
            return WireResponse(401)
        try:
            response = await self._invoke(request, route, values)
        except WorkerError:
            return WireResponse(500)
        return azure_http.from_rpc(response.return_value)

    def _unrouted(self, path: str) -> WireResponse:
        if path != "/":
            return WireResponse(404)
        if self._setup.environment.get("AzureWebJobsDisableHomepage", "").lower() == "true":
            return WireResponse(204)
        return WireResponse(200, (("content-type", "text/html"),), _HOMEPAGE)

    async def _invoke(self, request: WireRequest, route: azure_routes.Route, values: dict[str, str]) -> Any:
        invocation_id = str(uuid.uuid4())
        http = azure_http.to_rpc(request, values, protos)
        parameter = protos.ParameterBinding(name=route.binding, data=protos.TypedData(http=http))
        invocation = protos.InvocationRequest(
            invocation_id=invocation_id, function_id=route.function_id, input_data=[parameter]
        )
        invocation.trace_context.trace_parent = _trace_parent(request)
        invocation.trace_context.trace_state = azure_http.joined(request.values("tracestate"))
        return await self._ask(invocation_id, invocation_request=invocation)

    def messages_for_worker(self) -> Iterator[Any]:
        """Yield what the present worker shall get, until it or the host ends."""
        outgoing = self._outgoing
        while (message := outgoing.get()) is not None:
            yield message

    def on_loop(self, message: Any) -> None:
        """Hand a message over from gRPC's thread."""
        self._thread.soon(self.arrived, message)


class _Servicer(protos.FunctionRpcServicer):  # type: ignore[misc]
    """The gRPC service; one stream for each worker."""

    def __init__(self, host: AzureHost) -> None:
        self._host = host

    def EventStream(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:  # noqa: N802 (protobuf's name)
        """Read the worker's messages in a thread of their own and yield the host's."""
        threading.Thread(target=self._read, args=(request_iterator,), daemon=True).start()
        yield from self._host.messages_for_worker()

    def _read(self, messages: Iterator[Any]) -> None:
        try:
            for message in messages:
                self._host.on_loop(message)
        except grpc.RpcError:
            pass  # the worker is gone; its process's end says so too


def _route_of(function: Any, prefix: str) -> azure_routes.Route | None:
    for text in function.raw_bindings:
        binding = json.loads(text)
        if binding["type"].lower() == "httptrigger":
            template = binding.get("route") or function.name
            return azure_routes.parse(
                function.function_id,
                f"{prefix}/{template}",
                binding.get("methods") or (),
                binding.get("authLevel", "FUNCTION"),
                binding["name"],
            )
    return None


def _prefix(directory: str) -> str:
    path = os.path.join(directory, "host.json")
    if not os.path.exists(path):
        raise WorkerError("the bundle has no host.json")
    with open(path, encoding="utf-8") as file:
        prefix: str = json.load(file).get("extensions", {}).get("http", {}).get("routePrefix", "api")
    return prefix


def _has_key(request: WireRequest) -> bool:
    _, query = request.path_and_query()
    given = [*request.values("x-functions-key"), azure_http.query_parameters(query).get("code", "")]
    return any(hmac.compare_digest(key.encode(), FUNCTION_KEY.encode()) for key in given)


def _trace_parent(request: WireRequest) -> str:
    """Return the host's own span within the client's trace, or a new trace."""
    parts = next(iter(request.values("traceparent")), "").split("-")
    trace_id, flags = (parts[1], parts[3]) if len(parts) == 4 else (uuid.uuid4().hex, "01")
    return f"00-{trace_id}-{uuid.uuid4().hex[:16]}-{flags}"
