"""Sends an HTTP request through an AWS event shape and the Lambda runtime of this SDK, in this process.

Shapes: ``aws`` (HTTP API, payload 2.0), ``aws-rest`` (REST API), ``aws-url`` (Function URL), ``aws-alb`` (load
balancer). What each does to an exchange: API Gateway developer guide, Lambda developer guide ("Invoking Lambda function
URLs"), Elastic Load Balancing user guide ("Lambda functions as targets").
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from time import time
from typing import Any
from urllib.parse import unquote_plus, unquote_to_bytes
from uuid import uuid4

import attrs

from multicloud.provider import Config, Exchange, HttpRequest, HttpResponse
from multicloud_aws.runtime import create_handler

Event = dict[str, Any]
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")


@attrs.frozen
class LambdaContext:
    """What Lambda passes beside the event."""

    deadline: float
    aws_request_id: str = attrs.field(factory=lambda: str(uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left, in milliseconds."""
        return int((self.deadline - time()) * 1000)


def connect(shape: str, config: Config, objects: Sequence[object]) -> Exchange:
    """Return the exchange of compiled functions. shape: a key of ``SHAPES``."""
    handler, build = create_handler(config, objects), SHAPES[shape]
    timeout_seconds = max(function["timeout_seconds"] for function in config["functions"])

    def exchange(request: HttpRequest) -> HttpResponse:
        return read_result(handler(build(request), LambdaContext(time() + timeout_seconds)))

    return exchange


def http_api_event(request: HttpRequest) -> Event:
    """Return the payload 2.0 event of an HTTP API, which decodes the path and cuts it at a decoded question mark."""
    path = unquote_to_bytes(request.raw_path).decode("utf-8", "replace").partition("?")[0]
    return _payload_2(request, path, "abc123.execute-api.eu-west-1.amazonaws.com")


def function_url_event(request: HttpRequest) -> Event:
    """Return the payload 2.0 event of a Function URL, which keeps the path as sent."""
    return _payload_2(request, request.raw_path, "abc123.lambda-url.eu-west-1.on.aws")


def _payload_2(request: HttpRequest, path: str, domain: str) -> Event:
    headers = _joined(request.headers)
    cookies = headers.pop("cookie", "")
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abc123",
            "domainName": domain,
            "domainPrefix": "abc123",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": int(time() * 1000),
        },
        **_body(request, headers.get("content-type", "")),
    }
    if cookies:
        event["cookies"] = cookies.split("; ")
    return event


def rest_event(request: HttpRequest) -> Event:
    """Return the event of a REST API whose binary media types are ``*/*``: every body is base64."""
    context = {
        "accountId": "111122223333",
        "apiId": "abc123",
        "httpMethod": request.method,
        "identity": {"sourceIp": request.client_ip, "userAgent": _joined(request.headers).get("user-agent")},
        "path": "/prod" + request.raw_path,
        "requestId": str(uuid4()),
        "resourcePath": "/{proxy+}",
        "stage": "prod",
    }
    # A semicolon splits a query: API Gateway developer guide, "Important notes".
    pairs = [(unquote_plus(name), unquote_plus(value)) for name, value in _query(request.raw_query.replace(";", "&"))]
    return {"resource": "/{proxy+}", **_multi_value(request, pairs), "requestContext": context, **_body(request, "")}


def load_balancer_event(request: HttpRequest) -> Event:
    """Return the event of a load balancer with multi-value headers on, which does not decode the query."""
    forwarded = ", ".join(value for name, value in request.headers if name.lower() == "x-forwarded-for")
    address = f"{forwarded}, {request.client_ip}" if forwarded else request.client_ip
    others = tuple((name, value) for name, value in request.headers if name.lower() != "x-forwarded-for")
    request = attrs.evolve(request, headers=(*others, ("x-forwarded-for", address)))
    context = {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/1"}}
    content_type = _joined(request.headers).get("content-type", "")
    event = _multi_value(request, _query(request.raw_query))
    del event["headers"], event["queryStringParameters"]  # their multi-value forms take their place
    event["multiValueQueryStringParameters"] = event["multiValueQueryStringParameters"] or {}
    return {**event, "requestContext": context, **_body(request, content_type)}


def _multi_value(request: HttpRequest, pairs: list[tuple[str, str]]) -> Event:
    multi_headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        multi_headers.setdefault(name, []).append(value)
    multi_query: dict[str, list[str]] = {}
    for name, value in pairs:
        multi_query.setdefault(name, []).append(value)
    return {
        "path": request.raw_path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in multi_headers.items()},
        "multiValueHeaders": multi_headers,
        "queryStringParameters": {name: values[-1] for name, values in multi_query.items()} or None,
        "multiValueQueryStringParameters": multi_query or None,
    }


def _joined(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        separator = "; " if name == "cookie" else ","
        joined[name] = joined[name] + separator + value if name in joined else value
    return joined


def _query(raw_query: str) -> list[tuple[str, str]]:
    """Return a query's pairs, still encoded."""
    parts = [part.partition("=") for part in raw_query.split("&") if part]
    return [(name, value) for name, _, value in parts]


def _body(request: HttpRequest, content_type: str) -> Event:
    """Return the event's body: text where the type is textual and the bytes are UTF-8, base64 otherwise."""
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    if content_type.lower().startswith(TEXT_TYPES):
        try:
            return {"body": request.body.decode("utf-8"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass  # goes as base64, as the gateways send it
    return {"body": b64encode(request.body).decode("ascii"), "isBase64Encoded": True}


def read_result(result: Event) -> HttpResponse:
    """Return the HTTP answer that a gateway makes of a handler's result."""
    body = result.get("body") or ""
    content = b64decode(body) if result.get("isBase64Encoded") else body.encode("utf-8")
    headers = list((result.get("headers") or {}).items())
    for name, values in (result.get("multiValueHeaders") or {}).items():
        headers += [(name, value) for value in values]
    headers += [("set-cookie", cookie) for cookie in result.get("cookies") or ()]
    return HttpResponse(result["statusCode"], tuple(headers), content)


SHAPES: dict[str, Callable[[HttpRequest], Event]] = {
    "aws": http_api_event,
    "aws-rest": rest_event,
    "aws-url": function_url_event,
    "aws-alb": load_balancer_event,
}
