"""Source to .pyc with the same bytes every time. Also a program, run by the Python that a function will run on.

The name in it is the path inside the zip, never one of this machine, and the .pyc is "unchecked" (PEP 552): valid
whatever the date of the source, as a zip's dates mean nothing. What else the process compiled must not show either:
that is seen to below.

The SDK's own runtime is compiled lean: without docstrings, annotations and columns, which a function never looks at and
every cold start would read. Its .pyc stand in place of the sources, so that a hello is 60 kB.

As a program it speaks in frames over stdin and stdout, a frame being four bytes of length and the content. In: pairs
of name and source; ``--lean`` is its one argument. Out: its Python version and its path, then for each pair the .pyc,
or an empty frame and the reason. It imports the standard library alone and runs on any Python since 3.11.
"""

from __future__ import annotations

import ast
import gc
import importlib.util
import marshal
import struct
import sys
import warnings
from types import CodeType

_UNCHECKED = 1  # PEP 552: bit 0 says that a hash stands where the date would, bit 1 that it be checked

_FORMAT = 2 if sys.version_info >= (3, 13) else marshal.version
"""What marshal writes. Since 3.13 chance decides which objects it marks as fit to be referred to (CPython issue 98819);
format 2 knows no references. It takes a third longer to read, so it is not used where it is not needed."""

for _code in range(256):
    sys.intern(chr(_code))  # CPython has one object for each: whether it is interned would show in the .pyc


def compile_source(name: str, source: bytes, *, lean: bool = False) -> bytes:
    """Return the .pyc of a module. name: its path inside the zip. lean: as the module's docstring says.

    Raises SyntaxError or ValueError if it has none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if lean:
            tree = _WithoutTypes().visit(_parse(name, source))
            code = without_columns(compile(tree, name, "exec", dont_inherit=True, optimize=2))
        else:
            code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + struct.pack("<L", _UNCHECKED) + importlib.util.source_hash(source)
    return header + marshal.dumps(code, _FORMAT)


def _parse(name: str, source: bytes) -> ast.Module:
    """Parse with the collector at rest: CPython 3.11 fails if a finalizer parses meanwhile, as a printed trace does."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source, name)
    finally:
        if is_enabled:
            gc.enable()


class _WithoutTypes(ast.NodeTransformer):
    """Removes annotations and what stands under ``if TYPE_CHECKING``."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_If(self, node: ast.If) -> ast.AST:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)


def without_columns(code: CodeType) -> CodeType:
    """Return code whose traces name lines alone: half the size. CPython's Objects/locations.md has the format."""
    table, line = bytearray(), code.co_firstlineno
    for start, end, number in code.co_lines():
        for units in _pieces((end - start) // 2):
            if number is None:
                table.append(0x80 | 15 << 3 | units - 1)
            else:
                table.append(0x80 | 13 << 3 | units - 1)
                table += _signed(number - line)
                line = number
    constants = tuple(without_columns(item) if isinstance(item, CodeType) else item for item in code.co_consts)
    return code.replace(co_linetable=bytes(table), co_consts=constants)


def _pieces(units: int) -> list[int]:
    """Split a length into what one entry of the table can state."""
    return [8] * (units // 8) + ([units % 8] if units % 8 else [])


def _signed(number: int) -> bytes:
    """Return the table's variable-length form of a number: six bits a byte, the sign in the lowest."""
    rest, encoded = (-number << 1 | 1) if number < 0 else number << 1, bytearray()
    while rest >= 0x40:
        encoded.append(0x40 | rest & 0x3F)
        rest >>= 6
    encoded.append(rest)
    return bytes(encoded)


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
            write(frame(compile_source(name.decode(), source, lean="--lean" in sys.argv[1:])))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            write(frame(b"") + frame(str(error).encode("utf-8", "replace")))


if __name__ == "__main__":
    main()
