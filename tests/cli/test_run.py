"""``multicloud run``: the process that a user starts, asked over HTTP on loopback."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import httpx
import pytest

from tests.cli.conftest import Invoke

DEADLINE_SECONDS = 30.0

Found = TypeVar("Found")


class Server:
    """A running ``multicloud run``. lines: what it has written to standard error so far."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(iter(errors.readline, "")), daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        """The address that it has printed."""
        return wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", "".join(self.lines)), self).group()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(DEADLINE_SECONDS)
        self.stop_reading()
        return code

    def stop_reading(self) -> None:
        """Wait until everything that was written has been read."""
        self._reader.join(DEADLINE_SECONDS)


def wait_for(find: Callable[[], Found | None], server: Server) -> Found:
    """Return what find finds, once it does; fail with what the server wrote if it ends or the deadline passes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        if server.process.poll() is not None:
            break
        time.sleep(0.02)
    pytest.fail("".join(server.lines))


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Server]:
    """Start ``multicloud run`` on a free port in the current folder, and stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "multicloud.cli", "run", "--port", "0", *arguments], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    server = Server(process, process.stderr)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        process.stderr.close()


def test_it_serves_and_stops_when_told(project: Path) -> None:
    with running("--stage", "prod") as server:
        assert httpx.get(f"{server.url}/orders/7").json() == {"order_id": "7"}
        assert httpx.get(f"{server.url}/echo").json()["stage"] == "prod"
        assert server.stop() == 0
    assert "Traceback" not in "".join(server.lines)


@pytest.mark.parametrize("shape", ["aws", "aws-rest", "gcp", "azure"])
def test_it_answers_the_same_through_a_cloud_s_events(project: Path, shape: str) -> None:
    with running("--as", shape) as server:
        assert httpx.get(f"{server.url}/orders/7").json() == {"order_id": "7"}


def test_a_saved_change_is_served(project: Path) -> None:
    with running("--reload") as server:
        assert httpx.get(f"{server.url}/orders/7", timeout=DEADLINE_SECONDS).json() == {"order_id": "7"}
        app = project / "app.py"
        app.write_text(app.read_text().replace('{"order_id": order_id}', '{"order_id": "changed"}'))

        def changed() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return bool(httpx.get(f"{server.url}/orders/7").json() == {"order_id": "changed"})
            return False

        assert wait_for(changed, server)


def test_a_changed_multicloud_toml_counts_on_reload(project: Path) -> None:
    (project / "other.py").write_text(
        "from multicloud import Api\napi = Api('other')\n@api.get('/')\ndef f(): return 'other'\n"
    )
    with running("--reload") as server:
        assert httpx.get(f"{server.url}/orders/7", timeout=DEADLINE_SECONDS).status_code == 200
        (project / "multicloud.toml").write_text('[project]\napi = "other:api"\n')

        def changed() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{server.url}/").text == "other"
            return False

        assert wait_for(changed, server)


def test_a_port_that_is_taken_is_one_message_and_exit_code_1(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running("--port", str(port)) as server:
            assert server.process.wait(DEADLINE_SECONDS) == 1
            server.stop_reading()
    text = "".join(server.lines)
    assert str(port) in text
    assert text.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in text


def test_a_wrong_definition_is_one_message_and_exit_code_2(project: Path) -> None:
    (project / "app.py").write_text("1 / 0\n")
    with running() as server:
        assert server.process.wait(DEADLINE_SECONDS) == 2
        server.stop_reading()
    assert server.lines[-1] == (
        "  - app.py:1: expected the module 'app' to import, got ZeroDivisionError: division by zero\n"
    )


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ("aws-rset", "did you mean 'aws-rest'?"),
        ("gpc", "did you mean 'gcp'?"),
        ("zzz", "known are aws, azure, gcp, local"),
    ],
)
def test_an_unknown_shape_is_told_with_the_nearest(project: Path, invoke: Invoke, shape: str, hint: str) -> None:
    result = invoke("run", "--as", shape)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: Invalid value for --as: no event shape '{shape}'; {hint}\n")


def test_an_unknown_stage_is_told_before_anything_starts(project: Path, invoke: Invoke) -> None:
    result = invoke("run", "--stage", "prdo")
    assert result.exit_code == 2
    assert "stage: expected one of prod, local, dev, got 'prdo'; did you mean 'prod'?" in result.stderr
