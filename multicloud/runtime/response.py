"""What a handler answers: ``Response``, and how other results become one."""

from __future__ import annotations

import sys
from json.encoder import (  # type: ignore[attr-defined] # typeshed leaves c_make_encoder out
    JSONEncoder,
    c_make_encoder,
    encode_basestring,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
    from typing import Any

    from multicloud.runtime.cookies import Cookie, Cookies

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""Characters of a token (RFC 9110, section 5.6.2)."""
BODILESS_STATUS = frozenset((204, 304))


def encode_value(value: Any) -> Any:
    """Return the JSON form of a value that json does not know. Raises TypeError if it has none.

    attrs, dataclass and pydantic instances become objects, date, time and datetime ISO 8601, UUID and Decimal strings,
    an Enum its value. No class is imported for this: a value of a class can only exist when its module is loaded.
    """
    fields = getattr(type(value), "__attrs_attrs__", None)
    if fields is not None:
        return {field.name: getattr(value, field.name) for field in fields}
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(value, name) for name in fields if fields[name]._field_type.name == "_FIELD"}
    if hasattr(type(value), "__pydantic_serializer__"):
        return value.model_dump(mode="json")
    for module, names, convert in _CONVERSIONS:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(value, tuple(getattr(loaded, name) for name in names)):
            return convert(value)
    raise TypeError(f"{type(value).__qualname__} has no JSON form")


_CONVERSIONS: tuple[tuple[str, tuple[str, ...], Callable[[Any], Any]], ...] = (
    ("datetime", ("date", "time"), lambda value: value.isoformat()),
    ("uuid", ("UUID",), str),
    ("decimal", ("Decimal",), str),
    ("enum", ("Enum",), lambda value: value.value),
)

if c_make_encoder is not None:
    # What JSONEncoder.encode builds anew at each call. No circle check (the first argument): a circle ends in
    # RecursionError, and one shared table of markers would not bear two threads.
    _chunks = c_make_encoder(None, encode_value, encode_basestring, None, ":", ",", False, False, False)

    def dumps(value: Any) -> bytes:
        """Return compact UTF-8 JSON. Raises TypeError, ValueError (NaN) or RecursionError for what has none."""
        return "".join(_chunks(value, 0)).encode("utf-8")

else:
    _encoder = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=encode_value)

    def dumps(value: Any) -> bytes:
        """Return compact UTF-8 JSON. Raises TypeError, ValueError (NaN) or RecursionError for what has none."""
        return _encoder.encode(value).encode("utf-8")


class ResponseHeaders:
    """Header fields of a response: case-insensitive, checked when set. Set-Cookie has its own place."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __setitem__(self, name: str, value: str) -> None:
        name = check_name(name)
        if name == "set-cookie":
            raise ValueError("set-cookie: use Response(cookies=...) or response.set_cookie(...)")
        self._values[name] = check_value(name, value)

    def put(self, name: str, value: str) -> None:
        """Set a header of the SDK's own, in lower case and known to be well formed."""
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name.lower()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return a header's value, or the default."""
        return self._values.get(name.lower(), default)

    def add(self, name: str, value: str) -> None:
        """Set a header, or append to it with a comma: repeated headers are joined on every provider."""
        present = self._values.get(name.lower())
        self[name] = value if present is None else f"{present}, {value}"

    def items(self) -> list[tuple[str, str]]:
        """Return the pairs, names in lower case."""
        return list(self._values.items())


class Response:
    """One answer.

    body: bytes, str (UTF-8), dict, list or anything with a JSON form, None, or an iterator of chunks, which streams
    where the platform can. status_code: 200 to 599. headers: mapping or pairs. cookies: mapping of name to value, or a
    list of ``Cookie``. content_type: by the body's type unless given.
    Raises ValueError or TypeError for what could not be sent.
    """

    __slots__ = ("_headers", "body", "content_type", "cookies", "status_code", "stream")

    body: bytes
    status_code: int
    content_type: str | None
    cookies: list[Cookie] | None
    stream: Iterable[Any] | AsyncIterable[Any] | None

    def __init__(
        self,
        body: Any = None,
        status_code: int = 200,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        cookies: Cookies | None = None,
        content_type: str | None = None,
    ) -> None:
        if type(status_code) is not int or not 200 <= status_code <= 599:
            status_code = check_status(status_code)
        self.status_code = status_code
        self.body, self.content_type, self.stream = encode(body)
        if content_type is not None:
            self.content_type = check_value("content-type", content_type)
        self._headers: ResponseHeaders | None = None
        self.cookies = None
        if headers:
            self._take(headers)
        if cookies:
            from multicloud.runtime.cookies import as_cookies

            self.cookies = [*(self.cookies or ()), *as_cookies(cookies)]

    def _take(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        """Set headers; a raw Set-Cookie becomes a Cookie, a content type takes the body's place."""
        pairs = headers.items() if hasattr(headers, "items") else headers
        for name, value in pairs:
            lower = name.lower()
            if lower == "set-cookie":
                from multicloud.runtime.cookies import parse_set_cookie

                self.cookies = [*(self.cookies or ()), parse_set_cookie(value)]
            elif lower == "content-type":
                self.content_type = check_value(lower, value)
            else:
                self.headers.add(name, value)

    @property
    def headers(self) -> ResponseHeaders:
        """Further headers, to read and to set. The content type is ``content_type``."""
        headers = self._headers
        if headers is None:
            headers = self._headers = ResponseHeaders()
        return headers

    def set_cookie(self, cookie: Cookie) -> None:
        """Add a Set-Cookie."""
        self.cookies = [*(self.cookies or ()), cookie]

    def header_dict(self) -> dict[str, str]:
        """Return every header but Set-Cookie, the content type first, names in lower case."""
        found = {} if self.content_type is None else {"content-type": self.content_type}
        if self._headers is not None:
            found.update(self._headers.items())
        return found

    def header_items(self) -> list[tuple[str, str]]:
        """Return ``header_dict`` as pairs."""
        return list(self.header_dict().items())

    def set_cookie_values(self, *, encode_value: bool = True) -> list[str]:
        """Return the Set-Cookie values in order."""
        return [cookie.header(encode_value=encode_value) for cookie in self.cookies or ()]

    def __repr__(self) -> str:
        return f"<Response {self.status_code}>"


def encode(body: Any) -> tuple[bytes, str | None, Any]:
    """Return (bytes, content type, stream) of a body. Raises TypeError or ValueError if it has no JSON form."""
    if type(body) is dict:
        return dumps(body), JSON, None
    if isinstance(body, str):
        return body.encode("utf-8"), TEXT, None
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), BINARY, None
    if body is None:
        return b"", None, None
    if hasattr(body, "__next__") or hasattr(body, "__anext__"):
        return b"", BINARY, body
    return dumps(body), JSON, None


def json_response(body: Any) -> Response:
    """Return ``Response(body)`` for a dict, without the checks that it cannot fail."""
    response = Response.__new__(Response)
    response.status_code = 200
    response.body = dumps(body)
    response.content_type = JSON
    response._headers = response.cookies = response.stream = None
    return response


def to_response(result: Any) -> Response:
    """Return the Response for whatever a handler returned: CONTRACT.md, "Results".

    Raises TypeError or ValueError for a result that has no meaning.
    """
    if type(result) is dict:
        return json_response(result)
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(None, 204)
    if isinstance(result, tuple):
        if len(result) != 2:
            raise TypeError(f"a handler's tuple is (body, status_code); got {len(result)} values")
        body, status_code = result
        if isinstance(body, Response):
            raise TypeError("a handler's tuple is (body, status_code); got a Response in place of the body")
        return Response(body, status_code)
    if isinstance(result, (int, float, bool)):
        raise TypeError(
            f"a handler returned {type(result).__name__}; return a dict, list, str, bytes, None or Response"
        )
    return Response(result)


def check_status(status_code: Any) -> int:
    """Return the status as int. Raises ValueError unless it is an integer from 200 to 599."""
    if isinstance(status_code, bool) or not isinstance(status_code, int) or not 200 <= status_code <= 599:
        raise ValueError(f"status_code: expected an integer from 200 to 599, got {status_code!r}")
    return int(status_code)


def check_name(name: str) -> str:
    """Return a header name in lower case. Raises ValueError if it is no token (RFC 9110, section 5.1)."""
    if not name or not TOKEN.issuperset(name):
        raise ValueError(f"header name: expected an HTTP token, got {name!r}")
    return name.lower()


def check_value(name: str, value: str) -> str:
    """Return a header value. Raises ValueError for control characters or what is not latin-1; TypeError for no str."""
    if not isinstance(value, str):
        raise TypeError(f"header {name}: expected str, got {type(value).__name__}")
    if value.isascii() and value.isprintable():
        return value.strip()
    if any((char < " " and char != "\t") or char == "\x7f" or char > "\xff" for char in value):
        raise ValueError(f"header {name}: the value holds a control character or one outside latin-1")
    return value.strip(" \t")
