"""What a handler receives. Provider runtimes subclass ``Request`` and fill in how the native event is read.

Whatever a handler may not need (headers, query, cookies, form, trace) is read from the native event at its first use.
"""

from __future__ import annotations

from time import time

from multicloud.runtime.errors import HttpError
from multicloud.runtime.multidict import Headers, MultiDict, parse_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from multicloud.runtime.forms import UploadedFile

BODILESS = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods whose body is ignored: not every platform delivers it."""

SINGLE = ("authorization", "content-type", "host", "content-length")
"""Headers that must not be repeated (CONTRACT.md, R13); repeats arrive joined with a comma."""

HEX = frozenset("0123456789abcdef")

UNREAD: Any = object()
"""Stands for an identity that nobody has asked for yet."""


class Identity:
    """Who calls, one shape whoever verified it.

    subject: the caller's stable id. scopes: granted scopes. claims: the token's claims, empty for a key.
    api_key_id: which API key was used, if one was.
    """

    __slots__ = ("api_key_id", "claims", "scopes", "subject")

    def __init__(
        self,
        subject: str,
        scopes: Iterable[str] = (),
        claims: dict[str, Any] | None = None,
        api_key_id: str | None = None,
    ) -> None:
        self.subject = subject
        self.scopes = frozenset(scopes)
        self.claims = claims or {}
        self.api_key_id = api_key_id


class TraceContext:
    """W3C trace context. trace_id: 32 hex digits. parent_id: 16. sampled: bool. state: the tracestate header."""

    __slots__ = ("parent_id", "sampled", "state", "trace_id")

    def __init__(self, trace_id: str, parent_id: str, sampled: bool, state: str = "") -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.sampled = sampled
        self.state = state


class Request:
    """One HTTP request, the same on every provider.

    method: upper case, as sent. path: decoded once. route: the matched template. path_params: names to values. stage,
    provider: where this runs. raw: the native event, for what is not modelled here.
    Middleware may set further attributes for the handler to read.
    """

    # Class attributes are the values before something is read: an instance is made in a third of the time.
    route = ""
    stage = ""
    provider = ""
    path_params: dict[str, str] = {}  # noqa: RUF012 - the dispatcher sets one for each request
    is_checked = False  # whether the server has refused what is over the portable limits already
    _body = b""
    _headers: Headers | None = None
    _query: MultiDict | None = None
    _cookies: dict[str, str] | None = None
    _form: tuple[MultiDict, dict[str, UploadedFile]] | None = None
    _deadline: float | None = None
    _identity: Identity | None = UNREAD
    rate_limit: tuple[str, str] | None = None
    """What the answer says in ``RateLimit-Policy`` and ``RateLimit``, where a throttle or a quota counted it."""
    cloud_scheme = "Bearer"
    """The authentication scheme of the platform's own access management, for challenges."""

    def __init__(self, method: str, path: str, raw: Any) -> None:
        """Path is as the platform delivers it; the dispatcher decodes it where ``raw_path`` says that nobody has."""
        self.method = method
        self.path = path
        self.raw = raw

    # What a provider's subclass says about its native event.

    def plain_headers(self) -> dict[str, str]:
        """Return the header fields, names in lower case, repeats joined; without what ``cookie_parts`` returns."""
        raise NotImplementedError

    def cookie_parts(self) -> Sequence[str]:
        """Return the parts of Cookie where the platform delivers them apart from the other headers."""
        return ()

    def url_bytes(self) -> int:
        """Return the length of path, question mark and query, as delivered."""
        raise NotImplementedError

    def read_body(self, limit_bytes: int) -> bytes:
        """Return the body; may stop reading past the limit. Raises HttpError 400 if the event's encoding is wrong."""
        raise NotImplementedError

    @property
    def raw_path(self) -> str | None:
        """The path as sent, still percent-encoded; None where the platform lost that form."""
        raise NotImplementedError

    def read_query(self) -> Sequence[tuple[str, str]]:
        """Return decoded query pairs in order."""
        return parse_query(self.raw_query)

    async def receive_body(self, limit_bytes: int) -> bytes:
        """Return the body on a platform whose loop delivers it; as ``read_body`` otherwise."""
        return self.read_body(limit_bytes)

    def read_deadline(self) -> float:
        """Return when the platform ends this request, in UNIX time, seconds."""
        raise NotImplementedError

    @property
    def raw_query(self) -> str:
        """The query string as sent, without ``?``; rebuilt where the platform delivers pairs alone."""
        raise NotImplementedError

    @property
    def client_ip(self) -> str:
        """The caller's address, from the platform's own field."""
        raise NotImplementedError

    @property
    def request_id(self) -> str:
        """The platform's id of this request, as its own logs show it."""
        raise NotImplementedError

    def read_identity(self) -> Identity | None:
        """Return whom the platform's gateway has verified, None if it has not."""
        return None

    def cloud_identity(self) -> Identity | None:
        """Return whom the platform's own access management has let in, None if it was not asked."""
        return None

    # What follows from it.

    @property
    def identity(self) -> Identity | None:
        """The verified caller, None for an anonymous one. One shape, whoever verified it."""
        if self._identity is UNREAD:
            self._identity = self.read_identity()
        return self._identity

    @identity.setter
    def identity(self, identity: Identity | None) -> None:
        self._identity = identity

    @property
    def headers(self) -> Headers:
        """Header fields by case-insensitive name; repeats joined with a comma."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers(self.plain_headers())
            cookies = self.cookie_parts()
            if cookies:
                dict.__setitem__(headers, "cookie", "; ".join(cookies))
        return headers

    @property
    def query(self) -> MultiDict:
        """Query parameters, decoded; blanks kept."""
        query = self._query
        if query is None:
            query = self._query = MultiDict.from_pairs(self.read_query())
        return query

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name, the first of a name, values as sent without surrounding quotes."""
        if self._cookies is None:
            from multicloud.runtime.cookies import parse_cookies

            self._cookies = parse_cookies(self.headers.get("cookie", ""))
        return self._cookies

    def load_body(self, body: bytes, limit_bytes: int) -> None:
        """Take the body, for the dispatcher. Raises HttpError 413 if it is over the limit."""
        if len(body) > limit_bytes:
            raise HttpError(413, f"The body is over {limit_bytes} bytes.")
        self._body = body

    @property
    def body(self) -> bytes:
        """The body; empty for GET, HEAD and OPTIONS."""
        return self._body

    @property
    def text(self) -> str:
        """The body as UTF-8. Raises HttpError 415 if another charset is stated, 400 if it is not UTF-8."""
        content_type = self.headers.get("content-type", "")
        if "charset" in content_type:
            from multicloud.runtime.forms import parse_content_type

            charset = parse_content_type(content_type)[1].get("charset", "utf-8")
            if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
                raise HttpError(415, "The charset must be UTF-8.")
        try:
            return self._body.decode("utf-8")
        except UnicodeDecodeError:
            raise HttpError(400, "The body is not valid UTF-8.") from None

    def json(self) -> Any:
        """Parse the body, whatever the content type says. Raises HttpError 400 if it is not strict JSON."""
        from multicloud.runtime.json_body import loads

        return loads(self._body)

    @property
    def form(self) -> MultiDict:
        """Fields of an urlencoded or multipart body. Raises HttpError 415 for another type, 400 if malformed."""
        return self._parsed_form()[0]

    @property
    def files(self) -> dict[str, UploadedFile]:
        """Files of a multipart body by field name. Raises as ``form`` does."""
        return self._parsed_form()[1]

    def _parsed_form(self) -> tuple[MultiDict, dict[str, UploadedFile]]:
        if self._form is None:
            from multicloud.runtime.forms import parse_form

            self._form = parse_form(self.headers.get("content-type", ""), self._body)
        return self._form

    @property
    def trace(self) -> TraceContext | None:
        """The trace that this request belongs to, None if the caller sent no valid ``traceparent``."""
        return parse_traceparent(self.headers.get("traceparent", ""), self.headers.get("tracestate", ""))

    @property
    def deadline(self) -> float:
        """When the platform gives up on this request, in UNIX time, seconds."""
        if self._deadline is None:
            self._deadline = self.read_deadline()
        return self._deadline

    @property
    def remaining_seconds(self) -> float:
        """Seconds left until the deadline, never below zero."""
        return max(0.0, self.deadline - time())

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"


def check_headers(headers: dict[str, str]) -> None:
    """Raise HttpError 400 if a header that must be single was repeated. headers: joined, lower-case names."""
    for name in SINGLE:
        value = headers.get(name)
        if value is None or "," not in value:
            continue
        if name == "authorization" and value[:6].lower() not in ("bearer", "basic "):
            continue  # Digest and signature schemes hold commas of their own
        if name == "content-type" and '"' in value:
            continue  # a quoted parameter may hold a comma
        raise HttpError(400, f"The header {name} is repeated.")


def parse_traceparent(parent: str, state: str) -> TraceContext | None:
    """Return the trace context of W3C's headers, None if they are absent or malformed (Trace Context, section 3.2)."""
    parts = parent.split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    version, trace_id, parent_id, flags = parts[:4]
    if (
        version == "ff"
        or (version == "00" and len(parts) > 4)
        or not HEX.issuperset(version + trace_id + parent_id + flags)
    ):
        return None
    if not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    return TraceContext(trace_id, parent_id, bool(int(flags, 16) & 1), state)
