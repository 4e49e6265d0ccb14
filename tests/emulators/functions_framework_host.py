"""Google Cloud: the real functions-framework, gunicorn included, as Cloud Functions starts it for ``main.py``.

Clients talk to gunicorn itself; Google's own front is not there, so a process that dies mid-request is a cut connection
here and a 500 there.
"""

from __future__ import annotations

import http.client
import socket
import time

from .hosts import Host, Setup
from .processes import RuntimeProcess, StartupError, isolated_command, log_tail

_START_SECONDS = 20.0


class FunctionsFrameworkHost:
    """One functions-framework process (and gunicorn's worker below it)."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._process: RuntimeProcess | None = None

    def start(self) -> Host:
        """Start the framework and wait until it answers."""
        setup = self._setup
        port = _free_port()
        command = isolated_command(
            setup.python, setup.directory, ("functions-framework",), "functions_framework",
            "--target", setup.entry_point, "--source", "main.py", "--host", "127.0.0.1", "--port", str(port),
        )  # fmt: skip
        started = time.perf_counter()
        self._process = RuntimeProcess(
            command, setup.directory, self._environment(port), setup.log_path, lambda code: None
        )
        self._wait(port, started + _START_SECONDS)
        elapsed = (time.perf_counter() - started) * 1000
        return Host("gcp", f"http://127.0.0.1:{port}", port, elapsed, setup.log_path, self._process.pid)

    def stop(self) -> None:
        """End gunicorn and its worker at once; asked politely it would wait for idle connections."""
        if self._process is not None:
            self._process.kill()

    def _environment(self, port: int) -> dict[str, str]:
        home = str(self._setup.scratch)
        return {
            # gunicorn keeps a control socket below one of these; a shared one would mix parallel tests up.
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "PORT": str(port),
            "FUNCTION_TARGET": self._setup.entry_point,
            "FUNCTION_SIGNATURE_TYPE": "http",
            "K_SERVICE": "function",
            "K_REVISION": "function-00001-abc",
            "K_CONFIGURATION": "function",
            **self._setup.environment,
        }

    def _wait(self, port: int, deadline: float) -> None:
        assert self._process is not None
        while self._process.running and time.perf_counter() < deadline:
            if _answers(port):
                return
            time.sleep(0.005)
        why = "did not answer in time" if self._process.running else "ended while starting"
        raise StartupError(f"functions-framework {why}:\n{log_tail(self._setup.log_path)}")


def _answers(port: int) -> bool:
    # The framework itself answers /robots.txt with 404, so that waiting never calls the user's function.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/robots.txt")
        return connection.getresponse().status == 404
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
