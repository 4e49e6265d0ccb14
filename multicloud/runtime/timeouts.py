"""Ends a request at its function's timeout, where no platform does: on the local gateway.

``asyncio.timeout`` does the same and takes three times as long, a tenth of what a small request costs.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task, get_running_loop

from multicloud.runtime.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any


async def limit(call: Awaitable[Any], timeout_seconds: float) -> Any:
    """Await a call, or raise HttpError 504 at the timeout. A plain handler's thread runs on: nothing stops it."""
    task = current_task()
    assert task is not None  # noqa: S101 - a coroutine of the gateway runs in a task
    cancelled_before = task.cancelling()
    is_over = False

    def end() -> None:
        nonlocal is_over
        is_over = True
        task.cancel()

    timer = get_running_loop().call_later(timeout_seconds, end)
    try:
        return await call
    except CancelledError:
        if is_over and task.uncancel() <= cancelled_before:
            is_over = False
            raise HttpError(504, f"The handler took longer than {timeout_seconds:g} seconds.") from None
        raise
    finally:
        timer.cancel()
        if is_over:  # the call ended by itself while it was being ended
            task.uncancel()
