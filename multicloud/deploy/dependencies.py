"""Installs what a function depends on, for the platform it will run on, and keeps the outcome packed.

uv resolves and installs wheels alone: nothing is built, so nothing of a dependency runs here. The outcome is kept in
``<project>/.multicloud/cache`` under a hash of all that it follows from, index settings included; the same
requirements are installed once, and give the same bytes until they change or the cache is deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
import uv

from multicloud.deploy import bytecode
from multicloud.deploy.archive import Member, Packed, pack, read_archive, write_archive
from multicloud.deploy.requirements import SDK, Requirements
from multicloud.errors import BundleError

try:
    from resource import RLIMIT_FSIZE, prlimit
except ImportError:  # Linux alone can limit a process that is running
    prlimit = None  # type: ignore[assignment]

_FORMAT = "1"  # of what is kept; another one makes all of it anew
_DAYS = 30  # what nothing has used for so long is deleted

_LARGEST_FILE = 2_000_000_000  # bytes; twice what the most generous cloud takes for a whole function

_PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_NO_INDEX": "UV_NO_INDEX",
    "PIP_CERT": "SSL_CERT_FILE",
}
_SETTLED_HERE = ("UV_NO_BUILD", "UV_NO_BINARY", "UV_COMPILE_BYTECODE", "UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_NO_DEPS")
_OUTCOME_FOLLOWS = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX"),
    *("UV_INDEX_STRATEGY", "UV_PRERELEASE", "UV_RESOLUTION", "UV_EXCLUDE_NEWER", "UV_TORCH_BACKEND"),
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_CONFIG_FILE"),
)
_NOT_SHIPPED = re.compile(
    r"bin/.*|\.lock|(.*/)?__pycache__/.*|[^/]*\.dist-info/(RECORD|INSTALLER|REQUESTED|[^/]*\.json)"
)


@attrs.frozen
class Target:
    """What the dependencies must run on. python_version: ``3.12``. architecture: ``x86_64`` or ``arm64``."""

    python_version: str
    architecture: str

    @property
    def platform(self) -> str:
        """The platform, as uv names it.

        The clouds' images for Python 3.12 and later have glibc 2.28 or newer; one image for 3.11 has 2.26, below
        which manylinux2014 (glibc 2.17) is the next that wheels are made for.
        """
        machine = {"x86_64": "x86_64", "arm64": "aarch64"}[self.architecture]
        recent = tuple(int(part) for part in self.python_version.split(".")) >= (3, 12)
        return f"{machine}-manylinux_2_28" if recent else f"{machine}-manylinux2014"

    def __str__(self) -> str:
        return f"Python {self.python_version} on {self.architecture} ({self.platform})"


@attrs.frozen
class Installation:
    """The dependencies of one function.

    place: the function, for messages. root: where uv runs. key: equal keys mean equal outcomes; empty if there is
    nothing to install.
    """

    place: str
    root: Path
    requirements: Requirements
    target: Target
    key: str

    @classmethod
    def of(cls, place: str, root: Path, requirements: Requirements, target: Target) -> Installation:
        """Work out the key. Starts nothing."""
        if not requirements:
            return cls(place, root, requirements, target, "")
        environment = uv_environment(os.environ)
        parts = {
            "format": _FORMAT,
            "requirements": requirements.contents(),
            "target": [target.python_version, target.platform, bytecode.identity(target.python_version)],
            "settings": [environment.get(name, "") for name in _OUTCOME_FOLLOWS],
            "files": _uv_settings(root),
        }
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return cls(place, root, requirements, target, key)

    def packed(self, cache: Path, check: Callable[[Mapping[str, int]], None]) -> list[Packed]:
        """Return the files, paths from the folder of packages: from the cache, else by installing them.

        check: is told the bytes of each top-level package before each costly step, and raises if they are too many.
        Raises BundleError if a requirement has no wheel for the target.
        """
        if not self.key:
            return []
        return kept(cache / f"dependencies-{self.key}.zip", lambda: self._install(cache, check))

    def _install(self, cache: Path, check: Callable[[Mapping[str, int]], None]) -> list[Packed]:
        with tempfile.TemporaryDirectory(dir=cache, prefix="install-") as folder:
            installed = Path(folder, "packages")
            self._run_uv(Path(folder), installed)
            members = list(_members(installed))
        check(sizes(members))
        members += bytecode.compile_members(members, self.target.python_version).members
        check(sizes(members))
        return pack(members)

    def _run_uv(self, folder: Path, installed: Path) -> None:
        # In a file, as an argument would show the password of a private index to everyone on this machine.
        own = folder / "requirements.txt"
        own.write_text("".join(f"{line}\n" for line in self.requirements.lines), "utf-8")
        never = folder / "override.txt"
        never.write_text(f'{SDK}; python_version < "0"\n', "utf-8")
        command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--color", "never", "--no-progress"]
        command += ["--python", sys.executable, "--target", str(installed), "--link-mode", "hardlink"]
        command += ["--python-version", self.target.python_version, "--python-platform", self.target.platform]
        command += ["--only-binary", ":all:", "--override", str(never), "-r", str(own)]
        for file in self.requirements.files:
            command += ["-r", str(file)]
        started = subprocess.Popen(  # noqa: S603 - uv's own path
            command, cwd=self.root, env=uv_environment(os.environ), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        if prlimit is not None:  # a wheel of some kilobytes can hold a file of any size
            prlimit(started.pid, RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        _, errors = started.communicate()
        if started.returncode:
            raise BundleError(self._refusal(started.returncode, errors.decode(errors="replace")))

    def _refusal(self, status: int, reason: str) -> str:
        if status < 0:
            reason = f"uv was ended by signal {-status}; is a file in it larger than {_LARGEST_FILE} bytes?"
        reason = re.sub(r"//[^/@\s]+@", "//", reason.strip().removeprefix("error: "))
        text = "\n".join(f"    {line}" for line in reason.splitlines() if line.strip())
        return (
            f"{self.place}: the dependencies do not install for {self.target}:\n{text}\n"
            "  only wheels are installed, nothing is built: choose a version that has a wheel for this platform, "
            "replace the package, or build the wheel yourself and name its folder in UV_FIND_LINKS"
        )


def _members(installed: Path) -> Iterator[Member]:
    """Read what uv installed, without what differs between two equal installations or is of no use in a function."""
    for folder, _, names in os.walk(installed):
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(installed).as_posix()
            if _NOT_SHIPPED.fullmatch(inside):
                continue
            if path.is_symlink() or not path.is_file():
                raise BundleError(f"a dependency installs {inside}, which is not a file")
            yield Member(inside, path.read_bytes(), executable=False)


def sizes(members: Sequence[Member | Packed]) -> dict[str, int]:
    """Return the bytes of each top-level folder or file, before deflating."""
    total: dict[str, int] = {}
    for member in members:
        part = member.name.partition("/")[0]
        total[part] = total.get(part, 0) + (len(member.content) if isinstance(member, Member) else member.size)
    return total


def kept(path: Path, make: Callable[[], list[Packed]]) -> list[Packed]:
    """Return the members kept at a path, made and kept there first if need be. Two processes may do so at once."""
    try:
        found = read_archive(path)
        os.utime(path)
    except (OSError, zipfile.BadZipFile):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        found = make()
        write_archive(path, found)
    return found


def sweep(cache: Path) -> None:
    """Delete what has not been used for a month, and what a run that was killed left behind a day ago."""
    now = time.time()
    for path in cache.iterdir():
        days = (now - path.stat().st_mtime) / 86_400
        if path.is_dir() and path.name.startswith("install-") and days > 1:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and days > (1 if path.name.startswith(".") else _DAYS):
            path.unlink(missing_ok=True)


def uv_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what uv is run with: its own settings as they are, pip's where uv has none, none that contradict ours."""
    found = {name: value for name, value in environment.items() if name not in _SETTLED_HERE}
    indexes = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
    for pip_name, uv_name in _PIP_TO_UV.items():
        taken = any(name in found for name in (indexes if uv_name in indexes else (uv_name,)))
        if environment.get(pip_name) and not taken:
            separator = "," if uv_name == "UV_FIND_LINKS" else " "
            found[uv_name] = separator.join(environment[pip_name].split())
    return found


def _uv_settings(root: Path) -> list[str]:
    """Return what uv reads of a project besides its requirements: ``uv.toml`` and ``[tool.uv]``."""
    found = []
    if (root / "uv.toml").is_file():
        found.append((root / "uv.toml").read_text("utf-8"))
    if (root / "pyproject.toml").is_file():
        table = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("tool", {}).get("uv", {})
        found.append(json.dumps(table, sort_keys=True, default=str))
    return found
