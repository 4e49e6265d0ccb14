"""What is published: every package, typed and licensed, and a wheel that works where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

import multicloud

ROOT = Path(multicloud.__file__).parents[1]
PROVIDERS = ("aws", "azure", "gcp", "local")


def setup_cfg() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def folders() -> dict[str, Path]:
    """Return every package that lies in the two source roots."""
    roots = [ROOT / "multicloud", *sorted((ROOT / "providers").glob("multicloud_*"))]
    found = {}
    for root in roots:
        for module in root.rglob("__init__.py"):
            found[".".join(module.parent.relative_to(root.parent).parts)] = module.parent
    return found


def test_setup_cfg_lists_every_package_and_no_other():
    options = setup_cfg()["options"]
    assert sorted(options["packages"].split()) == sorted(folders())
    stated = dict(line.split(" = ") for line in options["package_dir"].strip().splitlines())
    assert stated == {name: path.relative_to(ROOT).as_posix() for name, path in folders().items() if "." not in name}


def test_the_type_checker_and_import_contracts_cover_every_root():
    parser = setup_cfg()
    roots = sorted(name for name in folders() if "." not in name)
    assert sorted(parser["importlinter"]["root_packages"].split()) == roots
    checked = [Path(name.strip()).name for name in parser["mypy"]["files"].strip().split(",")]
    assert sorted(checked) == roots


def test_every_provider_is_an_entry_point():
    stated = setup_cfg()["options.entry_points"]["multicloud.providers"].strip().splitlines()
    assert [line.split(" = ")[0] for line in stated] == list(PROVIDERS)


def test_the_version_is_stated_once():
    assert setup_cfg()["metadata"]["version"] in (multicloud.__version__, "attr: multicloud.__version__")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Build an sdist from a copy of the sources, and the wheel from that sdist."""
    copy, output = tmp_path_factory.mktemp("source") / "multicloud", tmp_path_factory.mktemp("dist")
    ignored = shutil.ignore_patterns(
        "__pycache__", "*.egg-info", ".*", "build", "dist", "tests", "benchmarks", "examples"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), str(copy)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    (found,) = built.glob("*.whl")
    return found


def modules() -> set[str]:
    """Return every file of the packages as a wheel names it."""
    return {
        f"{name.replace('.', '/')}/{path.name}"
        for name, folder in folders().items()
        for path in folder.iterdir()
        if path.suffix == ".py" or path.name == "py.typed"
    }


def test_the_wheel_holds_every_module_its_types_and_the_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        stated = Parser().parsestr(archive.read(metadata).decode())
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == modules()
    assert {f"{name}/py.typed" for name in folders() if "." not in name} <= packed
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert (stated["License"], stated["License-File"]) == ("Apache-2.0", "LICENSE")
    assert stated["Version"] == multicloud.__version__
    assert {"aws", "gcp", "azure", "all", "dev"} <= set(stated.get_all("Provides-Extra"))


def test_the_sdist_holds_what_builds_it(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "setup.cfg", "pyproject.toml"} <= names
    for name, folder in folders().items():
        assert f"{folder.relative_to(ROOT).as_posix()}/__init__.py" in names, name
    assert {
        f"{folder.relative_to(ROOT).as_posix()}/py.typed" for n, folder in folders().items() if "." not in n
    } <= names
    assert not [name for name in names if name.endswith(".pyc") or "/.venv" in name]


def test_the_wheel_works_in_a_fresh_environment(wheel, tmp_path):
    home = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    install = ["uv", "pip", "install", "--offline", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True, env=environment)
    # The dependencies come from this environment: a path in a .pth file, which runs no .pth files of its own.
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    purelib = subprocess.run(ask, capture_output=True, text=True, check=True, env=environment).stdout.strip()
    Path(purelib, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert multicloud.__version__ in run(str(home / "bin" / "multicloud"), "--version")
    program = "import multicloud, multicloud_aws.provider as p; print(multicloud.__file__, p.__file__)"
    assert all(path.startswith(str(home)) for path in run(str(python), "-c", program).split())
    names = "from multicloud.provider import provider_entry_points as p; print(*p())"
    assert run(str(python), "-c", names).split() == list(PROVIDERS)
