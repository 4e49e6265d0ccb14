"""``multicloud run --reload``: a parent that watches files and a child that serves, on one socket that stays open.

The parent holds the listening socket, so a request that comes while the child restarts waits instead of failing. An
application that cannot be loaded is served as the error that it raised, until the next save.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from multicloud_local.problems import problem_body, problem_headers
from multicloud_local.server import GRACE_SECONDS, open_socket, print_ready, serve_on, url_of

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from multicloud_local.responder import Application

SUFFIXES = (".toml",)
"""Watched besides Python's own."""


def serve_reloading(
    load: Callable[[], Application],
    watched: Iterable[Path],
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    trusted_hosts: Iterable[str] = (),
    request_log: bool = True,
    grace_seconds: int = GRACE_SECONDS,
) -> None:
    """Serve what load returns and load it anew, in a fresh process, when a .py or .toml file below watched changes.

    load: called in the child, so it must be picklable: a module's function, or ``functools.partial`` of one. Ends at
    SIGINT or SIGTERM. Raises StartError if the port cannot be had.
    """
    stop = threading.Event()
    previous = {sig: signal.signal(sig, _setter(stop)) for sig in (signal.SIGINT, signal.SIGTERM)}
    options = {"trusted_hosts": (*trusted_hosts, host), "request_log": request_log, "grace_seconds": grace_seconds}
    try:
        with open_socket(host, port) as listener:
            child = _start(load, listener, options)
            print_ready(url_of(listener))
            try:
                for names in _changes(watched, stop):
                    print(f"multicloud: {', '.join(names)} changed, reloading", file=sys.stderr, flush=True)  # noqa: T201
                    _end(child, grace_seconds)
                    child = _start(load, listener, options)
            finally:
                _end(child, grace_seconds)
    finally:
        for sig, handler in previous.items():
            signal.signal(sig, handler)


def _setter(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    return lambda sig, frame: stop.set()


def _changes(watched: Iterable[Path], stop: threading.Event) -> Iterable[list[str]]:
    """Yield the names of changed files, until stop is set."""
    from watchfiles import PythonFilter, watch

    for changes in watch(
        *watched, watch_filter=PythonFilter(extra_extensions=SUFFIXES), stop_event=stop, debounce=200, step=50
    ):
        yield sorted({Path(path).name for _, path in changes})


def _start(load: Callable[[], Application], listener: socket.socket, options: dict[str, Any]) -> SpawnProcess:
    child = multiprocessing.get_context("spawn").Process(target=serve_child, args=(load, listener, options))
    child.start()
    return child


def _end(child: SpawnProcess, grace_seconds: int) -> None:
    """Let the child finish its requests, then end it."""
    child.terminate()
    child.join(grace_seconds + 1)
    if child.is_alive():
        child.kill()
        child.join()


def serve_child(load: Callable[[], Application], listener: socket.socket, options: dict[str, Any]) -> None:
    """Run in the child: load and serve. What keeps the application from loading becomes its answer."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        app = load()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            return
        traceback.print_exc()
        app = failed(error)
    with listener:
        serve_on(listener, app, on_ready=lambda url: None, **options)


def _follow_parent() -> None:
    """End with a parent that was killed and could not end us."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def failed(error: BaseException) -> Application:
    """Return an application that answers each request with the error. Only ever seen by the developer, on --reload."""
    detail = "".join(traceback.format_exception_only(error)).strip()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = problem_body(500, f"The application could not be loaded; save a change to try again. {detail}")
        await send({"type": "http.response.start", "status": 500, "headers": problem_headers(body)})
        await send({"type": "http.response.body", "body": body})

    return application
