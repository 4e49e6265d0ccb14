"""From ``cache_seconds`` and ``Cdn`` to the literals of ``multicloud.runtime.caching``: the config's ``caching``.

It is absent where no route's answers are kept and no Cdn stands in front. Else ``kept`` has GET and HEAD, each with
template -> seconds for which anyone may keep an answer, and ``cdn`` tells whether there is a Cdn, so that whatever is
not kept must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multicloud.model import ApiDefinition, FunctionDefinition


def caching_literals(definition: ApiDefinition, functions: Sequence[FunctionDefinition]) -> dict[str, Any] | None:
    """Return ``caching`` of some functions of an API, None if they need none."""
    default = definition.cdn.default_cache_seconds if definition.cdn else 0
    kept: dict[str, int] = {}
    heads = set()
    for function in functions:
        for route in function.routes:
            is_public = not definition.authorizers(function, route)
            seconds = route.cache_seconds or (default if is_public else 0)
            if route.method == "GET" and seconds:
                kept[route.path] = seconds
            elif route.method == "HEAD":
                heads.add(route.path)
    if not kept and definition.cdn is None:
        return None
    # A HEAD handler of its own need not describe what GET would answer.
    answered_by_get = {path: seconds for path, seconds in kept.items() if path not in heads}
    return {"kept": {"GET": kept, "HEAD": answered_by_get}, "cdn": definition.cdn is not None}
