"""The one door: ``serve`` puts a bundle behind HTTP on 127.0.0.1, run by the cloud's own Python runtime."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .processes import log_tail

_CLASSES: Mapping[str, tuple[str, str]] = {
    "aws": ("lambda_host", "LambdaHost"),
    "aws-rest": ("lambda_host", "LambdaRestHost"),
    "gcp": ("functions_framework_host", "FunctionsFrameworkHost"),
    "azure": ("azure_host", "AzureHost"),
}


@dataclass(frozen=True)
class Setup:
    """What a host is made of. directory: the unpacked bundle. scratch: a folder that goes away afterwards."""

    directory: Path
    entry_point: str
    environment: Mapping[str, str]
    python: str
    scratch: Path

    @property
    def log_path(self) -> Path:
        """Where the runtime's output goes."""
        return self.scratch / "runtime.log"


@dataclass(frozen=True)
class Host:
    """A running function.

    url: without a slash at its end. startup_ms: from the spawn of the runtime's process until it is ready for the first
    request. pid: the runtime's first process; one that died has a successor. function_key: Azure's, "" elsewhere.
    """

    provider: str
    url: str
    port: int
    startup_ms: float
    log_path: Path
    pid: int
    function_key: str = field(default="", repr=False)

    def log(self) -> str:
        """Return the end of what the runtime has printed."""
        return log_tail(self.log_path)


class Runner(Protocol):
    """What each cloud's module offers to ``serve``."""

    def __init__(self, setup: Setup) -> None: ...

    def start(self) -> Host:
        """Start everything and return when the runtime is ready. Raises StartupError."""

    def stop(self) -> None:
        """End the processes, also after a failed or absent start."""


@contextmanager
def serve(
    provider: str,
    bundle: Path,
    entry_point: str,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[Host]:
    """Serve a bundle, a zip or a directory, until the context ends.

    provider: ``aws`` (HTTP API, payload 2.0), ``aws-rest`` (REST API, payload 1.0), ``gcp`` or ``azure``.
    entry_point: what the platform is told to call: ``module.function`` on AWS, the function's name in ``main.py`` on
    Google Cloud, the script on Azure (``function_app`` or ``function_app.py``). environment: the function's variables.
    python: the interpreter that runs the runtime. Raises StartupError with the end of the runtime's log.
    """
    if provider not in _CLASSES:
        raise ValueError(f"no test cloud {provider!r}; there are {', '.join(_CLASSES)}")
    module, name = _CLASSES[provider]
    with tempfile.TemporaryDirectory(prefix="emulator-") as folder:
        scratch = Path(folder)
        setup = Setup(_unpacked(bundle, scratch / "bundle"), entry_point, dict(environment or {}), python, scratch)
        runner: Runner = getattr(importlib.import_module(f".{module}", __package__), name)(setup)
        try:
            yield runner.start()
        finally:
            runner.stop()


def _unpacked(bundle: Path, target: Path) -> Path:
    # A directory is copied: the .pyc that a start writes would make the next start faster than a cold one.
    if bundle.is_dir():
        return shutil.copytree(bundle, target)
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(target)
    return target
