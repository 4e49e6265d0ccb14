"""Where coroutines run: one small class for each way in which a platform calls a function.

``block_on`` runs a coroutine to its end from plain code; ``run_sync`` calls plain code from a coroutine without
holding up others. asyncio costs 25 ms of a cold start on AWS, so it is imported when something awaits, not before.

A thread of ``run_sync`` may wait in ``block_on`` for a coroutine that calls ``run_sync`` again. Were both to take their
threads from one pool, enough requests at a time would hold all of them and wait for one more, for ever. So a call
states its level, how many calls can follow below it, and each level has a pool of its own: threads wait only for those
of lower levels.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any, Protocol

    class Loop(Protocol):
        """What the dispatcher needs of a loop."""

        def block_on(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
            """Run a coroutine to its end, from a thread that runs no loop itself."""

        async def run_sync(self, call: Callable[..., Any], *arguments: Any, level: int = 0) -> Any:
            """Call plain code from a coroutine. level: the most calls of ``run_sync`` that are nested in this one."""


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never suspends, without an event loop. Raises RuntimeError if it does suspend."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError("a coroutine waited for an event loop, but nothing in the bundle imports asyncio")


class Threads:
    """Pools of threads, one for each level. workers: the threads of each; None for Python's own choice."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers
        self._pools: dict[int, ThreadPoolExecutor] = {}

    async def run(self, level: int, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call plain code in a thread of a level, with this task's context variables."""
        from asyncio import get_running_loop
        from contextvars import copy_context

        pool = self._pools.get(level)
        if pool is None:
            from concurrent.futures import ThreadPoolExecutor

            pool = self._pools[level] = ThreadPoolExecutor(self._workers, thread_name_prefix="multicloud")
        return await get_running_loop().run_in_executor(pool, copy_context().run, call, *arguments)


class InlineLoop:
    """For a platform that gives an instance one request at a time (AWS Lambda).

    needed: False if nothing in the bundle can wait on an event loop, so that coroutines are driven without one.
    """

    def __init__(self, needed: bool) -> None:
        self._needed = needed
        self._loop: AbstractEventLoop | None = None
        self._threads = Threads()

    def block_on(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the instance's one loop, which outlives the request."""
        if self._loop is None:
            if not self._needed and "asyncio" not in sys.modules:
                return drive(coroutine)
            from asyncio import new_event_loop

            self._loop = new_event_loop()
        if self._loop.is_running():  # called in a thread of run_sync
            from asyncio import run_coroutine_threadsafe

            return run_coroutine_threadsafe(coroutine, self._loop).result()
        return self._loop.run_until_complete(coroutine)

    async def run_sync(self, call: Callable[..., Any], *arguments: Any, level: int = 0) -> Any:
        """Call in a thread, for the call may come back to the loop; at once where coroutines are driven without one."""
        return call(*arguments) if self._loop is None else await self._threads.run(level, call, *arguments)


class ThreadLoop:
    """For a platform that calls from many threads at a time (functions-framework under gunicorn).

    One loop in a thread of its own serves every coroutine, so that clients shared by requests stay on one loop.
    """

    def __init__(self) -> None:
        from threading import Lock

        self._lock = Lock()
        self._loop: AbstractEventLoop | None = None
        self._threads = Threads()

    def _running_loop(self) -> AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                from asyncio import new_event_loop
                from threading import Thread

                self._loop = new_event_loop()
                Thread(target=self._loop.run_forever, name="multicloud-loop", daemon=True).start()
            return self._loop

    def block_on(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the shared loop and wait for it."""
        from asyncio import run_coroutine_threadsafe

        return run_coroutine_threadsafe(coroutine, self._running_loop()).result()

    async def run_sync(self, call: Callable[..., Any], *arguments: Any, level: int = 0) -> Any:
        """Call in a thread."""
        return await self._threads.run(level, call, *arguments)


class HostLoop:
    """For a platform that runs the loop itself (Azure's worker, the local gateway).

    threads: how many plain handlers run at a time.
    """

    def __init__(self, threads: int) -> None:
        self._threads = Threads(threads)
        self._loop: AbstractEventLoop | None = None

    def block_on(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the platform's loop from a thread of ``run_sync``."""
        from asyncio import run_coroutine_threadsafe

        if self._loop is None:
            raise RuntimeError("no request has reached this loop yet")
        return run_coroutine_threadsafe(coroutine, self._loop).result()

    async def run_sync(self, call: Callable[..., Any], *arguments: Any, level: int = 0) -> Any:
        """Call in a thread."""
        if self._loop is None:
            from asyncio import get_running_loop

            self._loop = get_running_loop()
        return await self._threads.run(level, call, *arguments)
