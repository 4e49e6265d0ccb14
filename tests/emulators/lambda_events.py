"""API Gateway's two translations, from a request to an event and from a result to a response, for HTTP and REST APIs.

Written from AWS' developer guide ("Create AWS Lambda proxy integrations for HTTP APIs", "Lambda proxy integrations in
API Gateway", "Important notes") and from captured events where the guide is silent; each such place says so.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from .front import WireRequest, WireResponse

ACCOUNT, API_ID, REGION = "123456789012", "a1b2c3d4e5", "eu-west-1"
_DOMAIN = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
_REST_STAGE = "prod"
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"})
_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})
# "Important notes": a REST API renames these headers of a proxy integration's response.
_REMAPPED = frozenset(
    {"connection", "content-length", "date", "host", "server", "transfer-encoding", "www-authenticate"}
)

HTTP_FAILURE = WireResponse(500, (("content-type", "application/json"),), b'{"message":"Internal Server Error"}')
REST_FAILURE = WireResponse(502, (("content-type", "application/json"),), b'{"message": "Internal server error"}')
TOO_LARGE = WireResponse(413, (("content-type", "application/json"),), b'{"message":"Request Entity Too Large"}')
PAYLOAD_BYTES = 6_291_556
"""What one invocation may carry either way (Lambda quotas say 6 MB; the figure is that of its error message)."""


class MalformedResultError(Exception):
    """API Gateway would not accept what the function returned."""


def event_v2(request: WireRequest, request_id: str) -> dict[str, Any]:
    """Return the payload 2.0 event of an HTTP API with the route ``$default`` and the stage ``$default``."""
    raw_path, raw_query = request.path_and_query()
    # Captured: the path arrives decoded, and what follows a decoded question mark is lost.
    path = unquote(raw_path, errors="replace").partition("?")[0]
    headers: dict[str, str] = {}
    for name, value in _passed_on(request):
        if name.lower() != "cookie":
            headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": raw_query or "",
    }
    cookies = [part.strip() for value in request.values("cookie") for part in value.split(";") if part.strip()]
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if raw_query:
        event["queryStringParameters"] = {
            name: ",".join(values) for name, values in _grouped(parse_qsl(raw_query, keep_blank_values=True)).items()
        }
    event["requestContext"] = {
        **_context(request_id),
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.peer[0],
            "userAgent": headers.get("user-agent", ""),
        },
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "timeEpoch": time.time_ns() // 1_000_000,
    }
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    else:
        event["isBase64Encoded"] = False
    return event


def event_v1(request: WireRequest, request_id: str) -> dict[str, Any]:
    """Return the event of a REST API with the resource ``/{proxy+}`` and ``binaryMediaTypes`` of ``*/*``.

    Raises ValueError for a query that REST APIs refuse.
    """
    raw_path, raw_query = request.path_and_query()
    if raw_query and set(raw_query) & set("|{}"):
        raise ValueError("REST APIs take |, { and } in a query only when they are encoded")
    # "Important notes": the semicolon is not supported in a query and results in the data being split.
    query = _grouped(parse_qsl((raw_query or "").replace(";", "&"), keep_blank_values=True))
    headers = _grouped(_passed_on(request))
    last = {name: values[-1] for name, values in headers.items()}
    proxy = unquote(raw_path.removeprefix("/"), errors="replace")
    resource = "/{proxy+}" if proxy else "/"
    return {
        "resource": resource,
        "path": raw_path,
        "httpMethod": request.method,
        "headers": last,
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": proxy} if proxy else None,
        "stageVariables": None,
        "requestContext": {
            **_context(request_id),
            "resourceId": "abc123",
            "resourcePath": resource,
            "httpMethod": request.method,
            "extendedRequestId": "ext=" + request_id[:8],
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "requestTimeEpoch": time.time_ns() // 1_000_000,
            "path": f"/{_REST_STAGE}{raw_path}",
            "protocol": "HTTP/1.1",
            "stage": _REST_STAGE,
            "identity": {
                "sourceIp": request.peer[0],
                "userAgent": next(iter(request.values("user-agent")), None),
                **dict.fromkeys(("accountId", "apiKey", "caller", "cognitoIdentityId", "user", "userArn")),
            },
        },
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def response_v2(payload: bytes, request_id: str) -> WireResponse:
    """Return what an HTTP API answers for a function's result. Raises MalformedResultError."""
    result = json.loads(payload)
    common = [("apigw-requestid", request_id)]
    if not isinstance(result, dict) or "statusCode" not in result:
        # Format 2.0 takes a result without statusCode for the body itself.
        body = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"), ensure_ascii=False)
        return WireResponse(200, [("content-type", "application/json"), *common], body.encode())
    headers = [(name.lower(), _scalar(value)) for name, value in _mapping(result, "headers")]
    cookies = result.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedResultError("cookies is not a list of strings")
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    headers += [("set-cookie", cookie) for cookie in cookies]
    return WireResponse(_status(result), _computed_length(headers) + common, _result_body(result))


def response_v1(payload: bytes, request_id: str) -> WireResponse:
    """Return what a REST API answers for a function's result. Raises MalformedResultError."""
    result = json.loads(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        raise MalformedResultError("no statusCode")
    multiple = {name.lower(): values for name, values in _mapping(result, "multiValueHeaders")}
    headers = [(n, _scalar(value)) for n, value in _mapping(result, "headers") if n.lower() not in multiple]
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise MalformedResultError(f"multiValueHeaders.{name} is not a list")
        headers += [(name, _scalar(value)) for value in values]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    renamed = [(f"x-amzn-remapped-{n.lower()}" if n.lower() in _REMAPPED else n, value) for n, value in headers]
    return WireResponse(_status(result), [*renamed, ("x-amzn-requestid", request_id)], _result_body(result))


def _passed_on(request: WireRequest) -> list[tuple[str, str]]:
    """Return the request's headers with those that API Gateway sets itself."""
    kept = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in _HOP_BY_HOP and name.lower() not in ("x-forwarded-for", "content-length")
    ]
    if request.body:
        kept.append(("Content-Length", str(len(request.body))))
    forwarded = [*request.values("x-forwarded-for"), request.peer[0]]
    return [
        *kept,
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{request.peer[1]:024x}"),
        ("X-Forwarded-For", ", ".join(forwarded)),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _context(request_id: str) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": _DOMAIN,
        "domainPrefix": API_ID,
        "requestId": request_id,
    }


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    """Return the event's body and whether it is base64: text types stay text if they are UTF-8 (captured)."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True


def _mapping(result: Mapping[str, Any], key: str) -> Iterable[tuple[str, Any]]:
    value = result.get(key)
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise MalformedResultError(f"{key} is not an object")
    return value.items()


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedResultError("a header's value is neither text, number nor boolean")


def _status(result: Mapping[str, Any]) -> int:
    try:
        status = int(result["statusCode"])
    except (TypeError, ValueError):
        raise MalformedResultError("statusCode is not a number") from None
    if not 100 <= status <= 599:
        raise MalformedResultError("statusCode is out of range")
    return status


def _result_body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResultError("body is not a string")
    if not result.get("isBase64Encoded"):
        return body.encode("utf-8", errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise MalformedResultError("body is not base64") from None


def _computed_length(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Drop the framing that a function states: API Gateway writes its own, also for HEAD (not documented)."""
    framing = ("content-length", "connection", "transfer-encoding")
    return [(name, value) for name, value in headers if name not in framing]
