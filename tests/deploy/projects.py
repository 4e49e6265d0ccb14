"""Projects and wheels that the tests of bundling make for themselves: nothing comes from a network."""

from __future__ import annotations

import base64
import hashlib
import importlib
import itertools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from multicloud.deploy.bundle import Bundles, bundle
from multicloud.model import ApiDefinition, define
from multicloud.provider import Provider, load_provider
from multicloud.runtime.recorder import Api

_numbers = itertools.count()


@attrs.frozen
class Project:
    """A project folder on ``sys.path`` with one module that defines an API of one function."""

    root: Path
    module: str

    @classmethod
    def create(cls, root: Path) -> Project:
        module = f"app_{next(_numbers)}"  # a name of its own, as Python keeps what it imported
        root.mkdir(parents=True, exist_ok=True)
        (root / f"{module}.py").write_text("def hello(request):\n    return {}\n")
        return cls(root, module)

    @property
    def output(self) -> Path:
        return self.root / ".multicloud" / "bundles"

    def definition(self, **settings: Any) -> ApiDefinition:
        importlib.invalidate_caches()
        api = Api("hello", **settings)
        api.get("/hello")(importlib.import_module(self.module).hello)
        return define(api)

    def bundle(self, provider: Provider | None = None, python_version: str | None = None, **settings: Any) -> Bundles:
        definition = self.definition(**settings)
        return bundle(definition, provider or cloud(), self.root, self.output, python_version=python_version)

    def names(self, bundles: Bundles) -> set[str]:
        return set(members(self.output / bundles.entries[0].file))


def cloud(name: str = "aws", **layout: Any) -> Provider:
    """Return a provider, some of its layout changed."""
    provider = load_provider(name)
    assert provider.layout is not None
    provider.layout = attrs.evolve(provider.layout, **layout)
    return provider


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def make_wheel(
    folder: Path, name: str, version: str = "1.0", tag: str = "py3-none-any", files: Mapping[str, bytes] | None = None
) -> Path:
    """Write a wheel with one package of that name, or with the files given."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = dict(files if files is not None else {f"{name}/__init__.py": f"TAG = {tag!r}\n".encode()})
    dist_info = f"{name}-{version}.dist-info"
    contents[f"{dist_info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    pure = "true" if tag.endswith("-any") else "false"
    contents[f"{dist_info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode()
    contents[f"{dist_info}/entry_points.txt"] = f"[console_scripts]\n{name} = {name}:main\n".encode()
    lines = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in contents.items()]
    contents[f"{dist_info}/RECORD"] = "\n".join([*lines, f"{dist_info}/RECORD,,", ""]).encode()
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in contents.items():
            archive.writestr(member, content)
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
