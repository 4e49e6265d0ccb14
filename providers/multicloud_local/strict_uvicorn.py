"""uvicorn's Config and Server, with the strict edge for their HTTP and one clock for all connections' deadlines."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn.config
import uvicorn.server

from multicloud_local.edge import Edge
from multicloud_local.protocol import Connection
from multicloud_local.responder import Application


class StrictConfig(uvicorn.config.Config):
    """Nothing of uvicorn's own logs, headers or proxies' headers; no WebSocket."""

    def __init__(self, app: Application, edge: Edge, grace_seconds: int) -> None:
        super().__init__(
            app,
            http=Connection,
            ws="none",
            lifespan="auto",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=grace_seconds,
        )
        self.edge = edge


class StrictServer(uvicorn.server.Server):
    """on_ready: called once requests are answered. each_tick: called about every 0.1 s."""

    config: StrictConfig

    def __init__(self, config: StrictConfig, each_tick: Callable[[], None] | None) -> None:
        super().__init__(config)
        self.on_ready: Callable[[], Any] | None = None
        self.each_tick = each_tick

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then tell."""
        await super().startup(sockets)
        if self.on_ready is not None and not self.should_exit:
            self.on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Expire deadlines: one pass over the connections costs less than two timers for each request."""
        self._look_after()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is under way; deadlines hold meanwhile."""
        self.config.edge.stopping = True

        async def keep_looking() -> None:
            while True:
                await asyncio.sleep(0.05)
                self._look_after()

        looking = asyncio.create_task(keep_looking())
        try:
            await super().shutdown(sockets)
        finally:
            looking.cancel()

    def _look_after(self) -> None:
        now = asyncio.get_running_loop().time()
        connections: set[Any] = self.server_state.connections
        for connection in [each for each in connections if each.deadline < now]:
            connection.expire()
        if self.each_tick is not None:
            self.each_tick()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in good order at the first signal, at once at a second SIGINT. Unlike uvicorn's, not raised again."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
