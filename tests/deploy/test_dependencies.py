"""Dependencies are installed by uv for the platform that will run them, once, from wheels alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from multicloud.deploy.archive import Packed, write_archive
from multicloud.deploy.dependencies import Installation, Target, kept, sweep, uv_environment
from multicloud.deploy.requirements import Requirements
from multicloud.errors import BundleError
from tests.deploy.projects import make_wheel

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def installation(root: Path, *lines: str, architecture: str = "x86_64", version: str = HERE) -> Installation:
    return Installation.of("function hello", root, Requirements(lines), Target(version, architecture))


def install(root: Path, *lines: str, architecture: str = "x86_64", version: str = HERE) -> list[Packed]:
    found = installation(root, *lines, architecture=architecture, version=version)
    return found.packed(root / "cache", lambda parts: None)


def names(packed: list[Packed]) -> set[str]:
    return {member.name for member in packed}


def test_without_requirements_uv_is_not_started(tmp_path, uv_runs):
    assert install(tmp_path) == []
    assert install(tmp_path, "multicloud[aws]>=0.1") == []
    assert uv_runs == []


def test_what_a_function_can_use_is_kept_and_what_differs_between_runs_is_not(tmp_path, wheels):
    make_wheel(wheels, "small")
    assert names(install(tmp_path, "small")) == {
        "small/__init__.py",
        f"small/__pycache__/__init__.cpython-{HERE.replace('.', '')}.pyc",
        "small-1.0.dist-info/METADATA",
        "small-1.0.dist-info/WHEEL",
        "small-1.0.dist-info/entry_points.txt",
    }


def test_two_installations_are_the_same_bytes_whatever_the_umask(tmp_path, wheels):
    make_wheel(wheels, "small")
    digests = []
    for folder, umask in (("a", 0o022), ("b", 0o077)):
        (tmp_path / folder).mkdir()
        previous = os.umask(umask)
        try:
            digests.append(write_archive(tmp_path / f"{folder}.zip", install(tmp_path / folder, "small")))
        finally:
            os.umask(previous)
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("architecture", "version", "tag"),
    [
        ("x86_64", "3.11", "cp311-cp311-manylinux2014_x86_64"),
        ("arm64", "3.11", "cp311-cp311-manylinux2014_aarch64"),
        ("x86_64", "3.12", "cp312-cp312-manylinux_2_28_x86_64"),
        ("arm64", "3.13", "cp313-cp313-manylinux_2_28_aarch64"),
    ],
)
def test_the_wheel_is_that_of_the_platform_and_python_it_runs_on(tmp_path, wheels, architecture, version, tag):
    for python in ("311", "312", "313"):
        for machine in ("x86_64", "aarch64"):
            for glibc in ("manylinux2014", "manylinux_2_28"):
                native = f"cp{python}-cp{python}-{glibc}_{machine}"
                make_wheel(wheels, "native", "2.0" if glibc.endswith("28") else "1.0", native)
    packed = install(tmp_path, "native", architecture=architecture, version=version)
    (wheel,) = [member for member in packed if member.name.endswith("/WHEEL")]
    assert tag in _content(wheel)


def _content(member: Packed) -> str:
    return (zlib.decompress(member.stream, -15) if member.deflated else member.stream).decode()


def test_no_wheel_for_the_platform_is_told_with_package_platform_and_cure(tmp_path, wheels):
    make_wheel(wheels, "native", tag=f"cp{HERE.replace('.', '')}-cp{HERE.replace('.', '')}-manylinux2014_x86_64")
    with pytest.raises(BundleError) as caught:
        install(tmp_path, "native", architecture="arm64")
    message = str(caught.value)
    assert message.startswith(f"function hello: the dependencies do not install for Python {HERE} on arm64")
    assert "native" in message
    assert "UV_FIND_LINKS" in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_does_not_resolve_is_told_in_uvs_words(tmp_path, wheels):
    make_wheel(wheels, "small")
    with pytest.raises(BundleError, match="small>=9"):
        install(tmp_path, "small>=9")


def test_nothing_of_a_dependency_is_run_at_installation(tmp_path, wheels):
    source = tmp_path / "evil"
    source.mkdir()
    (source / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n')
    (source / "b.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(BundleError):
        install(tmp_path, f"evil @ {source.as_uri()}")
    assert not (tmp_path / "ran").exists()


def test_a_password_in_what_uv_says_is_not_passed_on(tmp_path, monkeypatch):
    program = tmp_path / "uv"
    program.write_text("#!/bin/sh\necho 'error: https://user:canary-7d@index.example/simple: 403' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(program))
    with pytest.raises(BundleError) as caught:
        install(tmp_path, "small")
    assert "https://index.example/simple: 403" in str(caught.value)
    assert "canary-7d" not in str(caught.value)


def test_the_password_of_an_index_is_neither_shown_nor_an_argument(tmp_path, wheels, uv_runs, monkeypatch):
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.delenv("UV_OFFLINE")
    with pytest.raises(BundleError) as caught:
        install(tmp_path, "small @ http://user:canary-7d@127.0.0.1:9/small-1.0-py3-none-any.whl")
    assert "canary-7d" not in str(caught.value)
    assert "canary-7d" not in str(uv_runs)


def test_the_sdk_itself_is_not_installed_even_where_a_dependency_needs_it(tmp_path, wheels):
    path = make_wheel(wheels, "plugin")
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["plugin-1.0.dist-info/METADATA"] += b"Requires-Dist: multicloud>=0.1\n"
    contents.pop("plugin-1.0.dist-info/RECORD")
    path.unlink()
    _rewrite(path, contents)
    assert {name.partition("/")[0] for name in names(install(tmp_path, "plugin", "multicloud"))} == {
        "plugin",
        "plugin-1.0.dist-info",
    }


def _rewrite(path: Path, contents: dict[str, bytes]) -> None:
    record = "".join(f"{name},,\n" for name in [*contents, "plugin-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**contents, "plugin-1.0.dist-info/RECORD": record.encode()}.items():
            archive.writestr(name, content)


def test_the_same_requirements_are_installed_once(tmp_path, wheels, uv_runs):
    make_wheel(wheels, "small")
    first = install(tmp_path, "small")
    assert names(install(tmp_path, "small")) == names(first)
    assert len(uv_runs) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda root: installation(root, "small", "six"),
        lambda root: installation(root, "small", architecture="arm64"),
        lambda root: installation(root, "small", version="3.13" if HERE != "3.13" else "3.12"),
        lambda root: (root / "uv.toml").write_text("no-index = true\n") and installation(root, "small"),
        lambda root: (
            (root / "pyproject.toml").write_text("[tool.uv]\nno-index = true\n") and installation(root, "small")
        ),
    ],
)
def test_anything_that_the_outcome_follows_from_is_in_the_key(tmp_path, change):
    before = installation(tmp_path, "small").key
    assert change(tmp_path).key != before


def test_another_index_is_another_key(tmp_path, monkeypatch):
    before = installation(tmp_path, "small").key
    monkeypatch.setenv("UV_INDEX_URL", "https://index.example/simple")
    assert installation(tmp_path, "small").key != before


def test_a_damaged_archive_in_the_cache_is_made_again(tmp_path, wheels, uv_runs):
    make_wheel(wheels, "small")
    first = install(tmp_path, "small")
    (cached,) = (tmp_path / "cache").glob("dependencies-*.zip")
    cached.write_bytes(cached.read_bytes()[:100])
    assert names(install(tmp_path, "small")) == names(first)
    assert len(uv_runs) == 2


def test_two_processes_may_install_the_same_at_once(tmp_path, wheels):
    make_wheel(wheels, "small")
    script = (
        "import sys; from pathlib import Path; from tests.deploy.test_dependencies import install\n"
        "print(len(install(Path(sys.argv[1]), 'small')))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    repository = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(repository), str(repository / "providers")])}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in started] == ["5", "5", "5"]
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_the_size_is_checked_before_anything_is_deflated(tmp_path, wheels):
    make_wheel(wheels, "large", files={"large/a.bin": b"\0" * 1000, "other.py": b"x = 1\n"})
    seen = []

    def check(parts):
        seen.append(dict(parts))
        raise BundleError("too large")

    with pytest.raises(BundleError, match="too large"):
        installation(tmp_path, "large").packed(tmp_path / "cache", check)
    assert seen[0]["large"] == 1000
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_wheel_that_unpacks_to_more_than_any_cloud_takes_is_stopped(tmp_path, wheels, monkeypatch):
    from multicloud.deploy import dependencies

    monkeypatch.setattr(dependencies, "_LARGEST_FILE", 1_000_000)
    path = make_wheel(wheels, "bomb", files={"bomb/zeros.bin": b"\0" * 20_000_000})
    assert path.stat().st_size < 100_000
    with pytest.raises(BundleError, match="function hello"):
        install(tmp_path, "bomb")
    written = sum(file.stat().st_size for file in (tmp_path / "uv-cache").rglob("*") if file.is_file())
    assert written < 3_000_000


def test_what_nobody_used_for_a_month_is_deleted(tmp_path):
    old, new, left = tmp_path / "dependencies-a.zip", tmp_path / "dependencies-b.zip", tmp_path / "install-x"
    left.mkdir()
    for path in (old, new):
        path.touch()
    os.utime(old, (0, time.time() - 31 * 86_400))
    os.utime(left, (0, time.time() - 2 * 86_400))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


def test_what_fails_to_be_made_is_not_kept(tmp_path):
    def make():
        raise BundleError("no")

    with pytest.raises(BundleError):
        kept(tmp_path / "cache" / "a.zip", make)
    assert list((tmp_path / "cache").iterdir()) == []


def test_pips_settings_are_used_where_uv_has_none():
    found = uv_environment({"PIP_INDEX_URL": "https://a", "PIP_FIND_LINKS": "/a /b", "UV_COMPILE_BYTECODE": "1"})
    assert (found["UV_DEFAULT_INDEX"], found["UV_FIND_LINKS"]) == ("https://a", "/a,/b")
    assert "UV_COMPILE_BYTECODE" not in found
    assert "UV_DEFAULT_INDEX" not in uv_environment({"PIP_INDEX_URL": "https://a", "UV_INDEX_URL": "https://b"})


def test_the_thread_count_is_back_to_what_it_was(tmp_path, wheels):
    make_wheel(wheels, "small")
    before = threading.active_count()
    install(tmp_path, "small")
    assert threading.active_count() == before
