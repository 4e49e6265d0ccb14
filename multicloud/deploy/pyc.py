"""Source to .pyc with the same bytes every time. Also a program, run by the Python that a function will run on.

The name in it is the path inside the zip, never one of this machine, and the .pyc is "unchecked" (PEP 552): valid
whatever the date of the source, as a zip's dates mean nothing. Since Python 3.11 what else the process compiled does
not show in the rest, with the one exception that is seen to below.

As a program it speaks in frames over stdin and stdout, a frame being four bytes of length and the content. In: pairs
of name and source. Out: its Python version and its path, then for each pair the .pyc, or an empty frame and the reason.
It imports the standard library alone and runs on any Python since 3.11.
"""

from __future__ import annotations

import importlib.util
import marshal
import struct
import sys
import warnings

_UNCHECKED = 1  # PEP 552: bit 0 says that a hash stands where the date would, bit 1 that it be checked

for _code in range(256):
    sys.intern(chr(_code))  # CPython has one object for each: whether it is interned would show in the .pyc


def compile_source(name: str, source: bytes) -> bytes:
    """Return the .pyc of a module. name: its path inside the zip. Raises SyntaxError or ValueError if it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + struct.pack("<L", _UNCHECKED) + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def frame(content: bytes) -> bytes:
    """Return content behind its length."""
    return struct.pack("<L", len(content)) + content


def frames(stream: bytes) -> list[bytes]:
    """Return what ``frame`` joined. Raises struct.error or ValueError if the stream ends early."""
    found, position = [], 0
    while position < len(stream):
        (length,) = struct.unpack_from("<L", stream, position)
        position += 4 + length
        if position > len(stream):
            raise ValueError("the stream ends inside a frame")
        found.append(stream[position - length : position])
    return found


def main() -> None:
    """Answer the frames on stdin."""
    write = sys.stdout.buffer.write
    write(frame(f"{sys.version_info[0]}.{sys.version_info[1]}".encode()) + frame(sys.executable.encode()))
    pairs = iter(frames(sys.stdin.buffer.read()))
    for name, source in zip(pairs, pairs, strict=True):
        try:
            write(frame(compile_source(name.decode(), source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            write(frame(b"") + frame(str(error).encode("utf-8", "replace")))


if __name__ == "__main__":
    main()
