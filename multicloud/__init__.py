"""multicloud: define a serverless HTTP API once; run it on AWS, Google Cloud, Azure or your own machine.

The public names are resolved when first used (PEP 562): inside a function only the runtime's part exists, and importing
this package must cost nothing. There the model's policy values resolve to inert stand-ins.
"""

from __future__ import annotations

__version__ = "0.1.0"

_RUNTIME = {
    "Api": "recorder",
    "Cookie": "cookies",
    "Function": "recorder",
    "HttpError": "errors",
    "Identity": "request",
    "Request": "request",
    "Response": "response",
    "TraceContext": "request",
    "UploadedFile": "forms",
    "current_request": "context",
}
_MODEL = frozenset(
    (
        "PUBLIC",
        "Alarm",
        "ApiKeyAuthorizer",
        "Cdn",
        "Cors",
        "Domain",
        "Encryption",
        "FunctionAuthorizer",
        "IamAuthorizer",
        "JwtAuthorizer",
        "Logging",
        "Quota",
        "Throttle",
        "Tracing",
    )
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from multicloud.model import PUBLIC as PUBLIC
    from multicloud.model import Alarm as Alarm
    from multicloud.model import ApiDefinition as ApiDefinition
    from multicloud.model import ApiKeyAuthorizer as ApiKeyAuthorizer
    from multicloud.model import Cdn as Cdn
    from multicloud.model import Cors as Cors
    from multicloud.model import Domain as Domain
    from multicloud.model import Encryption as Encryption
    from multicloud.model import FunctionAuthorizer as FunctionAuthorizer
    from multicloud.model import IamAuthorizer as IamAuthorizer
    from multicloud.model import JwtAuthorizer as JwtAuthorizer
    from multicloud.model import Logging as Logging
    from multicloud.model import Quota as Quota
    from multicloud.model import Throttle as Throttle
    from multicloud.model import Tracing as Tracing
    from multicloud.project import Project as Project
    from multicloud.runtime.context import current_request as current_request
    from multicloud.runtime.cookies import Cookie as Cookie
    from multicloud.runtime.errors import BadGateway as BadGateway
    from multicloud.runtime.errors import BadRequest as BadRequest
    from multicloud.runtime.errors import Conflict as Conflict
    from multicloud.runtime.errors import ContentTooLarge as ContentTooLarge
    from multicloud.runtime.errors import ExpectationFailed as ExpectationFailed
    from multicloud.runtime.errors import FailedDependency as FailedDependency
    from multicloud.runtime.errors import Forbidden as Forbidden
    from multicloud.runtime.errors import GatewayTimeout as GatewayTimeout
    from multicloud.runtime.errors import Gone as Gone
    from multicloud.runtime.errors import HttpError as HttpError
    from multicloud.runtime.errors import HTTPVersionNotSupported as HTTPVersionNotSupported
    from multicloud.runtime.errors import InternalServerError as InternalServerError
    from multicloud.runtime.errors import LengthRequired as LengthRequired
    from multicloud.runtime.errors import Locked as Locked
    from multicloud.runtime.errors import MethodNotAllowed as MethodNotAllowed
    from multicloud.runtime.errors import MisdirectedRequest as MisdirectedRequest
    from multicloud.runtime.errors import NotAcceptable as NotAcceptable
    from multicloud.runtime.errors import NotFound as NotFound
    from multicloud.runtime.errors import PaymentRequired as PaymentRequired
    from multicloud.runtime.errors import PreconditionFailed as PreconditionFailed
    from multicloud.runtime.errors import PreconditionRequired as PreconditionRequired
    from multicloud.runtime.errors import RangeNotSatisfiable as RangeNotSatisfiable
    from multicloud.runtime.errors import RequestHeaderFieldsTooLarge as RequestHeaderFieldsTooLarge
    from multicloud.runtime.errors import RequestTimeout as RequestTimeout
    from multicloud.runtime.errors import ServiceUnavailable as ServiceUnavailable
    from multicloud.runtime.errors import TooEarly as TooEarly
    from multicloud.runtime.errors import TooManyRequests as TooManyRequests
    from multicloud.runtime.errors import Unauthorized as Unauthorized
    from multicloud.runtime.errors import UnavailableForLegalReasons as UnavailableForLegalReasons
    from multicloud.runtime.errors import UnprocessableContent as UnprocessableContent
    from multicloud.runtime.errors import UnsupportedMediaType as UnsupportedMediaType
    from multicloud.runtime.errors import UpgradeRequired as UpgradeRequired
    from multicloud.runtime.errors import URITooLong as URITooLong
    from multicloud.runtime.forms import UploadedFile as UploadedFile
    from multicloud.runtime.recorder import Api as Api
    from multicloud.runtime.recorder import Function as Function
    from multicloud.runtime.request import Identity as Identity
    from multicloud.runtime.request import Request as Request
    from multicloud.runtime.request import TraceContext as TraceContext
    from multicloud.runtime.response import Response as Response


def __getattr__(name: str) -> object:
    if name in _RUNTIME:
        found = getattr(_load(f"multicloud.runtime.{_RUNTIME[name]}"), name)
    elif name in _MODEL:
        found = getattr(_policies(), name)
    elif name == "ApiDefinition":
        found = _load("multicloud.model").ApiDefinition
    elif name == "Project":
        found = _load("multicloud.project").Project
    elif name[:1].isupper():
        found = _error_class(name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    from multicloud.runtime.errors import CLASSES

    names = {*_RUNTIME, *_MODEL, *CLASSES, "ApiDefinition", "Project"} - {"NotImplemented"}  # a builtin's name
    return sorted(names | {name for name in globals() if name.startswith("__")})


def _load(module: str) -> Any:
    """Import a module by name; importlib is not needed for it."""
    return __import__(module, None, None, ("*",))


def _policies() -> Any:
    """Return the model, or inside a function its stand-ins."""
    try:
        return _load("multicloud.model")
    except ModuleNotFoundError as error:
        if error.name != "multicloud.model":
            raise  # the model is here and lacks a package of its own
        return _load("multicloud.runtime.standins")


def _error_class(name: str) -> object:
    from multicloud.runtime.errors import error_class

    try:
        return error_class(name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
