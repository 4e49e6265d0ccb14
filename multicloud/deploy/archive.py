"""Zip archives whose bytes follow from their members alone: the last step of a bundle, and the shape of what is cached.

A member is packed (deflated) once, on its own; an archive is packed members behind one another. So what did not
change is copied from the archive of the last run, still deflated. Two archives of equal members are the same bytes
whatever the order, clock, umask or owner of the files, as long as the same zlib deflates them.

The standard library's zipfile would do, but can neither deflate on several processors nor copy a deflated member.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from multicloud.errors import BundleError

MOST_MEMBERS = 65_535
"""How many files an archive holds at most: the plain zip format counts them in 16 bits (APPNOTE.TXT 4.4.21)."""

_LARGEST = 0xFFFF_FFFF  # bytes of a member and of an archive: 32 bits in the plain zip format
_LEVEL = 6  # level 9 takes twice as long for half a percent, level 1 makes archives a sixth larger
_DATE = 1 << 5 | 1  # 1980-01-01, the earliest date that the format knows
_WORTH_THREADS = 256_000  # bytes; less deflates faster than threads start
_VERSION, _UNIX, _UTF8_NAME = 20, 3, 1 << 11


@attrs.frozen
class Member:
    """A file of a bundle. name: its path inside the zip, ``/`` between folders."""

    name: str
    content: bytes = attrs.field(repr=False)
    executable: bool = False


@attrs.frozen
class Packed:
    """A member as it stands in an archive. size: bytes before deflating. deflated: False if stored as it is."""

    name: str
    executable: bool
    crc: int
    size: int
    deflated: bool
    stream: bytes = attrs.field(repr=False)


def pack(members: Sequence[Member]) -> list[Packed]:
    """Deflate members, on all processors if there is much of it. Returns them in the order given."""
    if sum(len(member.content) for member in members) < _WORTH_THREADS:
        return [_pack(member) for member in members]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib lets go of the interpreter's lock
        return list(pool.map(_pack, members))


def _pack(member: Member) -> Packed:
    size = len(member.content)
    if size > _LARGEST:
        raise BundleError(f"{member.name}: {size} bytes, but a file inside a zip has at most {_LARGEST}")
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    stream = deflate.compress(member.content) + deflate.flush()
    deflated = len(stream) < size
    crc = zlib.crc32(member.content)
    return Packed(member.name, member.executable, crc, size, deflated, stream if deflated else member.content)


def write_archive(path: Path, packed: Iterable[Packed]) -> str:
    """Write an archive, sorted by name, in one step that is either done or not. Returns its SHA-256 in hexadecimal.

    Raises BundleError if it is more than the plain zip format holds.
    """
    members = sorted(packed, key=lambda member: member.name.encode())
    if len(members) > MOST_MEMBERS or sum(len(member.stream) for member in members) > _LARGEST:
        raise BundleError(f"{path.name}: more than a zip holds, {MOST_MEMBERS} files and {_LARGEST} bytes")
    digest, offset, directory = hashlib.sha256(), 0, bytearray()
    with replacing(path) as file:
        for member in members:
            name, header = member.name.encode(), _header(member)
            record = b"PK\3\4" + header + name + member.stream
            mode = stat.S_IFREG | (0o755 if member.executable else 0o644)
            directory += b"PK\1\2" + bytes((_VERSION, _UNIX)) + header
            directory += struct.pack("<3H2L", 0, 0, 0, mode << 16, offset) + name
            offset += len(record)
            file.write(record)
            digest.update(record)
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(members), len(members), len(directory), offset, 0)
        file.write(directory + end)
        digest.update(directory + end)
    return digest.hexdigest()


def _header(member: Packed) -> bytes:
    """Return what a member's record and its line in the directory have in common (APPNOTE.TXT 4.3.7, 4.3.12)."""
    name = member.name.encode()
    method = zipfile.ZIP_DEFLATED if member.deflated else zipfile.ZIP_STORED
    flags = 0 if member.name.isascii() else _UTF8_NAME
    sizes = len(member.stream), member.size
    return struct.pack("<5H3L2H", _VERSION, flags, method, 0, _DATE, member.crc, *sizes, len(name), 0)


def archive_size(packed: Iterable[Packed]) -> int:
    """Return how many bytes ``write_archive`` would write."""
    return 22 + sum(len(member.stream) + 76 + 2 * len(member.name.encode()) for member in packed)


def read_archive(path: Path) -> list[Packed]:
    """Return the members of an archive that ``write_archive`` wrote, still deflated.

    Raises OSError or zipfile.BadZipFile if it is not there or is damaged.
    """
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return [_read(content, entry) for entry in archive.infolist()]


def _read(content: bytes, entry: zipfile.ZipInfo) -> Packed:
    name_length, extra_length = struct.unpack_from("<2H", content, entry.header_offset + 26)
    start = entry.header_offset + 30 + name_length + extra_length
    return Packed(
        name=entry.filename,
        executable=bool(entry.external_attr >> 16 & stat.S_IXUSR),
        crc=entry.CRC,
        size=entry.file_size,
        deflated=entry.compress_type == zipfile.ZIP_DEFLATED,
        stream=content[start : start + entry.compress_size],
    )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of path when the block ends well, and vanishes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
