"""AWS: API Gateway in front, Lambda's Runtime API behind, and awslambdaric, AWS' own runtime, as a real process.

One instance serves one request at a time, as on Lambda; further requests wait, where AWS would start another instance.
A process that dies fails the request it had and is started anew; one that overruns its time is killed.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any, ClassVar

from . import lambda_events as events
from .front import Front, WireRequest, WireResponse
from .hosts import Host, Setup
from .processes import LoopThread, RuntimeProcess, StartupError, isolated_command, log_tail

INVOCATION_SECONDS = 29.0
_START_SECONDS = 20.0
_MEMORY_MB = "512"
_NAME = "function"
_ARN = f"arn:aws:lambda:{events.REGION}:{events.ACCOUNT}:function:{_NAME}"


class FunctionError(Exception):
    """The function raised, died or overran."""


class LambdaHost:
    """A function behind an HTTP API with payload format 2.0."""

    shape: ClassVar[str] = "aws"
    failure: ClassVar[WireResponse] = events.HTTP_FAILURE

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._thread = LoopThread()
        self._front = Front(self._answer)
        self._runtime_api = Front(self._serve_runtime)
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._pending: dict[str, asyncio.Future[bytes]] = {}
        self._current: str | None = None
        self._process: RuntimeProcess | None = None
        self._api_port = 0
        self._stopping = False

    def start(self) -> Host:
        """Start both servers and the runtime, and wait until it asks for its first event."""
        return self._thread.run(self._start())

    def stop(self) -> None:
        """End the runtime, then the servers."""
        self._stopping = True
        if self._process is not None and self._process.running:
            self._process.end()
        self._thread.run(self._front.stop())
        self._thread.run(self._runtime_api.stop())
        self._thread.stop()

    async def _start(self) -> Host:
        setup = self._setup
        self._api_port = await self._runtime_api.start()
        port = await self._front.start()
        command = self._command()
        started = time.perf_counter()
        process = self._spawn(command)
        done, _ = await asyncio.wait({self._started}, timeout=_START_SECONDS)
        if not done or not self._started.result():
            why = "ended while starting" if done else "did not ask for an event in time"
            raise StartupError(f"awslambdaric {why}:\n{log_tail(setup.log_path)}")
        elapsed = (time.perf_counter() - started) * 1000
        return Host(self.shape, f"http://127.0.0.1:{port}", port, elapsed, setup.log_path, process.pid)

    def _command(self) -> list[str]:
        # boto3 is part of Lambda's runtime; where it is installed it may be imported.
        packages = ("awslambdaric", "boto3")
        setup = self._setup
        return isolated_command(setup.python, setup.directory, packages, "awslambdaric", setup.entry_point)

    def _spawn(self, command: list[str]) -> RuntimeProcess:
        self._started: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        process = RuntimeProcess(
            command,
            self._setup.directory,
            self._environment(),
            self._setup.log_path,
            lambda code: self._thread.soon(self._exited),
        )
        self._process = process
        return process

    def _environment(self) -> dict[str, str]:
        return {
            "_HANDLER": self._setup.entry_point,
            "AWS_DEFAULT_REGION": events.REGION,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": _MEMORY_MB,
            "AWS_LAMBDA_FUNCTION_NAME": _NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{_NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api_port}",
            "AWS_REGION": events.REGION,
            "LAMBDA_TASK_ROOT": str(self._setup.directory),
            "TZ": ":UTC",
            **self._setup.environment,
        }

    def _exited(self) -> None:
        """React to the end of the runtime's process: fail what it had, and start it again unless it never came up."""
        if self._current is not None:
            self._settle(self._current, FunctionError("Runtime.ExitError"))
        if self._stopping:
            return
        if self._started.done():
            self._spawn(self._command())
            return
        self._started.set_result(False)
        for request_id in tuple(self._pending):
            self._settle(request_id, FunctionError("Runtime.ExitError"))

    def _settle(self, request_id: str, outcome: bytes | FunctionError) -> None:
        if request_id == self._current:
            self._current = None
        future = self._pending.pop(request_id, None)
        if future is None or future.done():
            return
        if isinstance(outcome, bytes):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    # API Gateway's side.

    def _event(self, request: WireRequest, request_id: str) -> dict[str, Any]:
        return events.event_v2(request, request_id)

    def _response(self, result: bytes, request_id: str) -> WireResponse:
        return events.response_v2(result, request_id)

    async def _answer(self, request: WireRequest) -> WireResponse:
        request_id = str(uuid.uuid4())
        try:
            event = self._event(request, request_id)
        except ValueError:
            return WireResponse(400, (("content-type", "application/json"),), b'{"message": "Bad Request"}')
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > events.PAYLOAD_BYTES:
            return events.TOO_LARGE
        try:
            return self._response(await self._invoke(payload), request_id)
        except (FunctionError, events.MalformedResultError, ValueError):
            return self.failure

    async def _invoke(self, event: bytes) -> bytes:
        request_id = str(uuid.uuid4())
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = future
        if self._started.done() and not self._started.result():
            self._spawn(self._command())  # the last start failed; Lambda tries again with each request
        self._queue.put_nowait((request_id, event))
        try:
            return await asyncio.wait_for(future, INVOCATION_SECONDS)
        except TimeoutError:
            if self._process is not None and request_id == self._current:
                self._process.kill()
            raise FunctionError("Sandbox.Timedout") from None
        finally:
            self._pending.pop(request_id, None)

    # Lambda's side: the Runtime API, version 2018-06-01.

    async def _serve_runtime(self, request: WireRequest) -> WireResponse:
        parts = request.target.decode("latin-1").removeprefix("/2018-06-01/runtime/").split("/")
        match [request.method, *parts]:
            case ["GET", "invocation", "next"]:
                return await self._next()
            case ["POST", "invocation", request_id, "response"]:
                fits = len(request.body) <= events.PAYLOAD_BYTES
                self._settle(request_id, request.body if fits else FunctionError("Function.ResponseSizeTooLarge"))
            case ["POST", "invocation", request_id, "error"]:
                self._settle(request_id, FunctionError(request.body.decode("utf-8", errors="replace")))
            case ["POST", "init", "error"]:
                pass  # the process ends next, having printed the same to its log
            case _:
                return WireResponse(404)
        return WireResponse(202, (("content-type", "application/json"),), b'{"status":"OK"}\n')

    async def _next(self) -> WireResponse:
        if not self._started.done():
            self._started.set_result(True)
        while True:
            request_id, event = await self._queue.get()
            if request_id in self._pending:
                break
        self._current = request_id
        deadline = time.time_ns() // 1_000_000 + int(INVOCATION_SECONDS * 1000)
        headers = (
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", request_id),
            ("lambda-runtime-deadline-ms", str(deadline)),
            ("lambda-runtime-invoked-function-arn", _ARN),
            ("lambda-runtime-trace-id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"),
        )
        return WireResponse(200, headers, event)


class LambdaRestHost(LambdaHost):
    """A function behind a REST API (payload format 1.0)."""

    shape = "aws-rest"
    failure = events.REST_FAILURE

    def _event(self, request: WireRequest, request_id: str) -> dict[str, Any]:
        return events.event_v1(request, request_id)

    def _response(self, result: bytes, request_id: str) -> WireResponse:
        return events.response_v1(result, request_id)
