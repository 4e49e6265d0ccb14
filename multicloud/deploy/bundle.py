"""From a definition to one zip for each function, and a manifest of them: what ``multicloud bundle`` and deploy use.

    sources       the project's files                    requirements, dependencies   what they need, installed by uv
    entry         the generated entry module             bytecode, pyc                all of it compiled
    assembly      collisions, sizes, the SDK's runtime   archive, reuse               the zip, made once

Every zip is made before the first one takes its place, so a run that fails leaves the former output; the manifest is
replaced last, and its digests tell the zips of a run that was killed between two of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs

import multicloud
from multicloud.deploy import bytecode
from multicloud.deploy.archive import Member, Packed, pack, write_archive
from multicloud.deploy.assembly import (
    SizeLimits,
    joined,
    refuse_collisions,
    runtime_files,
    source_name,
    under,
    unused_modules,
)
from multicloud.deploy.dependencies import Installation, Target, kept, sizes
from multicloud.deploy.entry import loaded_functions, render
from multicloud.deploy.gates import runtime_requirements
from multicloud.deploy.manifest import BundleManifestEntry, made_path, publish
from multicloud.deploy.requirements import Requirements, declared
from multicloud.deploy.reuse import Record, by_content, by_date, can_be_trusted
from multicloud.deploy.sources import SourceFile, Sources, find_sources, read_sources
from multicloud.errors import BundleError, ConfigError, Problem
from multicloud.model import ApiDefinition, FunctionDefinition
from multicloud.provider import BundleLayout, Provider


@attrs.frozen
class Bundles:
    """The outcome of a run.

    output: the folder. entries: what ``manifest.json`` there says. notices: what the user should know. written: the
    functions whose zip was made anew.
    """

    output: Path
    entries: tuple[BundleManifestEntry, ...]
    notices: tuple[str, ...]
    written: tuple[str, ...]


def bundle(
    definition: ApiDefinition,
    provider: Provider,
    project_root: Path,
    output: Path,
    *,
    stage: str = "",
    python_version: str | None = None,
    functions: Sequence[str] | None = None,
) -> Bundles:
    """Bundle the functions of an API for a provider.

    output: the folder for the zips and the manifest, made if need be; what a former run put there is replaced, and
    stays as it is if this run fails. stage: part of what the entry module knows. python_version: ``3.12``; default the
    one that runs now if the provider has it, else the provider's newest. functions: names; default all.
    Raises BundleError if a bundle cannot be made, ConfigError for a Python version that the provider does not run,
    DefinitionError for a handler that cannot be imported by name.
    """
    if provider.layout is None:
        raise BundleError(f"provider {provider.name} runs functions where they are; there is nothing to bundle")
    root, output = project_root.resolve(), output.resolve()
    if root.is_relative_to(output):
        raise BundleError(f"{output}: expected a folder for bundles alone, got one that the project is in")
    wanted = [one for one in definition.functions if functions is None or one.name in functions]
    run = _Run(definition, provider, provider.layout, root, output, stage, _version(provider, python_version))
    try:
        results = [_Build(run, function).result() for function in wanted]
        publish(output, [entry for entry, _, _ in results])
    finally:
        for function in wanted:
            made_path(output, function.name).unlink(missing_ok=True)
    return Bundles(
        output=output,
        entries=tuple(entry for entry, _, _ in results),
        notices=tuple(
            dict.fromkeys([*run.sources.notices, *(notice for _, record, _ in results for notice in record.notices)])
        ),
        written=tuple(entry.name for entry, _, written in results if written),
    )


def _version(provider: Provider, asked: str | None) -> str:
    if asked is None:
        return next((one for one in provider.python_versions if bytecode.runs_here(one)), provider.python_versions[-1])
    if asked not in provider.python_versions:
        known = ", ".join(provider.python_versions)
        raise ConfigError([Problem("python_version", f"one that {provider.name} runs: {known}", repr(asked))])
    return asked


@attrs.define(slots=False)
class _Run:
    """What the functions of one run have in common. Files are looked at once, and read only if one of them changed."""

    definition: ApiDefinition
    provider: Provider
    layout: BundleLayout
    root: Path
    output: Path
    stage: str
    python_version: str
    started: int = attrs.field(factory=time.time_ns)

    @property
    def cache(self) -> Path:
        return self.root / ".multicloud" / "cache"

    @cached_property
    def sources(self) -> Sources:
        return find_sources(self.root, without=[self.output])

    @cached_property
    def runtime(self) -> list[SourceFile]:
        return runtime_files(self.layout)

    @cached_property
    def read(self) -> tuple[list[Member], list[str]]:
        return read_sources(self.sources.files)

    @cached_property
    def runtime_members(self) -> list[Member]:
        return read_sources(self.runtime)[0]

    @cached_property
    def packed_runtime(self) -> list[Packed]:
        identity = bytecode.identity(self.python_version)
        key = by_content([multicloud.__version__, self.python_version, identity], {}, self.runtime_members)
        return kept(self.cache / f"runtime-{key}.zip", lambda: pack(self._lean_runtime()))

    def _lean_runtime(self) -> Sequence[Member]:
        """Return the runtime's .pyc, or its sources where no Python is here that could compile them."""
        compiled = bytecode.compile_members(self.runtime_members, self.python_version, lean=True)
        return compiled.members or self.runtime_members

    @cached_property
    def packed_project(self) -> tuple[list[Packed], list[str]]:
        members, notices = self._compiled(self.read[0])
        return pack(members), notices

    def _compiled(self, members: Sequence[Member]) -> tuple[list[Member], list[str]]:
        compiled = bytecode.compile_members(members, self.python_version)
        notices = [
            f"{name} does not compile for Python {self.python_version}: {reason}"
            for name, reason in sorted(compiled.failures.items())
        ]
        return [*members, *compiled.members], notices + ([compiled.notice] if compiled.notice else [])

    def pack_entry(self, entry: Mapping[str, bytes]) -> list[Packed]:
        members = [Member(name, content) for name, content in sorted(entry.items())]
        return pack(self._compiled(members)[0])


@attrs.define(slots=False)
class _Build:
    """One function's bundle."""

    run: _Run
    function: FunctionDefinition

    @cached_property
    def limits(self) -> SizeLimits:
        return SizeLimits(self.function.name, self.run.provider.name, self.run.layout)

    @cached_property
    def beside(self) -> tuple[FunctionDefinition, ...]:
        """The other functions that this one's entry module loads."""
        return loaded_functions(self.run.definition, self.function)

    def beside_notices(self) -> list[str]:
        return [
            f"function {self.function.name} also gets the dependencies of {other.name}, which is loaded with it; "
            "define the middleware that they share in a module of its own to avoid that"
            for other in self.beside
            if other.dependencies or other.extras
        ]

    @cached_property
    def installation(self) -> Installation:
        functions = [self.function, *self.beside]
        found = [declared(self.run.root, one.dependencies, one.extras) for one in functions]
        own = runtime_requirements(self.run.definition, self.function)
        lines = [line for one in found for line in one.lines]
        files = [file for one in found for file in one.files]
        requirements = Requirements(tuple(dict.fromkeys([*lines, *own])), tuple(dict.fromkeys(files)))
        target = Target(self.run.python_version, self.function.architecture)
        return Installation.of(f"function {self.function.name}", self.run.root, requirements, target)

    @cached_property
    def settings(self) -> list[Any]:
        """What the bundle follows from besides files."""
        version = self.run.python_version
        layout = attrs.asdict(self.run.layout)
        return [multicloud.__version__, layout, version, bytecode.identity(version), self.installation.key]

    @cached_property
    def record_path(self) -> Path:
        key = hashlib.sha256(f"{self.run.output}\0{self.function.name}".encode()).hexdigest()[:16]
        return self.run.cache / f"record-{self.function.name}-{key}.json"

    def result(self) -> tuple[BundleManifestEntry, Record, bool]:
        """Return the manifest's entry, what is remembered, and whether a zip was written."""
        record = Record.read(self.record_path)
        if record is not None and not record.is_intact(self.run.output):
            record = None
        if record is not None and record.by_date and record.by_date == self.dated(record.event_loop):
            return self.entry(record), record, False
        self.limits.check_unzipped(self.file_sizes())
        content = by_content(
            self.settings, self.generated(self.event_loop), self.run.read[0] + self.run.runtime_members
        )
        reused = record is not None and record.by_content == content
        made = record if record is not None and reused else self.make(content)
        trusted = can_be_trusted([*self.run.sources.files, *self.run.runtime], self.run.started)
        made = attrs.evolve(made, by_date=self.dated(self.event_loop) if trusted else "")
        made.write(self.record_path)
        return self.entry(made), made, not reused

    @cached_property
    def event_loop(self) -> bool:
        """Whether anything in the bundle could wait on asyncio: it must then be imported before it is needed."""
        return bool(self.installation.key) or any(b"asyncio" in member.content for member in self.run.read[0])

    def generated(self, event_loop: bool) -> Mapping[str, bytes]:
        return render(self.run.definition, self.function, self.run.provider, self.run.stage, event_loop=event_loop)

    def dated(self, event_loop: bool) -> str:
        return by_date(self.settings, self.generated(event_loop), [*self.run.sources.files, *self.run.runtime])

    def file_sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for file in (*self.run.sources.files, *self.run.runtime):
            part = file.name.partition("/")[0]
            found[part] = found.get(part, 0) + file.size
        return found

    def make(self, content: str) -> Record:
        """Write the zip. Returns its record, without the fingerprint by date."""
        own = self.file_sizes()
        with ThreadPoolExecutor(1) as pool:  # uv is waited for while the rest is compiled
            check = self.limits.check_unzipped
            installing = pool.submit(self.installation.packed, self.run.cache, lambda parts: check(joined(own, parts)))
            project, notices = self.run.packed_project
            unused = unused_modules(self.run.definition, self.function)
            runtime = [one for one in self.run.packed_runtime if source_name(one.name) not in unused]
            entry = self.run.pack_entry(self.generated(self.event_loop))
            dependencies = installing.result()
        prefix = self.run.layout.packages_prefix
        parts = {
            "your project": project,
            "what is generated": entry,
            "the SDK's runtime": under(prefix, runtime),
            "the dependencies": under(prefix, dependencies),
        }
        names = {part: [source_name(one.name) for one in packed] for part, packed in parts.items()}
        refuse_collisions(self.function.name, names)
        packed = [one for part in parts.values() for one in part]
        self.limits.check_unzipped(joined(*(sizes(part) for part in (project, entry, runtime, dependencies))))
        self.limits.check_zipped(packed)
        return self.write(packed, content, tuple(self.run.read[1] + notices + self.beside_notices()))

    def write(self, packed: Sequence[Packed], content: str, notices: tuple[str, ...]) -> Record:
        made = made_path(self.run.output, self.function.name)
        return Record(
            by_date="",
            by_content=content,
            event_loop=self.event_loop,
            file=f"{self.function.name}.zip",
            sha256=write_archive(made, packed),
            size=made.stat().st_size,
            unzipped=sum(member.size for member in packed),
            notices=notices,
        )

    def entry(self, record: Record) -> BundleManifestEntry:
        return BundleManifestEntry(
            name=self.function.name,
            provider=self.run.provider.name,
            entry_point=self.run.layout.entry_point,
            python_version=self.run.python_version,
            architecture=self.function.architecture,
            file=record.file,
            sha256=record.sha256,
            bytes=record.size,
            unzipped_bytes=record.unzipped,
            routes=tuple((route.method, route.path) for route in self.function.routes),
            mounts=tuple(mount.prefix for mount in self.function.mounts),
        )
