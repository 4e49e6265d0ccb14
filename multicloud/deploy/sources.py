"""Finds the files of a project that go into a function, and holds back those that must not.

Left out with a notice: what looks like a secret, by its name or its content, and version control. Left out without a
word: what tools put beside the source (environments, caches, builds) and what says how the project is installed, on
which a platform's own builder would act. ``.multicloudignore`` at the root, in the words of ``.gitignore``, leaves
out more, or with ``!`` keeps what would be left out.

A file that cannot mean the same on every machine is refused: a link out of the project, a device, a name that is not
UTF-8 or that differs from another in case alone. Links inside the project go in as what they point to.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from multicloud.deploy.archive import MOST_MEMBERS, Member
from multicloud.deploy.ignoring import Rules, Verdict, secret_content
from multicloud.errors import BundleError

_MOST_SHOWN = 10  # of the refused files, in one message


@attrs.frozen
class SourceFile:
    """A file that was found. name: its path inside the zip. location: its path on disk, links resolved.

    stamp: size in bytes, modification and change time in nanoseconds, inode: equal as long as nobody wrote to the
    file. executable: whether its owner may run it; all other mode bits are dropped. kept: ``.multicloudignore`` asks
    for it by name, whatever it looks like.
    """

    name: str
    location: str
    stamp: tuple[int, int, int, int]
    executable: bool
    kept: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stamp[0]


@attrs.frozen
class Sources:
    """What was found, sorted by name, and what the user should know of what was left out."""

    files: tuple[SourceFile, ...]
    notices: tuple[str, ...]


def find_sources(root: Path, without: Iterable[Path] = ()) -> Sources:
    """Walk through a project. Reads folders and no file but ``.multicloudignore``.

    without: folders that are left out as well, for instance the one that bundles are written to.
    Raises BundleError with all files that are refused.
    """
    walk = _Walk(os.path.realpath(root), Rules.read(root), frozenset(os.path.realpath(path) for path in without))
    try:
        walk.root_folder()
    except OSError as error:
        raise BundleError(f"{error.filename}: cannot be read: {error.strerror}") from None
    walk.refuse_collisions()
    if walk.refused:
        shown = [f"  - {problem}" for problem in sorted(walk.refused)[:_MOST_SHOWN]]
        more = len(walk.refused) - len(shown)
        lines = "\n".join(shown + ([f"  - and {more} more"] if more else []))
        raise BundleError(f"{root}: these files cannot be bundled; leave them out in .multicloudignore:\n{lines}")
    return Sources(tuple(sorted(walk.files, key=lambda file: file.name)), tuple(sorted(walk.notices)))


def read_sources(files: Sequence[SourceFile]) -> tuple[list[Member], list[str]]:
    """Read what was found. Returns the members, and a notice for each that is left out because a key is in it.

    Raises BundleError if a file cannot be read.
    """
    members, notices = [], []
    for file in files:
        try:
            content = Path(file.location).read_bytes()
        except OSError as error:
            raise BundleError(f"{file.name}: cannot be read: {error.strerror}") from None
        reason = "" if file.kept else secret_content(file.name, content)
        if reason:
            notices.append(_notice(file.name, reason))
        else:
            members.append(Member(file.name, content, file.executable))
    return members, notices


def _notice(name: str, reason: str) -> str:
    return f"left out {name}: {reason} (`!/{name}` in .multicloudignore keeps it)"


@attrs.define
class _Walk:
    """One walk through a project; collects."""

    root: str
    rules: Rules
    without: frozenset[str]
    files: list[SourceFile] = attrs.field(factory=list)
    notices: list[str] = attrs.field(factory=list)
    refused: list[str] = attrs.field(factory=list)
    visited: int = 0

    def root_folder(self) -> None:
        if os.path.exists(os.path.join(self.root, "pyvenv.cfg")):
            raise BundleError(f"{self.root}: is a virtual environment; make it a folder inside the project instead")
        found = os.stat(self.root)
        self.folder(self.root, "", frozenset([(found.st_dev, found.st_ino)]))

    def folder(self, location: str, prefix: str, above: frozenset[tuple[int, int]]) -> None:
        """Walk through a folder. above: device and inode of the folders that it is in."""
        with os.scandir(location) as entries:
            for entry in entries:
                self.count(prefix)
                if entry.is_symlink():
                    self.link(entry.path, prefix + entry.name, above)
                else:
                    self.entry(entry.path, prefix + entry.name, entry.stat(follow_symlinks=False), above)

    def count(self, prefix: str) -> None:
        # Folders count as well: links that point to one another's folders would otherwise never end.
        self.visited += 1
        if self.visited > MOST_MEMBERS:
            place = prefix.rstrip("/") or self.root
            hint = "leave out in .multicloudignore what the functions do not need"
            raise BundleError(f"{self.root}: more than {MOST_MEMBERS} files, reached in {place}; {hint}")

    def entry(self, location: str, name: str, found: os.stat_result, above: frozenset[tuple[int, int]]) -> None:
        """Take a file, go into a folder, refuse anything else."""
        is_folder = stat.S_ISDIR(found.st_mode)
        verdict = self.verdict(location, name, is_folder)
        if not verdict.taken:
            if verdict.reason:
                self.notices.append(_notice(name, verdict.reason))
        elif _odd(name.rpartition("/")[2]):
            shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
            self.refused.append(f"{shown!r}: its name is not UTF-8, or has a backslash or control character in it")
        elif is_folder:
            identity = (found.st_dev, found.st_ino)
            if identity in above:
                self.refused.append(f"{name}: a link to a folder that the link itself is in")
            else:
                self.folder(location, f"{name}/", above | {identity})
        elif stat.S_ISREG(found.st_mode):
            stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            executable = bool(found.st_mode & stat.S_IXUSR)
            self.files.append(SourceFile(name, location, stamp, executable, verdict.kept))
        else:
            self.refused.append(f"{name}: a device, socket or pipe, expected a file")

    def verdict(self, location: str, name: str, is_folder: bool) -> Verdict:
        if is_folder and (location in self.without or os.path.exists(os.path.join(location, "pyvenv.cfg"))):
            return Verdict(taken=False)
        return self.rules.judge(name, is_folder, location)

    def link(self, location: str, name: str, above: frozenset[tuple[int, int]]) -> None:
        """Take a link as what it points to, unless that is outside or would itself be left out."""
        by_name = self.rules.judge(name, os.path.isdir(location), location)
        if not by_name.taken:
            if by_name.reason:
                self.notices.append(_notice(name, by_name.reason))
            return
        try:
            target = os.path.realpath(location, strict=True)
        except OSError:
            self.refused.append(f"{name}: a link to {os.readlink(location)!r}, which is not there")
            return
        if target != self.root and not target.startswith(self.root + os.sep):
            self.refused.append(f"{name}: a link to {target!r}, which is outside of the project")
        elif not by_name.kept and (reason := self.left_out(target)):
            self.notices.append(_notice(name, reason))
        else:
            self.entry(target, name, os.stat(target), above)

    def left_out(self, target: str) -> str:
        """Return why what a link points to is left out where it stands, or an empty string."""
        parts = target[len(self.root) + 1 :].split(os.sep)
        for depth in range(1, len(parts) + 1):
            location = os.path.join(self.root, *parts[:depth])
            verdict = self.verdict(location, "/".join(parts[:depth]), os.path.isdir(location))
            if not verdict.taken:
                return f"a link to {'/'.join(parts)}, which is left out"
        return ""

    def refuse_collisions(self) -> None:
        for first, second in case_collisions(file.name for file in self.files):
            self.refused.append(
                f"{second}: differs from {first} in case alone, so one machine has both and another one"
            )


def _odd(name: str) -> bool:
    """Whether a name does not survive every unzip."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return any(character < " " or character in "\\\x7f" for character in name)


def case_collisions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of paths, folders included, that some file systems take for one: case, Unicode composition."""
    seen: dict[str, str] = {}
    pairs = {}
    for name in sorted(names):
        path = name
        while path:
            first = seen.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
            if first == path and path != name:
                break  # this folder, and so all above it, has been looked at
            if first != path:
                pairs[path] = first
            path = path.rpartition("/")[0]
    return [(first, second) for second, first in pairs.items()]
