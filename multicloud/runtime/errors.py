"""What a handler raises to answer with an error, and how an error becomes problem+json (RFC 9457).

``NotFound``, ``Conflict`` and the other classes bear HTTP's reason phrases. They are made when first named: a class
costs about 15 us to create, and a cold start needs two of the forty.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}
"""Reason phrases of the error status codes, from the IANA registry (RFC 9110, 6585, 7725, 8470)."""

CLASSES = {phrase.replace(" ", ""): status for status, phrase in REASONS.items()}
"""Class name to status code."""

MEMBERS = frozenset(("type", "title", "status", "detail", "request_id"))


class HttpError(Exception):
    """An answer with an error status, raised from a handler or middleware.

    status_code: 400 to 599. detail: one sentence for people; the reason phrase if absent. headers: further response
    headers. Other keywords become extension members of the problem document.
    Raises ValueError if the status is no error or an extension bears the name of a standard member.
    """

    def __init__(
        self, status_code: int, detail: str = "", *, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        if not 400 <= status_code <= 599:
            raise ValueError(f"status_code: expected 400 to 599, got {status_code}")
        if not MEMBERS.isdisjoint(extensions):
            taken = ", ".join(sorted(MEMBERS & extensions.keys()))
            raise ValueError(f"extensions: {taken} already mean something in a problem document")
        super().__init__(status_code, detail)
        self.status_code = status_code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = extensions

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)

    def problem(self, request_id: str) -> dict[str, Any]:
        """Return the problem document, its members in the order that every provider sends."""
        title = REASONS.get(self.status_code, "Error")
        return {
            "type": "about:blank",
            "title": title,
            "status": self.status_code,
            "detail": self.detail or title,
            "request_id": request_id,
            **self.extensions,
        }


def _restore(cls: type[HttpError], arguments: tuple[Any, ...], state: dict[str, Any]) -> HttpError:
    """Return an error as it was when it was copied or pickled; a subclass's __init__ may take other arguments."""
    error = cls.__new__(cls, *arguments)
    error.__dict__.update(state)
    return error


def error_class(name: str) -> type[HttpError]:
    """Return the class of a reason phrase, made at its first use. Raises AttributeError if there is no such phrase."""
    status = CLASSES.get(name)
    if status is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    known: type[HttpError] | None = globals().get(name)
    if known is not None:
        return known

    def init(self: HttpError, detail: str = "", *, headers: Mapping[str, str] | None = None, **extensions: Any) -> None:
        HttpError.__init__(self, status, detail, headers=headers, **extensions)

    made = type(name, (HttpError,), {"__init__": init, "__module__": __name__, "__doc__": f"Answers {status}."})
    first: type[HttpError] = globals().setdefault(name, made)  # another thread may have been quicker
    return first


__getattr__ = error_class

if TYPE_CHECKING:

    class ReasonError(HttpError):
        """What every class below is to a type checker."""

        def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None, **extensions: Any) -> None:
            """Take what HttpError takes, less the status."""

    class BadRequest(ReasonError): ...  # noqa: D101 - the reason phrase says it; so below

    class Unauthorized(ReasonError): ...  # noqa: D101

    class PaymentRequired(ReasonError): ...  # noqa: D101

    class Forbidden(ReasonError): ...  # noqa: D101

    class NotFound(ReasonError): ...  # noqa: D101

    class MethodNotAllowed(ReasonError): ...  # noqa: D101

    class NotAcceptable(ReasonError): ...  # noqa: D101

    class RequestTimeout(ReasonError): ...  # noqa: D101

    class Conflict(ReasonError): ...  # noqa: D101

    class Gone(ReasonError): ...  # noqa: D101

    class LengthRequired(ReasonError): ...  # noqa: D101

    class PreconditionFailed(ReasonError): ...  # noqa: D101

    class ContentTooLarge(ReasonError): ...  # noqa: D101

    class URITooLong(ReasonError): ...  # noqa: D101

    class UnsupportedMediaType(ReasonError): ...  # noqa: D101

    class RangeNotSatisfiable(ReasonError): ...  # noqa: D101

    class ExpectationFailed(ReasonError): ...  # noqa: D101

    class MisdirectedRequest(ReasonError): ...  # noqa: D101

    class UnprocessableContent(ReasonError): ...  # noqa: D101

    class Locked(ReasonError): ...  # noqa: D101

    class FailedDependency(ReasonError): ...  # noqa: D101

    class TooEarly(ReasonError): ...  # noqa: D101

    class UpgradeRequired(ReasonError): ...  # noqa: D101

    class PreconditionRequired(ReasonError): ...  # noqa: D101

    class TooManyRequests(ReasonError): ...  # noqa: D101

    class RequestHeaderFieldsTooLarge(ReasonError): ...  # noqa: D101

    class UnavailableForLegalReasons(ReasonError): ...  # noqa: D101

    class InternalServerError(ReasonError): ...  # noqa: D101

    class BadGateway(ReasonError): ...  # noqa: D101

    class ServiceUnavailable(ReasonError): ...  # noqa: D101

    class GatewayTimeout(ReasonError): ...  # noqa: D101

    class HTTPVersionNotSupported(ReasonError): ...  # noqa: D101
