"""A dispatcher around an API, called as each kind of platform calls it: no server, no event format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import Any

from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.runtime.application import Application
from multicloud.runtime.loops import HostLoop, InlineLoop, ThreadLoop
from multicloud.runtime.multidict import join_headers
from multicloud.runtime.recorder import Api
from multicloud.runtime.request import Request
from multicloud.runtime.response import Response

LOOPS = ("inline", "thread", "host")
WATCHDOG_SECONDS = 20
"""Far beyond what any of these requests needs; a deadlock fails here."""

_numbers = count(1)


class PlainRequest(Request):
    """A request made from plain values, as a provider's subclass would be from its event."""

    def __init__(self, method="GET", target="/", headers=(), body=b"", seconds=29.0) -> None:
        path, _, self._query_text = target.partition("?")
        super().__init__(method, path, None)
        self._pairs, self._sent_path, self._content = headers, path, body
        self._deadline_at = time.time() + seconds
        self._id = f"request-{next(_numbers)}"

    @property
    def raw_path(self):
        return self._sent_path

    @property
    def raw_query(self):
        return self._query_text

    def plain_headers(self):
        return join_headers(self._pairs)

    def url_bytes(self):
        return len(self._sent_path) + len(self._query_text)

    def read_body(self, limit_bytes):
        return self._content

    def read_deadline(self):
        return self._deadline_at

    @property
    def client_ip(self):
        return "192.0.2.1"

    @property
    def request_id(self):
        return self._id


class Platform:
    """An application on one kind of loop. ``send`` may be called from many threads at a time."""

    def __init__(self, application: Application, kind: str, host: asyncio.AbstractEventLoop | None) -> None:
        self.application = application
        self._kind = kind
        self._host = host
        # Lambda gives an instance one request at a time.
        self._callers = ThreadPoolExecutor(1 if kind == "inline" else 64)

    def start(self, request: PlainRequest) -> Any:
        """Return a future of the response."""
        if self._host is not None:
            return asyncio.run_coroutine_threadsafe(self.application.answer_async(request), self._host)
        return self._callers.submit(self.application.answer, request)

    def send(self, method="GET", target="/", headers=(), body=b"") -> Response:
        """Return the response; a deadlock ends in TimeoutError."""
        return self.start(PlainRequest(method, target, headers, body)).result(WATCHDOG_SECONDS)


    def stop(self) -> None:
        """Shut mounted applications down: a lifespan that is left waiting is noise when its loop is collected."""
        stopping = self.application.stop()
        if self._host is not None:
            asyncio.run_coroutine_threadsafe(stopping, self._host).result(WATCHDOG_SECONDS)
        else:
            self._callers.submit(self.application.loop.block_on, stopping).result(WATCHDOG_SECONDS)


@contextmanager
def platform(api: Api, kind: str = "thread", *, streaming: bool = False, **options: Any) -> Iterator[Platform]:
    """Compile an API and run it on a loop of a kind. options: as ``Application`` and the compiler take them."""
    definition = define(api)
    compiled = {key: options.pop(key) for key in ("event_loop", "development") if key in options}
    config, objects = compile_application(
        definition, definition.functions, provider="local", stage="test", **{"development": True, **compiled}
    )
    host = asyncio.new_event_loop() if kind == "host" else None
    loops = {
        "inline": lambda: InlineLoop(config["event_loop"]),
        "thread": ThreadLoop,
        "host": lambda: HostLoop(4),
    }
    loop = loops[kind]()
    application = Application(config, objects, lambda: loop, streaming=streaming, **options)
    thread = None
    if host is not None:
        thread = Thread(target=host.run_forever, daemon=True)
        thread.start()
    running = Platform(application, kind, host)
    try:
        yield running
    finally:
        running.stop()
        if host is not None and thread is not None:
            host.call_soon_threadsafe(host.stop)
            thread.join(WATCHDOG_SECONDS)
