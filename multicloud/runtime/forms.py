"""Form bodies: urlencoded and multipart/form-data (RFC 7578). Imported when a handler first reads a form."""

from __future__ import annotations

from multicloud.runtime.errors import HttpError
from multicloud.runtime.multidict import MultiDict, parse_query

MAX_PARTS = 1000
"""Parts of one multipart body; more is 413. A bound on work, far above any real form."""


class UploadedFile:
    """One file of a multipart form. filename: as sent by the client, never a path to trust. content: bytes."""

    __slots__ = ("content", "content_type", "filename")

    def __init__(self, filename: str, content_type: str, content: bytes) -> None:
        self.filename = filename
        self.content_type = content_type
        self.content = content

    def __repr__(self) -> str:
        return f"UploadedFile({self.filename!r}, {self.content_type!r}, {len(self.content)} bytes)"


def parse_form(content_type: str, body: bytes) -> tuple[MultiDict, dict[str, UploadedFile]]:
    """Return (fields, files) of a form body. Raises HttpError 415 for another media type, 400 for a malformed body."""
    media_type, parameters = parse_content_type(content_type)
    if media_type == "application/x-www-form-urlencoded":
        return MultiDict.from_pairs(parse_query(_text(body))), {}
    if media_type == "multipart/form-data":
        boundary = parameters.get("boundary", "")
        if not 1 <= len(boundary) <= 70:  # RFC 2046, section 5.1.1
            raise HttpError(400, "The multipart boundary is missing or longer than 70 characters.")
        return _multipart(body, b"--" + boundary.encode("latin-1", "replace"))
    raise HttpError(415, "Expected application/x-www-form-urlencoded or multipart/form-data.")


def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
    """Return (media type, parameters), names in lower case (RFC 9110, section 8.3.1)."""
    media_type, *rest = _split_parameters(value)
    parameters = {}
    for part in rest:
        name, _, text = part.partition("=")
        text = text.strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        parameters[name.strip().lower()] = text
    return media_type.strip().lower(), parameters


def _split_parameters(value: str) -> list[str]:
    """Split at semicolons outside quoted strings."""
    parts, current, quoted, escaped = [], "", False, False
    for char in value:
        if char == ";" and not quoted:
            parts.append(current)
            current = ""
            continue
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and quoted and not escaped
        current += char
    return [*parts, current]


def _multipart(body: bytes, delimiter: bytes) -> tuple[MultiDict, dict[str, UploadedFile]]:
    chunks = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(chunks) < 2 or chunks[-1][:2] != b"--":
        raise HttpError(400, "The multipart body does not end with its boundary.")
    if len(chunks) > MAX_PARTS + 2:
        raise HttpError(413, f"The form has more than {MAX_PARTS} parts.")
    fields: list[tuple[str, str]] = []
    files: dict[str, UploadedFile] = {}
    for chunk in chunks[1:-1]:
        name, filename, content_type, content = _part(chunk)
        if filename is None:
            fields.append((name, _text(content)))
        else:
            files[name] = UploadedFile(filename, content_type, content)
    return MultiDict.from_pairs(fields), files


def _part(chunk: bytes) -> tuple[str, str | None, str, bytes]:
    """Return (name, filename or None, content type, content) of one part."""
    padding, newline, rest = chunk.partition(b"\r\n")
    head, blank, content = rest.partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not newline or not blank:
        raise HttpError(400, "A part of the multipart body is malformed.")
    headers = {}
    for line in _text(head).split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    kind, parameters = parse_content_type(headers.get("content-disposition", ""))
    if kind != "form-data" or "name" not in parameters:
        raise HttpError(400, "A part of the multipart body has no name.")
    content_type = headers.get("content-type", "text/plain")
    return parameters["name"], parameters.get("filename"), content_type, content


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise HttpError(400, "The form is not valid UTF-8.") from None
