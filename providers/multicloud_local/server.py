"""The local gateway's server: any ASGI application behind the strict edge of ``protocol.Connection``.

uvicorn brings the loop, the socket, the lifespan and the orderly stop. It is imported when a server starts, so that
commands that do not serve do not pay for it.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from multicloud.errors import StartError
from multicloud_local.limits import Limits

if TYPE_CHECKING:
    from multicloud_local.responder import Application

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
GRACE_SECONDS = 10
START_SECONDS = 10.0


@attrs.frozen
class Running:
    """A server that answers. host, port: where it listens. url: without a final slash."""

    host: str
    port: int
    url: str


def serve(
    app: Application,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    trusted_hosts: Iterable[str] = (),
    limits: Limits | None = None,
    request_log: bool = True,
    grace_seconds: int = GRACE_SECONDS,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; then finish the requests under way, for at most grace_seconds.

    port: 0 for a free one. trusted_hosts: names that the Host header may hold besides localhost, 127.0.0.1, [::1] and
    the address that the connection came to (anything else is 400: DNS rebinding). request_log: one line on
    standard error for each answer. on_ready: called with the URL once requests are answered; by default it is printed
    on standard error. Raises StartError if the port cannot be had or the application's lifespan fails.
    """
    with open_socket(host, port) as listener:
        serve_on(
            listener,
            app,
            trusted_hosts=(*trusted_hosts, host),
            limits=limits,
            request_log=request_log,
            grace_seconds=grace_seconds,
            on_ready=on_ready,
        )


def serve_on(
    listener: socket.socket,
    app: Application,
    *,
    trusted_hosts: Iterable[str] = (),
    limits: Limits | None = None,
    request_log: bool = True,
    grace_seconds: int = GRACE_SECONDS,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve on a socket that is bound already. As ``serve`` otherwise."""
    server, close_log = _create_server(app, trusted_hosts, limits or Limits(), request_log, grace_seconds)
    url = url_of(listener)
    server.on_ready = lambda: (on_ready or print_ready)(url)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        raise StartError("the application's lifespan failed at start; its error is in the log above") from None
    finally:
        close_log()


@contextlib.contextmanager
def background(
    app: Application,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    trusted_hosts: Iterable[str] = (),
    limits: Limits | None = None,
    request_log: bool = False,
    grace_seconds: int = GRACE_SECONDS,
) -> Iterator[Running]:
    """Serve in a thread for the length of a ``with`` block, by default on a free port.

    Raises StartError as ``serve`` does, or if the application does not start in START_SECONDS.
    """
    failures: list[BaseException] = []
    settled = threading.Event()
    with open_socket(host, port) as listener:
        hosts = (*trusted_hosts, host)
        server, close_log = _create_server(app, hosts, limits or Limits(), request_log, grace_seconds)
        server.on_ready = settled.set

        def run() -> None:
            try:
                server.run(sockets=[listener])
            except BaseException as error:
                failures.append(error)
            finally:
                close_log()
                settled.set()

        thread = threading.Thread(target=run, name="multicloud-local", daemon=True)
        thread.start()
        if not settled.wait(START_SECONDS) or failures:
            server.should_exit = True
            raise StartError("the application's lifespan failed at start") from (failures[0] if failures else None)
        try:
            bound = listener.getsockname()
            yield Running(bound[0], bound[1], url_of(listener))
        finally:
            server.should_exit = True
            thread.join(grace_seconds + START_SECONDS)


def open_socket(host: str, port: int) -> socket.socket:
    """Bind a listening socket. Raises StartError with one sentence on what to do."""
    try:
        family = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, OverflowError) as error:
        raise StartError(f"cannot listen on {host}, port {port}: {error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        if taken:
            message = f"port {port} on {host} is taken: stop what listens there or choose another with --port"
        else:
            message = f"cannot listen on {host}, port {port}: {error}"
        raise StartError(message) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a bound socket is reached, without a final slash."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def print_ready(url: str) -> None:
    """Say on standard error that requests are answered."""
    print(f"multicloud: serving on {url} (Ctrl-C stops)", file=sys.stderr, flush=True)  # noqa: T201


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _create_server(
    app: Application, trusted_hosts: Iterable[str], limits: Limits, request_log: bool, grace_seconds: int
) -> tuple[Any, Callable[[], None]]:
    """Return the server, and what closes its log."""
    from multicloud_local.access_log import RequestLog
    from multicloud_local.edge import Edge
    from multicloud_local.strict_uvicorn import StrictConfig, StrictServer

    log = RequestLog(sys.stderr) if request_log else None
    hosts = frozenset(_bracketed(name.lower()) for name in (*LOCAL_NAMES, *trusted_hosts))
    edge = Edge(limits, hosts, log.record if log else None)
    config = StrictConfig(app, edge, grace_seconds)
    return StrictServer(config, log.flush if log else None), (log.flush if log else lambda: None)
