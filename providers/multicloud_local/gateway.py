"""``multicloud run``: from a definition to the application that the server serves.

By default that is the local runtime. With a cloud's event shape, each request goes through that cloud's event and
runtime instead, so that its quirks are met at home.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multicloud.deploy.entry import LIMITS, compile_application
from multicloud.deploy.exchange import open_exchange
from multicloud.deploy.gates import check_at_home
from multicloud.deploy.support import check_support
from multicloud.model import ApiDefinition
from multicloud.provider import Exchange, HttpRequest, load_provider
from multicloud_local.documentation import with_documentation
from multicloud_local.runtime import THREADS, TOO_LARGE, create_handler

if TYPE_CHECKING:
    from multicloud_local.runtime import AsgiApplication


def serve(
    *, load: Callable[[], ApiDefinition], root: Path, stage: str, host: str, port: int, reload: bool, shape: str | None
) -> None:
    """Serve a definition; the arguments are those of ``LocalProvider.serve``."""
    create = partial(create_application, load, stage, shape)
    if reload:
        from multicloud_local.reload import serve_reloading

        serve_reloading(create, [root], host, port)
    else:
        from multicloud_local import server

        server.serve(create(), host, port)


def create_application(load: Callable[[], ApiDefinition], stage: str, shape: str | None) -> AsgiApplication:
    """Return the ASGI application of a definition.

    Raises DefinitionError for what the provider refuses, ConfigError for a secret that the environment lacks.
    """
    definition = load()
    for function in definition.functions:
        for name, value in function.environment.items():
            os.environ.setdefault(name, value)  # what the developer's shell states wins
    if shape not in (None, "local"):
        return with_documentation(
            _behind_cdn(through_exchange(open_exchange(definition, str(shape), stage=stage)), definition), definition
        )
    check_support(definition, load_provider("local"))
    check_at_home(definition)
    config, objects = compile_application(
        definition, definition.functions, provider="local", stage=stage, development=True
    )
    return with_documentation(_behind_cdn(create_handler(config, objects), definition), definition)


def _behind_cdn(application: AsgiApplication, definition: ApiDefinition) -> AsgiApplication:
    """Return the application behind a cache, where the definition has a Cdn."""
    if definition.cdn is None:
        return application
    from multicloud_local.cache import Cache, with_cache

    return with_cache(application, Cache(definition.cdn))


def through_exchange(exchange: Exchange) -> AsgiApplication:
    """Return an ASGI application that sends each request through a cloud's event shape and runtime, in a thread."""
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="multicloud")

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = await _read_body(scope, receive)
        if body is None:
            return
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        request = HttpRequest(scope["method"], target.decode("latin-1"), pairs, body, (scope.get("client") or ("",))[0])
        answer = await asyncio.get_running_loop().run_in_executor(executor, exchange, request)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return application


async def _read_body(scope: dict[str, Any], receive: Any) -> bytes | None:
    """Return the body; None if the client is gone; one too large in place of one that the server does not read."""
    body, more = b"", TOO_LARGE not in scope
    while more:
        message = await receive()
        if message["type"] == "http.disconnect" and TOO_LARGE not in scope:
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(LIMITS["body_bytes"] + 1) if TOO_LARGE in scope else body
