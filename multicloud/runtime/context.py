"""Which request a log record belongs to: a context variable, so that each thread and task sees its own.

Imported by the user's code alone (``from multicloud import current_request``); the dispatcher sets it from then on.
"""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multicloud.runtime.request import Request

current_request: ContextVar[Request | None] = ContextVar("current_request", default=None)
"""The request that this thread or task works on, for logs; handlers are given theirs."""
