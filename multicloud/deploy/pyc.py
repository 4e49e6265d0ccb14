"""Source to .pyc with the same bytes every time. Also a program, run by the Python that a function will run on.

A .pyc holds references to its own objects, and which objects can be referred to depends on who else in the process
uses them: so the bytes that ``py_compile`` writes differ between two runs. Here nothing of that is left to chance.
The .pyc are "unchecked" (PEP 552): valid whatever the date of the source, as a zip's dates mean nothing.

As a program it speaks in frames over stdin and stdout, a frame being four bytes of length and the content. In: pairs
of name and source. Out: its Python version and its path, then for each pair the .pyc, or an empty frame and the reason.
It imports the standard library alone and runs on any Python since 3.10.
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
    held: list[object] = []
    _hold(code, held)
    header = importlib.util.MAGIC_NUMBER + struct.pack("<L", _UNCHECKED) + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def _hold(item: object, held: list[object]) -> None:
    """Keep each string of a code object in use once more, so that ``marshal`` marks every one as referred to."""
    if isinstance(item, str):
        held.append(item)
    elif isinstance(item, (tuple, frozenset)):
        for inner in item:
            _hold(inner, held)
    elif isinstance(item, type(_hold.__code__)):
        for inner in (item.co_names, item.co_varnames, item.co_cellvars, item.co_freevars, item.co_consts):
            _hold(inner, held)
        held.extend((item.co_filename, item.co_name, getattr(item, "co_qualname", "")))


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
