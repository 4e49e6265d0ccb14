"""Percent-decoding of paths and queries, by the contract's rules. In place of urllib.parse, which costs 2 ms to import."""

from __future__ import annotations

from multicloud.runtime.errors import HttpError

_DIGITS = "0123456789abcdefABCDEF"
HEX = {f"{high}{low}".encode(): bytes((int(high + low, 16),)) for high in _DIGITS for low in _DIGITS}


def unquote_to_bytes(text: str) -> bytes:
    """Undo percent-encoding once. What is no valid escape stays as it is."""
    done, *rest = text.encode("utf-8", "replace").split(b"%")
    for part in rest:
        escape = part[:2]
        done += HEX[escape] + part[2:] if escape in HEX else b"%" + part
    return done


def unquote(text: str) -> str:
    """Undo percent-encoding once; bytes that are not UTF-8 become U+FFFD."""
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def parse_query(raw: str) -> list[tuple[str, str]]:
    """Split a raw query string into pairs, in order: blanks kept, ``+`` is a space, empty parts skipped."""
    pairs = []
    for part in raw.split("&"):
        if part:
            if "+" in part:
                part = part.replace("+", " ")
            name, _, value = part.partition("=")
            if "%" in part:
                name, value = unquote(name), unquote(value)
            pairs.append((name, value))
    return pairs


def decode_path(raw: str, encoded: bool) -> str:
    """Return the path decoded exactly once. encoded: whether the platform left that to us.

    Raises HttpError 400 for what no provider can route alike: bytes that are not UTF-8 (an HTTP API of AWS delivers them
    as U+FFFD, so that character is refused too), control characters, and ``.`` or ``..`` segments.
    """
    path = raw
    if encoded and "%" in raw:
        try:
            path = unquote_to_bytes(raw).decode("utf-8")
        except UnicodeDecodeError:
            raise HttpError(400, "The path is not valid UTF-8.") from None
    if path.isascii() and path.isprintable() and "/." not in path:
        return path
    return check_path(path)


def check_path(path: str) -> str:
    """Return the decoded path, or raise HttpError 400 as ``decode_path`` says."""
    if any(char < " " or char == "\x7f" for char in path):
        raise HttpError(400, "The path holds a control character.")
    if any(char == "\ufffd" or "\ud800" <= char <= "\udfff" for char in path):
        raise HttpError(400, "The path is not valid UTF-8.")
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise HttpError(400, "The path holds a '.' or '..' segment.")
    return path
