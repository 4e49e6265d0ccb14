"""Puts the parts of a bundle together: what of the SDK ships, what must not collide, and what a platform takes."""

from __future__ import annotations

import importlib.util
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

import multicloud
from multicloud.deploy.archive import MOST_MEMBERS, Packed, archive_size
from multicloud.deploy.caching import caching_literals
from multicloud.deploy.gates import GATE_MODULES, gate_modules
from multicloud.deploy.shapes import TYPED_MODULES, is_typed
from multicloud.deploy.sources import SourceFile, case_collisions
from multicloud.errors import BundleError
from multicloud.model import ApiDefinition, FunctionDefinition
from multicloud.provider import BundleLayout

_LARGEST_SHOWN = 5
_CURE = (
    "leave out in .multicloudignore what it does not need, drop dependencies, "
    "or give the routes that need them a function of their own"
)


def runtime_files(layout: BundleLayout) -> list[SourceFile]:
    """Return the SDK's own files that ship: ``multicloud.runtime`` and the provider's runtime module.

    Raises BundleError if the provider's package is not installed.
    """
    found = importlib.util.find_spec(layout.runtime_package)
    if found is None or found.origin is None:
        raise BundleError(f"the package {layout.runtime_package}, which ships in the function, is not installed")
    core, provider = Path(multicloud.__file__).parent, Path(found.origin).parent
    shipped = [core / "__init__.py", *core.glob("runtime/**/*.py"), provider / "__init__.py", provider / "runtime.py"]
    return sorted((_source_file(path, core, provider) for path in shipped), key=lambda file: file.name)


def _source_file(path: Path, core: Path, provider: Path) -> SourceFile:
    package = core if path.is_relative_to(core) else provider
    found = os.stat(path)
    stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    name = path.relative_to(package.parent).as_posix()
    return SourceFile(name, str(path), stamp, bool(found.st_mode & stat.S_IXUSR), kept=True)


def under(prefix: str, packed: Iterable[Packed]) -> list[Packed]:
    """Return members moved into a folder; ``""`` leaves them where they are."""
    return [attrs.evolve(member, name=f"{prefix}/{member.name}") for member in packed] if prefix else list(packed)


def unused_modules(definition: ApiDefinition, function: FunctionDefinition) -> set[str]:
    """Return the runtime's modules that a function never imports, so that they need not ship."""
    needed = {mount.kind for mount in function.mounts}
    if needed:
        needed.add("mounts")
    if definition.cors is not None:
        needed.add("cors")
    if caching_literals(definition, [function]) is not None:
        needed.add("caching")
    if is_typed(function):
        needed.update(TYPED_MODULES)
    needed |= gate_modules(definition, function)
    optional = {"asgi", "wsgi", "mounts", "caching", "cors", *TYPED_MODULES, *GATE_MODULES}
    return {f"multicloud/runtime/{module}.py" for module in optional - needed}


def source_name(name: str) -> str:
    """Return the name of the source that a .pyc stands in place of; another file's own name."""
    return name[:-1] if name.endswith(".pyc") and "__pycache__" not in name else name


def refuse_collisions(function: str, parts: Mapping[str, Sequence[str]]) -> None:
    """Raise BundleError if two parts have a file of one name, or a file where the other has a folder.

    parts: what a part is, in the user's words, to the paths of its files.
    """
    owners: dict[str, str] = {}
    problems = []
    for part, names in parts.items():
        for name in names:
            if name in owners:
                problems.append(f"{name} is in {owners[name]} and in {part}")
            owners.setdefault(name, part)
    for name, part in owners.items():
        problems += [
            f"{folder} is a file in {owners[folder]} and a folder in {part}"
            for folder in _folders(name)
            if owners.get(folder, part) != part
        ]
    problems += [f"{first} and {second} differ in case alone" for first, second in case_collisions(owners)]
    if len(owners) > MOST_MEMBERS:
        problems.append(f"{len(owners)} files, but a zip holds {MOST_MEMBERS}; {_CURE}")
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in dict.fromkeys(problems))
        raise BundleError(f"function {function}: files are in each other's way; rename or leave out yours:\n{lines}")


def _folders(name: str) -> Iterable[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


@attrs.frozen
class SizeLimits:
    """What a platform takes. function, provider: for the message. layout: has the limits."""

    function: str
    provider: str
    layout: BundleLayout

    def check_unzipped(self, parts: Mapping[str, int]) -> None:
        """Raise BundleError if the parts are too much before zipping. parts: bytes of each."""
        self._check("unzipped", sum(parts.values()), self.layout.max_unzipped_bytes, parts)

    def check_zipped(self, packed: Sequence[Packed]) -> None:
        """Raise BundleError if the archive would be too large."""
        prefix = self.layout.packages_prefix
        parts: dict[str, int] = {}
        for member in packed:
            part = member.name.removeprefix(f"{prefix}/" if prefix else "").partition("/")[0]
            parts[part] = parts.get(part, 0) + len(member.stream)
        self._check("zipped", archive_size(packed), self.layout.max_zip_bytes, parts)

    def _check(self, state: str, size: int, limit: int | None, parts: Mapping[str, int]) -> None:
        if limit is None or size <= limit:
            return
        largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:_LARGEST_SHOWN]
        shown = ", ".join(f"{name} {_megabytes(part)}" for name, part in largest)
        raise BundleError(
            f"function {self.function}: {_megabytes(size)} {state}, but {self.provider} takes at most "
            f"{_megabytes(limit)}; the largest parts: {shown}; {_CURE}"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size:,} bytes"


def joined(*parts: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of several parts' bytes by name."""
    total: dict[str, int] = {}
    for part in parts:
        for name, size in part.items():
            total[name] = total.get(name, 0) + size
    return total
