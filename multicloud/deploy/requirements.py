"""What a function depends on: its own requirements or the project's, and the extras it names.

In this order: the function's ``dependencies``; ``[project]`` of ``pyproject.toml``; ``install_requires`` of
``setup.cfg``; ``requirements.txt``. The extras are those of ``pyproject.toml`` or ``setup.cfg``. The SDK itself is
never installed, as its runtime is part of every bundle.
"""

from __future__ import annotations

import configparser
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from multicloud.errors import BundleError

SDK = "multicloud"

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_INCLUDE = re.compile(r"\s*(?:-[rc]|--(?:requirement|constraint))[\s=]*(\S+)")


@attrs.frozen
class Requirements:
    """lines: requirements as PEP 508 writes them. files: requirement files, in pip's format."""

    lines: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return any(not _is_sdk(line) for line in self._every_line())

    def _every_line(self) -> Iterator[str]:
        yield from self.lines
        for file in self.files:
            for line in _read(file).splitlines():
                stripped = re.sub(r"(^|\s)#.*", "", line).strip()
                if stripped:
                    yield stripped

    def contents(self) -> list[str]:
        """Return all that the outcome follows from, files that the files include among it."""
        found = list(self.lines)
        waiting, seen = list(self.files), set()
        while waiting:
            file = waiting.pop()
            if file in seen:
                continue
            seen.add(file)
            text = _read(file)
            found.append(text)
            waiting += [file.parent / match[1] for line in text.splitlines() if (match := _INCLUDE.match(line))]
        return found


def _is_sdk(line: str) -> bool:
    match = _NAME.match(line)
    return match is not None and _normal(match[1]) == SDK


def _normal(name: str) -> str:
    """Return a package's or extra's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise BundleError(f"{path}: expected a file of requirements, but there is none") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: expected a file of requirements as UTF-8 text: {error}") from None


def declared(root: Path, dependencies: Sequence[str] | str, extras: Sequence[str]) -> Requirements:
    """Return what a function of a project depends on.

    dependencies: requirements, or the path of a file of them from the root; none for those of the project.
    Raises BundleError if a file cannot be read or an extra is unknown.
    """
    project = _Project.read(root)
    extra_lines = tuple(line for extra in extras for line in project.of_extra(extra, ()))
    if isinstance(dependencies, str) and Path(dependencies).name not in ("pyproject.toml", "setup.cfg"):
        return Requirements(extra_lines, (root / dependencies,))
    if dependencies and not isinstance(dependencies, str):
        return Requirements((*dependencies, *extra_lines))
    return Requirements((*project.lines, *extra_lines), project.files)


@attrs.frozen
class _Project:
    """What the project says of itself. lines, files: its own requirements. extras: by normalised name."""

    root: Path
    name: str = ""
    lines: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    extras: Mapping[str, Sequence[str]] = attrs.field(factory=dict)

    @classmethod
    def read(cls, root: Path) -> _Project:
        table = _pyproject(root)
        if "dependencies" in table or "optional-dependencies" in table:
            extras = {_normal(name): lines for name, lines in table.get("optional-dependencies", {}).items()}
            return cls(root, str(table.get("name", "")), tuple(table.get("dependencies", ())), (), extras)
        config = _setup_cfg(root)
        required = config.get("options", {}).get("install_requires", "")
        extras = {_normal(name): _lines(text) for name, text in config.get("options.extras_require", {}).items()}
        name = config.get("metadata", {}).get("name", "")
        if required.strip().startswith("file:"):
            listed = [part.strip() for part in required.strip().removeprefix("file:").split(",")]
            return cls(root, name, (), tuple(root / part for part in listed), extras)
        fallback = root / "requirements.txt"
        if not required and fallback.is_file():
            return cls(root, name, (), (fallback,), extras)
        return cls(root, name, tuple(_lines(required)), (), extras)

    def of_extra(self, name: str, inside: tuple[str, ...]) -> list[str]:
        """Return the requirements of an extra, extras of the project that it names in turn among them."""
        wanted = _normal(name)
        if wanted in inside:
            return []
        if wanted not in self.extras:
            near = difflib.get_close_matches(wanted, self.extras, 1)
            known = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(self.extras)) or 'none'}"
            raise BundleError(f"{self.root}: expected an extra of the project, got {name!r}; {known}")
        found = []
        for line in self.extras[wanted]:
            match = _NAME.match(line)
            if match and match[2] and self.name and _normal(match[1]) == _normal(self.name):
                for inner in match[2].split(","):
                    found += self.of_extra(inner.strip(), (*inside, wanted))
            else:
                found.append(line)
        return found


def _pyproject(root: Path) -> Mapping[str, Any]:
    """Return the table ``[project]``; empty if there is none."""
    path = root / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(_read(path)).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise BundleError(f"{path}: is not TOML: {error}") from None
    return table if isinstance(table, dict) else {}


def _setup_cfg(root: Path) -> dict[str, dict[str, str]]:
    path = root / "setup.cfg"
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser()
    try:
        parser.read_string(_read(path))
        wanted = ("metadata", "options", "options.extras_require")
        return {name: dict(parser.items(name)) for name in wanted if parser.has_section(name)}
    except configparser.Error as error:
        raise BundleError(f"{path}: cannot be read: {error}") from None


def _lines(text: str) -> list[str]:
    """Return the requirements of a setup.cfg value, one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]
