"""Azure's worker process: Microsoft's azure_functions_runtime behind the FunctionRpc stream of the host.

It stands for Microsoft's proxy worker, which is not published: a message in, the runtime's function for it, its answer
out. Runs isolated (see ``alone.py``) and takes the host's address and the bundle's folder as arguments.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import queue
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

_DEPENDENCIES = os.path.join(".python_packages", "lib", "site-packages")


def main(address: str, request_id: str) -> None:
    """Connect to the host and serve until the stream ends."""
    # The platform puts a bundle's dependencies before the worker's own.
    sys.path.insert(0, os.path.join(os.getcwd(), _DEPENDENCIES))
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    asyncio.run(_serve(address, request_id))


async def _serve(address: str, request_id: str) -> None:
    # Only now: the bundle's own folder of dependencies, put on the path by main, comes first.
    runtime, grpc, protos = map(importlib.import_module, ("azure_functions_runtime", "grpc", "protos"))

    loop = asyncio.get_running_loop()
    outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
    outgoing.put(protos.StreamingMessage(request_id=request_id, start_stream=protos.StartStream(worker_id="worker")))
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    stub = protos.FunctionRpcStub(grpc.insecure_channel(address, options))
    runtime.start_threadpool_executor()
    calls = {
        "worker_init_request": (runtime.worker_init_request, "worker_init_response"),
        "functions_metadata_request": (runtime.functions_metadata_request, "function_metadata_response"),
        "function_load_request": (runtime.function_load_request, "function_load_response"),
        "invocation_request": (runtime.invocation_request, "invocation_response"),
    }

    async def dispatch(message: Any) -> None:
        kind = message.WhichOneof("content")
        if kind not in calls:
            return
        call, answer = calls[kind]
        properties = {"protos": protos, "host": "127.0.0.1"}
        result = await call(SimpleNamespace(name=kind, request=message, properties=properties))
        outgoing.put(protos.StreamingMessage(request_id=message.request_id, **{answer: result}))

    running: set[asyncio.Task[None]] = set()

    def arrive(message: Any) -> None:
        task = loop.create_task(dispatch(message))
        running.add(task)
        task.add_done_callback(running.discard)

    ended = asyncio.Event()

    def read() -> None:
        try:
            for message in stub.EventStream(_drained(outgoing)):
                loop.call_soon_threadsafe(arrive, message)
        except grpc.RpcError:
            pass  # the host is gone, and with it the reason to live
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    await ended.wait()
    os._exit(0)  # handlers that still run in the pool would hold the process


def _drained(messages: queue.SimpleQueue[Any]) -> Iterator[Any]:
    while True:
        yield messages.get()


if __name__ == "__main__":
    main(*sys.argv[1:])
