"""Renders the entry files of the fixed API. Run as ``python -m tests.golden.entries`` it rewrites those kept here."""

from __future__ import annotations

from pathlib import Path

from multicloud.deploy.entry import render
from multicloud.model import define
from multicloud.provider import load_provider
from tests.golden.shop import api

FOLDER = Path(__file__).parent
PROVIDERS = ("aws", "azure", "gcp")


def entries() -> dict[str, bytes]:
    """Return path in this folder to content, for each provider and function."""
    definition = define(api)
    return {
        f"{name}/{function.name}/{path}": content
        for name in PROVIDERS
        for function in definition.functions
        for path, content in render(definition, function, load_provider(name), "live", event_loop=True).items()
    }


def kept() -> dict[str, bytes]:
    """Return what is kept."""
    files = (path for name in PROVIDERS for path in (FOLDER / name).rglob("*") if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files if path.suffix != ".pyc"}


def main() -> None:
    """Rewrite what is kept."""
    for name in kept().keys() - entries().keys():
        (FOLDER / name).unlink()
    for name, content in entries().items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
