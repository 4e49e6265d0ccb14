"""Remembers what a zip was made from, so that an unchanged function is not bundled again.

First the dates, sizes and inodes of the files are compared, which reads none of them; if one differs, their content.
A file that was written to while, or just before, it was looked at could change again within the clock's resolution:
then its content is compared the next time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from multicloud.deploy.archive import Member, replacing
from multicloud.deploy.sources import SourceFile

_RESOLUTION = 50_000_000  # nanoseconds; the kernel's clock for files ticks every 1 to 10 ms


@attrs.frozen
class Record:
    """What one zip was made from and what came of it.

    by_date, by_content: the fingerprints; by_date is empty if the dates could not be trusted. event_loop: what the
    entry module was rendered with. file, sha256, size, unzipped: the zip. notices: what the user was told.
    """

    by_date: str
    by_content: str
    event_loop: bool
    file: str
    sha256: str
    size: int
    unzipped: int
    notices: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """Return the record at a path; None without one, or if it is of another version."""
        try:
            found = json.loads(path.read_bytes())
            return cls(**{**found, "notices": tuple(found["notices"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, path: Path) -> None:
        """Replace the record at a path."""
        with replacing(path) as file:
            file.write(json.dumps(attrs.asdict(self)).encode())

    def is_intact(self, output: Path) -> bool:
        """Whether the zip is still there, byte for byte."""
        try:
            return hashlib.sha256((output / self.file).read_bytes()).hexdigest() == self.sha256
        except OSError:
            return False


def by_date(settings: Any, entry: Mapping[str, bytes], files: Iterable[SourceFile]) -> str:
    """Return the fingerprint of a bundle, from its settings, its generated files and the dates of the others."""
    return _fingerprint(settings, entry, [(file.name, file.executable, file.kept, *file.stamp) for file in files])


def by_content(settings: Any, entry: Mapping[str, bytes], members: Iterable[Member]) -> str:
    """Return the same from what is in the files."""
    listed = [(one.name, one.executable, hashlib.sha256(one.content).hexdigest()) for one in members]
    return _fingerprint(settings, entry, listed)


def _fingerprint(settings: Any, entry: Mapping[str, bytes], listed: list[tuple[Any, ...]]) -> str:
    generated = {name: hashlib.sha256(content).hexdigest() for name, content in entry.items()}
    return hashlib.sha256(json.dumps([settings, generated, listed], sort_keys=True).encode()).hexdigest()


def can_be_trusted(files: Iterable[SourceFile], looked_at: int) -> bool:
    """Whether every file's dates will differ after the next write. looked_at: nanoseconds, before the files were."""
    return all(max(file.stamp[1:3]) < looked_at - _RESOLUTION for file in files)
