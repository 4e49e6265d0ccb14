"""Archives are valid for other readers, and their bytes follow from their members alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.deploy.archive import Member, archive_size, pack, read_archive, replacing, write_archive
from multicloud.errors import BundleError

SEGMENTS = st.text(st.characters(exclude_characters="/\\", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join).filter(lambda name: set(name) - {".", "/"})
MEMBERS = st.dictionaries(NAMES, st.tuples(st.binary(max_size=300), st.booleans()), max_size=8).map(
    lambda found: [Member(name, content, executable) for name, (content, executable) in found.items()]
)


@given(MEMBERS, st.randoms())
def test_the_standard_library_reads_what_was_written(tmp_path_factory, members, random):
    path = tmp_path_factory.mktemp("zips") / "a.zip"
    random.shuffle(members)
    write_archive(path, pack(members))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {one.name: one.content for one in members}
        assert archive.namelist() == sorted(archive.namelist(), key=str.encode)
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert modes == {one.name: stat.S_IFREG | (0o755 if one.executable else 0o644) for one in members}
        assert {entry.date_time for entry in archive.infolist()} <= {(1980, 1, 1, 0, 0, 0)}


@given(MEMBERS, st.randoms())
def test_the_order_of_members_does_not_show_in_the_bytes(tmp_path_factory, members, random):
    folder = tmp_path_factory.mktemp("zips")
    first = write_archive(folder / "a.zip", pack(members))
    random.shuffle(members)
    second = write_archive(folder / "b.zip", pack(members))
    assert first == second
    assert (folder / "a.zip").read_bytes() == (folder / "b.zip").read_bytes()


@given(MEMBERS)
def test_members_read_back_are_those_written_and_the_size_was_known(tmp_path_factory, members):
    path = tmp_path_factory.mktemp("zips") / "a.zip"
    packed = pack(members)
    write_archive(path, packed)
    assert read_archive(path) == sorted(packed, key=lambda one: one.name.encode())
    assert archive_size(packed) == path.stat().st_size


def test_many_bytes_are_packed_as_few_are():
    members = [Member(f"{number}.txt", bytes([number]) * 40_000) for number in range(20)]
    assert pack(members) == [packed for member in members for packed in pack([member])]


@pytest.mark.skipif(not shutil.which("unzip"), reason="no unzip on this machine")
def test_unzip_restores_names_content_and_modes(tmp_path):
    members = [Member("caf\u00e9/a.py", b"x" * 500), Member("run.sh", b"#!/bin/sh\n", executable=True)]
    write_archive(tmp_path / "a.zip", pack(members))
    subprocess.run(
        ["unzip", "-q", "a.zip", "-d", "out"], cwd=tmp_path, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert (tmp_path / "out/caf\u00e9/a.py").read_bytes() == b"x" * 500
    assert os.access(tmp_path / "out/run.sh", os.X_OK)


def test_more_files_than_a_zip_counts_are_refused(tmp_path):
    (packed,) = pack([Member("a", b"")])
    with pytest.raises(BundleError, match="65535"):
        write_archive(tmp_path / "a.zip", [packed] * 65_536)
    assert list(tmp_path.iterdir()) == []


def test_what_was_replaced_leaves_nothing_else_behind(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"former")
    with replacing(tmp_path / "a.zip") as file:
        file.write(b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.zip", b"new")]


def test_a_block_that_fails_leaves_the_former_file_and_nothing_else(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"former")

    def replace():
        with replacing(tmp_path / "a.zip") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.zip", b"former")]
