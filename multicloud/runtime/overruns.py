"""Warns when a request has used 90 % of its time, while there is still time to see it in the log.

A platform ends an overrun without a word from the function. One thread watches all requests of an instance; a request
costs it two dict operations, and nothing wakes it but the clock.
"""

from __future__ import annotations

from _thread import start_new_thread
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multicloud.runtime.request import Request

WARN_AT = 0.9
"""Share of the timeout after which a warning is logged (CONTRACT.md, section 1)."""


class Overruns:
    """Watches requests. shortest_seconds: the shortest timeout, which bounds how long the thread sleeps."""

    __slots__ = ("_idle_seconds", "_is_watching", "_running")

    def __init__(self, shortest_seconds: float) -> None:
        self._idle_seconds = shortest_seconds * WARN_AT
        self._running: dict[Request, float] = {}
        self._is_watching = False

    def begin(self, request: Request, timeout_seconds: float) -> None:
        """Watch a request from now on."""
        self._running[request] = monotonic() + timeout_seconds * WARN_AT
        if not self._is_watching:
            self._is_watching = True
            # threading.Thread.start waits until the thread runs, up to 1 ms of a cold start on a busy processor.
            start_new_thread(self._watch, ())

    def end(self, request: Request) -> None:
        """Stop watching a request."""
        self._running.pop(request, None)

    def _watch(self) -> None:
        while True:
            now, wake = monotonic(), monotonic() + self._idle_seconds
            for request, due in list(self._running.items()):
                if due > now:
                    wake = min(wake, due)
                elif self._running.pop(request, None) is not None:
                    _warn(request)
            sleep(max(wake - now, 0.001))


def _warn(request: Request) -> None:
    from multicloud.runtime.logs import WARNING, log

    log(WARNING, "a request has used 90 % of its time", request)
