"""AWS Lambda: events of an HTTP API (payload 2.0 and 1.0), a REST API, a Function URL and a load balancer, to and fro.

Ships in the function. Which kind an event is shows in the event itself, so one bundle serves all of them.
Event formats: API Gateway developer guide, "Working with AWS Lambda proxy integrations for HTTP APIs" and "Set up
Lambda proxy integrations in API Gateway"; Elastic Load Balancing, "Lambda functions as targets".
"""

from __future__ import annotations

from time import time

from multicloud.runtime.application import Application
from multicloud.runtime.errors import HttpError
from multicloud.runtime.multidict import join_headers, unquote
from multicloud.runtime.request import Identity, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from multicloud.runtime.loops import Loop
    from multicloud.runtime.response import Response

    Event = dict[str, Any]

TEXT_TYPES = ("application/json", "application/problem+json")
SAFE_IN_QUERY = frozenset(b"!$'()*,-./0123456789:;?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
"""RFC 3986, section 3.4, but for what separates pairs."""


class AwsRequest(Request):
    """A request of payload format 2.0: HTTP APIs and Function URLs."""

    def __init__(self, method: str, path: str, event: Event, context: Any) -> None:
        self.method = method
        self.path = path
        self.raw = event
        self._context = context

    @property
    def raw_path(self) -> str | None:
        """The event's path if this kind of gateway has not decoded it: a Function URL has not, an HTTP API has."""
        encoded = ".lambda-url." in str(self.raw["requestContext"].get("domainName"))
        return self.raw["rawPath"] if encoded else None

    def plain_headers(self) -> dict[str, str]:
        """Return the event's headers."""
        return self.raw.get("headers") or {}

    def cookie_parts(self) -> Sequence[str]:
        """Return the event's cookies, which payload 2.0 delivers as a list of their own."""
        return self.raw.get("cookies") or ()

    @property
    def raw_query(self) -> str:
        """The event's rawQueryString."""
        return self.raw.get("rawQueryString") or ""

    def url_bytes(self) -> int:
        """Return the length of path and raw query."""
        query = self.raw.get("rawQueryString")
        return len(self.path) + (len(query) + 1 if query else 0)

    def read_body(self, limit_bytes: int) -> bytes:
        """Return the event's body, base64 undone strictly."""
        body = self.raw.get("body")
        if not body:
            return b""
        try:
            if not self.raw.get("isBase64Encoded"):
                return body.encode("utf-8")  # type: ignore[no-any-return] # an event's values have no static type
            from binascii import a2b_base64

            return a2b_base64(body, strict_mode=True)
        except ValueError:  # binascii.Error and UnicodeEncodeError are
            raise HttpError(400, "The body's encoding is not valid.") from None

    def read_deadline(self) -> float:
        """Return when Lambda ends this invocation."""
        return time() + self._context.get_remaining_time_in_millis() / 1000  # type: ignore[no-any-return]

    @property
    def client_ip(self) -> str:
        """The event's source address."""
        return str(self.raw["requestContext"]["http"].get("sourceIp") or "")

    @property
    def request_id(self) -> str:
        """Lambda's request id, which its log lines bear."""
        return getattr(self._context, "aws_request_id", None) or ""

    cloud_scheme = "AWS4-HMAC-SHA256"

    def read_identity(self) -> Identity | None:
        """Return what the gateway's authoriser verified."""
        return read_identity((self.raw.get("requestContext") or {}).get("authorizer"))

    def cloud_identity(self) -> Identity | None:
        """Return the signer of a request that the gateway verified and IAM let in."""
        context = self.raw.get("requestContext") or {}
        authorizer = context.get("authorizer")
        if isinstance(authorizer, dict) and isinstance(authorizer.get("iam"), dict):
            return read_identity({"iam": authorizer["iam"]})
        signer = context.get("identity")  # of a REST API, which states a userArn for signed requests alone
        return read_identity({"iam": signer}) if isinstance(signer, dict) and signer.get("userArn") else None


class MultiValueRequest(AwsRequest):
    """A request of payload format 1.0: REST APIs, HTTP APIs set to 1.0, load balancers."""

    _plain: dict[str, str] | None = None

    @property
    def raw_path(self) -> str | None:
        """The event's path; an HTTP API set to payload 1.0, which states its version, has decoded it."""
        return None if self.raw.get("version") == "1.0" else self.raw["path"]

    def plain_headers(self) -> dict[str, str]:
        """Return the event's headers, joined from their multi-value form where there is one."""
        plain = self._plain
        if plain is None:
            plain = self._plain = join_headers(self._pairs("multiValueHeaders", "headers"))
        return plain

    def cookie_parts(self) -> Sequence[str]:
        """Return nothing: Cookie is among the headers."""
        return ()

    def read_query(self) -> list[tuple[str, str]]:
        """Return the event's query pairs, which API Gateway has decoded and a load balancer has not."""
        pairs = self._pairs("multiValueQueryStringParameters", "queryStringParameters")
        if "elb" in self.raw["requestContext"]:
            return [(unquote(name.replace("+", " ")), unquote(value.replace("+", " "))) for name, value in pairs]
        return pairs

    def _pairs(self, multi: str, single: str) -> list[tuple[str, str]]:
        """Return pairs from a member of lists, or where the gateway sends none, from one of single values."""
        lists = self.raw.get(multi)
        if isinstance(lists, dict):
            return [(name, str(value)) for name, values in lists.items() for value in values or ()]
        return [(name, str(value)) for name, value in (self.raw.get(single) or {}).items()]

    @property
    def raw_query(self) -> str:
        """The query rebuilt from its pairs; the order between names is lost."""
        return "&".join([f"{_quote(name)}={_quote(value)}" for name, value in self.query.multi_items()])

    def url_bytes(self) -> int:
        """Return the length of path and rebuilt query."""
        # A load balancer states repeats alone where its target group's multi-value headers are on.
        has_query = self.raw.get("queryStringParameters") or self.raw.get("multiValueQueryStringParameters")
        return len(self.path) + (len(self.raw_query) + 1 if has_query else 0)

    @property
    def client_ip(self) -> str:
        """The event's source address; behind a load balancer the address that it appended."""
        identity = self.raw["requestContext"].get("identity")
        if isinstance(identity, dict):
            return str(identity.get("sourceIp") or "")
        return self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()


def _quote(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return "".join([chr(byte) if byte in SAFE_IN_QUERY else f"%{byte:02X}" for byte in text.encode("utf-8", "replace")])


def read_identity(authorizer: Any) -> Identity | None:
    """Return the identity in an event's requestContext.authorizer; None for an anonymous caller."""
    if not isinstance(authorizer, dict):
        return None
    verified = authorizer.get("jwt")
    if isinstance(verified, dict) and isinstance(verified.get("claims"), dict):
        claims = verified["claims"]
        scopes = verified.get("scopes") or str(claims.get("scope", "")).split()
        return Identity(str(claims.get("sub", "")), scopes, claims)
    if isinstance(authorizer.get("iam"), dict):
        return Identity(str(authorizer["iam"].get("userArn") or ""), (), authorizer["iam"])
    if isinstance(authorizer.get("claims"), dict):
        claims = authorizer["claims"]
        return Identity(str(claims.get("sub", "")), str(claims.get("scope", "")).split(), claims)
    return None


def read_request(event: Any, context: Any) -> AwsRequest | None:
    """Return the request in an event, None if the event is no HTTP request at all."""
    try:
        request_context = event["requestContext"]
        if "rawPath" in event:
            request = AwsRequest(request_context["http"]["method"], event["rawPath"], event, context)
            stage = request_context.get("stage", "$default")
        else:
            request = MultiValueRequest(event["httpMethod"], event["path"], event, context)
            stage = request_context.get("stage", "$default") if event.get("version") == "1.0" else "$default"
    except (KeyError, TypeError, AttributeError):
        return None
    path = request.path
    if type(path) is not str or type(request.method) is not str:
        return None
    if stage != "$default" and (path == f"/{stage}" or path.startswith(f"/{stage}/")):
        path = path[len(stage) + 1 :]
    request.path = path or "/"
    return request


def render(response: Response, event: Event) -> dict[str, Any]:
    """Return the result for an event, in the form that its kind of gateway reads."""
    body: Any = response.body
    content_type = response.content_type
    is_text = content_type in TEXT_TYPES or content_type is None or content_type.startswith("text/")
    if is_text:
        try:
            body = body.decode("utf-8")
        except UnicodeDecodeError:
            is_text = False
    if not is_text:
        from binascii import b2a_base64

        body = b2a_base64(body, newline=False).decode("ascii")
    result: dict[str, Any] = {"statusCode": response.status_code, "body": body, "isBase64Encoded": not is_text}
    if "rawPath" in event:
        result["headers"] = response.header_dict()
        if response.cookies:
            result["cookies"] = response.set_cookie_values()
    elif "elb" in event["requestContext"] and "multiValueHeaders" not in event:
        # The target group's multi-value headers are off: one value a name, so one cookie at most.
        cookies = [("set-cookie", value) for value in response.set_cookie_values()]
        result["headers"] = dict(response.header_items() + cookies)
    else:
        result["multiValueHeaders"] = {name: [value] for name, value in response.header_items()}
        if response.cookies:
            result["multiValueHeaders"]["set-cookie"] = response.set_cookie_values()
    return result


def create_handler(config: Mapping[str, Any], objects: Sequence[Any]) -> Callable[[Any, Any], Any]:
    """Return the Lambda handler of a compiled function. config, objects: as ``Application`` takes them."""

    def make_loop() -> Loop:
        from multicloud.runtime.loops import InlineLoop

        return InlineLoop(config["event_loop"])

    application = Application(config, objects, make_loop, streaming=False)
    stage, provider = config["stage"], config["provider"]

    def handler(event: Any, context: Any) -> Any:
        request = read_request(event, context)
        if request is None:
            return refuse()
        request.stage = stage
        request.provider = provider
        try:
            result = render(application.answer(request), event)
        except Exception:
            if not is_malformed(request):
                raise
            return refuse()
        return refuse() if result["statusCode"] == 500 and is_malformed(request) else result

    return handler


def is_malformed(request: AwsRequest) -> bool:
    """Tell whether an event holds what no gateway sends: other types, lone surrogates. Asked after a failure only."""
    try:
        headers = request.plain_headers()
        texts = [*headers, *headers.values(), *request.cookie_parts(), request.raw.get("body") or ""]
        texts += [request.client_ip, request.raw_path or "", request.raw_query]
        texts += [text for pair in request.read_query() for text in pair]
        repr((request.read_identity(), "".join(texts).encode("utf-8")))
    except (AttributeError, KeyError, TypeError, UnicodeEncodeError):
        return True
    return False


def refuse() -> dict[str, Any]:
    """Answer an event that is no HTTP request: a test event, another trigger. Nothing is dispatched by name."""
    import logging

    logging.getLogger("multicloud").warning("an event was refused: it is no HTTP request")
    return {
        "statusCode": 400,
        "headers": {"content-type": "application/problem+json"},
        "body": '{"type":"about:blank","title":"Bad Request","status":400,"detail":"The event is no HTTP request."}',
        "isBase64Encoded": False,
    }
