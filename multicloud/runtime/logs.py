"""What the runtime logs. Imported when there is something to log.

Records of the runtime are one line of JSON with every control character escaped, so that nothing a client sends can
forge a record.
"""

from __future__ import annotations

import logging
from json import dumps
from logging import ERROR, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from multicloud.runtime.request import Request

MAX_VALUE_CHARS = 2048
"""Longest value in a record (CONTRACT.md, R43)."""

__all__ = ["ERROR", "WARNING", "log", "log_failure"]

logger = logging.getLogger("multicloud")


def log(level: int, message: str, request: Request, **fields: Any) -> None:
    """Write one record: the message, what identifies the request, and further fields."""
    record = {
        "message": message,
        "request_id": request.request_id,
        "method": request.method,
        "path": request.path,
        **fields,
    }
    logger.log(level, "%s", dumps({name: _cap(value) for name, value in record.items()}, default=repr))


def log_failure(request: Request, error: BaseException) -> None:
    """Write the full record of an unexpected exception; its answer is a 500 without detail."""
    from traceback import format_exception

    trace = "".join(format_exception(error))
    log(
        ERROR,
        "a handler failed",
        request,
        error=type(error).__qualname__,
        detail=str(error),
        traceback=trace[-8 * MAX_VALUE_CHARS :].splitlines(),
    )


def _cap(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_VALUE_CHARS:
        return value[:MAX_VALUE_CHARS] + "..."
    return value
