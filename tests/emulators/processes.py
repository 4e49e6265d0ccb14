"""What every host needs to run a cloud's runtime: an isolated command, a process that ends with us, a loop thread."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_TERM_SECONDS = 2.0
_GROUP_SECONDS = 0.5
_TAIL_CHARACTERS = 4_000

# Prints the top-level import names of the distributions given, with everything they require.
_CLOSURE = """
import re, sys
from importlib import metadata
names, seen = sys.argv[1:], set()
while names:
    name = re.sub(r"[-_.]+", "-", names.pop()).lower()
    if name not in seen:
        try: required = metadata.requires(name) or []
        except metadata.PackageNotFoundError: continue
        seen.add(name)
        names += [re.match(r"[\\w.-]+", line).group() for line in required if "extra ==" not in line]
for module, owners in metadata.packages_distributions().items():
    if any(re.sub(r"[-_.]+", "-", owner).lower() in seen for owner in owners):
        print(module)
"""


class StartupError(RuntimeError):
    """The runtime did not come up. The message ends with the last lines of its log."""


@functools.lru_cache
def modules_of(python: str, distributions: tuple[str, ...]) -> str:
    """Return, comma separated, the top-level modules of these distributions and of all that they require."""
    done = subprocess.run([python, "-I", "-c", _CLOSURE, *distributions], capture_output=True, text=True, check=True)
    return ",".join(sorted(set(done.stdout.split())))


def isolated_command(
    python: str,
    bundle: Path,
    distributions: tuple[str, ...],
    program: str,
    *arguments: str,
    modules: tuple[str, ...] = (),
) -> list[str]:
    """Return the command that runs a module or file with the bundle, these distributions and modules, and no others."""
    alone = Path(__file__).with_name("alone.py")
    visible = ",".join([modules_of(python, distributions), *modules])
    return [python, "-I", "-u", str(alone), str(bundle), visible, program, *arguments]


class RuntimeProcess:
    """A runtime's process, its output appended to a log file.

    on_exit: called from another thread with the exit code.
    """

    def __init__(
        self,
        command: list[str],
        directory: Path,
        environment: Mapping[str, str],
        log_path: Path,
        on_exit: Callable[[int], None],
    ) -> None:
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                env={"PATH": os.defpath, "LANG": "en_US.UTF-8", **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._watch = threading.Thread(target=lambda: on_exit(self._process.wait()), daemon=True)
        self._watch.start()

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._watch.is_alive()

    def kill(self) -> None:
        """End the process and its children at once."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._watch.join()
        # A child may outlive its parent by a moment, and with it an open port.
        deadline = time.monotonic() + _GROUP_SECONDS
        while time.monotonic() < deadline:
            try:
                os.killpg(self.pid, 0)
            except OSError:
                return
            time.sleep(0.001)

    def end(self) -> None:
        """Ask the process to end, and end it and its children if it does not within two seconds."""
        self._process.terminate()
        self._watch.join(_TERM_SECONDS)
        self.kill()


def log_tail(log_path: Path) -> str:
    """Return the end of a log file, for an error message."""
    return log_path.read_text("utf-8", errors="replace")[-_TAIL_CHARACTERS:] if log_path.exists() else ""


class LoopThread:
    """An event loop in a thread of its own, so that tests without a loop can run servers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def soon(self, call: Callable[..., object], *args: object) -> None:
        """Call something on the loop, from any thread; nothing happens once the loop is closed."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(call, *args)

    def stop(self) -> None:
        """Cancel what still runs, stop the loop and close it."""

        async def drain() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(drain())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
