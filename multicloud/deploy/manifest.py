"""The manifest of an output folder: what each function's zip is. Written last, so that it never names a half one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import attrs

from multicloud.deploy.archive import replacing

MANIFEST = "manifest.json"


@attrs.frozen
class BundleManifestEntry:
    """One function's bundle.

    name: the function's. entry_point: what the platform is told to call. file: the zip's name in the output folder.
    bytes, unzipped_bytes: its size. routes: pairs of method and path. mounts: prefixes.
    """

    name: str
    provider: str
    entry_point: str
    python_version: str
    architecture: str
    file: str
    sha256: str
    bytes: int
    unzipped_bytes: int
    routes: tuple[tuple[str, str], ...]
    mounts: tuple[str, ...]


def made_path(output: Path, function: str) -> Path:
    """Return where a function's zip is made, before it takes the former one's place."""
    return output / f".{function}.zip"


def publish(output: Path, entries: Sequence[BundleManifestEntry]) -> None:
    """Move what was made into place, replace the manifest if it differs, delete the zips that it names no more."""
    for entry in entries:
        made = made_path(output, entry.name)
        if made.exists():
            os.replace(made, output / entry.file)
    manifest = output / MANIFEST
    text = json.dumps({"functions": [attrs.asdict(entry) for entry in entries]}, indent=2).encode() + b"\n"
    former = manifest.read_bytes() if manifest.exists() else b""
    if former == text:
        return
    with replacing(manifest) as file:
        file.write(text)
    for name in _files(former) - {entry.file for entry in entries}:
        (output / name).unlink(missing_ok=True)


def _files(manifest: bytes) -> set[str]:
    try:
        named = {str(entry["file"]) for entry in json.loads(manifest)["functions"]}
    except (ValueError, TypeError, KeyError):
        return set()
    return {name for name in named if name.endswith(".zip") and "/" not in name and os.sep not in name}
