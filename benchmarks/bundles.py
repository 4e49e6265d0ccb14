"""Our side of a comparison: a project with one file, bundled by ``multicloud bundle`` and unpacked as a cloud does."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from functools import cache
from pathlib import Path

from benchmarks.installed import CACHE, run

CONFIG = """[project]
name = "measured"
api = "app:api"

[stages.aws]
provider = "aws"

[stages.gcp]
provider = "gcp"

[stages.azure]
provider = "azure"
"""
PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where an Azure bundle has its packages; the worker puts that folder on the path."""


@cache
def project_of(source: str) -> Path:
    """Return a project folder whose ``app.py`` has this text."""
    folder = CACHE / "projects" / hashlib.sha256(source.encode()).hexdigest()[:16]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(source, "utf-8")
    (folder / "multicloud.toml").write_text(CONFIG, "utf-8")
    return folder


@cache
def zip_of(source: str, provider: str) -> Path:
    """Bundle the project for a provider. Returns the zip; once per run, for what ships may have changed since."""
    project = project_of(source)
    output = project.with_name(f"{project.name}-{provider}")
    shutil.rmtree(output, ignore_errors=True)
    run([sys.executable, "-m", "multicloud.cli", "bundle", provider, "--output", str(output)], cwd=project)
    return next(output.glob("*.zip"))


@cache
def unpacked(source: str, provider: str) -> list[Path]:
    """Return the folders of the bundle that the provider's runtime puts on the path."""
    archive = zip_of(source, provider)
    folder = archive.with_name("unpacked")
    with zipfile.ZipFile(archive) as members:
        members.extractall(folder)
    return [folder, folder / PACKAGES] if (folder / PACKAGES).exists() else [folder]
