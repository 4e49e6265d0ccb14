from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from multicloud.errors import StartError
from multicloud_local.limits import Limits
from multicloud_local.server import background, serve
from tests.providers.local.echo import SEEN, echo
from tests.providers.local.wire import HOST, Answer, Wire, ask, wait_until, wire

SERVING = Path(__file__).with_name("serving.py")
GET = f"GET /hello HTTP/1.1\r\n{HOST}\r\n"


class Child:
    """A server in a process of its own, its standard error read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVING), *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        self.lines.extend(iter(self.process.stderr.readline, ""))

    @property
    def port(self) -> int:
        wait_until(lambda: self._url() or self.process.poll() is not None)
        url = self._url()
        assert url, self.lines
        return int(url[1])

    def _url(self) -> re.Match[str] | None:
        return re.search(r"http://127\.0\.0\.1:(\d+)", "".join(self.lines))

    def end(self, sig: int) -> int:
        self.process.send_signal(sig)
        code = self.process.wait(10)
        self.reader.join(10)
        return code


@contextmanager
def child(*arguments: str) -> Iterator[Child]:
    started = Child(*arguments)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.wait(10)


def test_a_request_that_comes_as_the_server_stops_is_answered_if_its_connection_was_accepted() -> None:
    with ExitStack() as stack:
        with background(echo) as running:
            fresh, silent, begun = [stack.enter_context(wire(running.port)) for _ in range(3)]
            begun.send(GET[:9])
            busy = stack.enter_context(wire(running.port))
            busy.send(f"GET /slow HTTP/1.1\r\n{HOST}\r\n")
            wait_until(lambda: SEEN)
            threading.Timer(0.2, fresh.send, (GET,)).start()
            threading.Timer(0.2, begun.send, (GET[9:],)).start()
        assert busy.answer().body == b"slow"
        for connection in (fresh, begun):
            answer = connection.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert fresh.rest() == silent.rest() == begun.rest() == b""


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_after_the_requests_under_way(sig: int) -> None:
    with child("serve", "0") as server, wire(server.port) as busy, wire(server.port) as idle:
        busy.send(f"GET /slow HTTP/1.1\r\n{HOST}\r\n")
        idle.send(GET)
        assert idle.answer().status == 200
        assert server.end(sig) == 0
        assert busy.answer().body == b"slow"
        assert busy.rest() == idle.rest() == b""
    logged = [json.loads(line) for line in server.lines if line.startswith("{")]
    assert {(each["method"], each["path"], each["status"]) for each in logged} == {
        ("GET", "/hello", 200),
        ("GET", "/slow", 200),
    }
    assert not [line for line in server.lines if "Traceback" in line]


def test_a_request_that_never_ends_does_not_hold_up_the_stop() -> None:
    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await threading_free_forever()

    async def threading_free_forever() -> None:
        import asyncio

        await asyncio.Event().wait()

    with background(stuck, grace_seconds=1) as running:
        connection = Wire(running.port)
        connection.send(GET)
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 4
    assert connection.answer().problem["detail"] == "The gateway is stopping."
    connection.socket.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_first_answer_takes_little_work() -> None:
    """Processor time, which other tests at the same time do not lengthen; on an idle machine the wall clock agrees."""

    def measure() -> float:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with child("serve", str(port)) as server:
            while True:
                assert server.process.poll() is None, server.lines
                try:
                    assert ask(port, GET).status == 200
                    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
                    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                except ConnectionRefusedError:
                    time.sleep(0.005)

    assert min(measure() for _ in range(3)) < 0.4


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as caught:
            serve(echo, port=port)
        assert str(caught.value) == (
            f"port {port} on 127.0.0.1 is taken: stop what listens there or choose another with --port"
        )
        with child("serve", str(port)) as server:
            assert server.process.wait(10) == 1
            server.reader.join(10)
            assert server.lines == [f"error: {caught.value}\n"]


@pytest.mark.parametrize(("host", "port"), [("256.0.0.1", 0), ("127.0.0.1", 70000), ("192.0.2.1", 0), ("no host", 0)])
def test_an_address_that_cannot_be_had_is_a_sentence(host: str, port: int) -> None:
    with pytest.raises(StartError, match=f"cannot listen on {host}, port {port}: "):
        serve(echo, host, port)


def test_a_lifespan_that_fails_is_a_start_error() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(StartError, match="lifespan failed"), background(fails):
        pass


def test_trusted_hosts_are_accepted_in_any_case() -> None:
    with background(echo, trusted_hosts=["Api.Internal"]) as running:
        assert ask(running.port, "GET /hello HTTP/1.1\r\nHost: api.internal:80\r\n\r\n").status == 200
        assert ask(running.port, "GET /hello HTTP/1.1\r\nHost: evil.internal\r\n\r\n").status == 400


def test_on_all_addresses_the_one_that_was_called_is_trusted() -> None:
    with background(echo, "0.0.0.0") as running:
        assert ask(running.port, f"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n\r\n").status == 200
        assert ask(running.port, "GET /hello HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n").status == 400


def test_ipv6_is_served() -> None:
    with background(echo, "::1") as running:
        assert running.url == f"http://[::1]:{running.port}"
        with socket.create_connection(("::1", running.port), 10) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: [::1]:{running.port}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_background_server_is_gone_after_its_block() -> None:
    with background(echo, limits=Limits(body_bytes=3)) as running:
        assert ask(running.port, f"POST / HTTP/1.1\r\n{HOST}Content-Length: 4\r\n\r\nabcd").status == 413
    with pytest.raises(ConnectionRefusedError):
        Wire(running.port)


APP = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%s"})
"""


def test_reload_serves_what_was_saved_and_shows_what_cannot_be_loaded(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(APP % "one")
    answers: list[Answer] = []

    def answered(check: Any) -> bool:
        answers.append(ask(port, GET))
        return bool(check(answers[-1]))

    with child("reload", "0", str(tmp_path)) as server:
        port = server.port
        assert ask(port, GET).body == b"one"
        app.write_text(APP % "two")
        wait_until(lambda: answered(lambda answer: answer.body == b"two"))
        app.write_text("def app(:")
        wait_until(lambda: answered(lambda answer: answer.status == 500))
        assert re.search(r"SyntaxError.*|app\.py.*line 1", answers[-1].problem["detail"])
        app.write_text(APP % "three")
        wait_until(lambda: answered(lambda answer: answer.body == b"three"))
        (tmp_path / "multicloud.toml").write_text("")
        wait_until(lambda: any("multicloud.toml changed" in line for line in server.lines))
        assert ask(port, GET).body == b"three"
        assert server.end(signal.SIGTERM) == 0
    assert {answer.status for answer in answers} == {200, 500}
    with pytest.raises(ConnectionRefusedError):
        Wire(port)


def test_a_reloading_server_that_is_killed_takes_its_child_with_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP % "one")
    with child("reload", "0", str(tmp_path)) as server:
        port = server.port
        assert ask(port, GET).body == b"one"
        os.kill(server.process.pid, signal.SIGKILL)

        def refused() -> bool:
            try:
                ask(port, GET)
            except (ConnectionError, AssertionError):
                return True
            return False

        wait_until(refused)
