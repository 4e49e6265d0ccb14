"""The measured requests, as each cloud hands them over: what a browser sends, cookies and a bearer token included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import attrs


@attrs.frozen
class Call:
    """One request. template, parameters: what API Gateway's own routing adds for Chalice."""

    method: str
    path: str
    template: str
    parameters: Mapping[str, str] = attrs.field(factory=dict)
    query: str = ""
    body: str = ""


ORDER = {
    "name": "Garden table",
    "remark": "by the gate, please. " * 20,
    "lines": [{"sku": f"GT-{number:05}", "units": number} for number in range(1, 13)],
}
QUERY = "limit=20&colour=red&colour=blue&text=caf%C3%A9%20au%20lait"

CALLS = {
    "GET /hello": Call("GET", "/hello", "/hello"),
    "GET /items/{id}": Call("GET", "/items/8f3c1e", "/items/{item_id}", {"item_id": "8f3c1e"}, QUERY),
    "POST /items": Call("POST", "/items", "/items", body=json.dumps(ORDER)),
}

ANSWERS: Mapping[str, Any] = {
    "GET /hello": {"message": "hello"},
    "GET /items/{id}": {
        "item": "8f3c1e",
        "limit": 20,
        "colours": ["red", "blue"],
        "text": "café au lait",
        "language": "en-GB,en;q=0.7",
        "correlation": "0d9a8a6e-55c1-4c53-9f0c-6f1f4c9f2b11",
    },
    "POST /items": {"name": "Garden table", "units": 78},
}
"""What every peer must answer before anything of it is timed."""

COOKIES = ["basket=4711", "session=eyJ1IjoiNDIifQ.aGVsbG8", "theme=light"]
HEADERS = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-encoding": "gzip, deflate, br",
    "accept-language": "en-GB,en;q=0.7",
    "authorization": "Bearer " + ".".join(["h" * 60, "c" * 580, "s" * 340]),
    "cache-control": "max-age=0",
    "host": "api.example.com",
    "origin": "https://shop.example.com",
    "referer": "https://shop.example.com/garden",
    "sec-ch-ua": '"Chromium";v="130", "Not?A_Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-site",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0",
    "x-amzn-trace-id": "Root=1-671f0a10-3c6f0c5d4e2b1a0987654321",
    "x-correlation-id": "0d9a8a6e-55c1-4c53-9f0c-6f1f4c9f2b11",
    "x-forwarded-for": "198.51.100.7",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def _headers(call: Call) -> dict[str, str]:
    stated = {"content-type": "application/json", "content-length": str(len(call.body))} if call.body else {}
    return {**HEADERS, **stated}


def http_api(call: Call) -> dict[str, Any]:
    """Return the event of an HTTP API, payload format 2.0."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": call.query,
        "cookies": list(COOKIES),
        "headers": _headers(call),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": call.method,
                "path": call.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.7",
                "userAgent": HEADERS["user-agent"],
            },
            "requestId": "f0e1d2c3b4a59687",
            "routeKey": "$default",
            "stage": "$default",
            "time": "28/Oct/2026:03:50:40 +0000",
            "timeEpoch": 1793159440000,
        },
        "isBase64Encoded": False,
    }
    if call.query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in parse_qs(call.query).items()}
    if call.body:
        event["body"] = call.body
    return event


def rest_api(call: Call) -> dict[str, Any]:
    """Return the event of a REST API, payload format 1.0: the only one that Chalice reads."""
    headers = {**_headers(call), "cookie": "; ".join(COOKIES)}
    values = parse_qs(call.query)
    return {
        "resource": call.template,
        "path": call.path,
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: several[-1] for name, several in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "pathParameters": dict(call.parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "httpMethod": call.method,
            "identity": {"sourceIp": "198.51.100.7", "userAgent": HEADERS["user-agent"]},
            "path": "/prod" + call.path,
            "protocol": "HTTP/1.1",
            "requestId": "f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f",
            "requestTimeEpoch": 1793159440000,
            "resourceId": "a1b2c3",
            "resourcePath": call.template,
            "stage": "prod",
        },
        "body": call.body or None,
        "isBase64Encoded": False,
    }


def wsgi(call: Call) -> dict[str, Any]:
    """Return the strings of gunicorn's WSGI environment."""
    headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in HEADERS.items()}
    return {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path,
        "RAW_URI": call.path + ("?" + call.query if call.query else ""),
        "QUERY_STRING": call.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "169.254.1.1",
        "HTTP_COOKIE": "; ".join(COOKIES),
        "wsgi.url_scheme": "https",
        "wsgi.version": (1, 0),
        **headers,
    }


def azure(call: Call) -> dict[str, Any]:
    """Return the arguments of azure.functions.HttpRequest."""
    return {
        "method": call.method,
        "url": "https://api.example.com" + call.path + ("?" + call.query if call.query else ""),
        "headers": {**_headers(call), "cookie": "; ".join(COOKIES)},
        "params": {name: ",".join(values) for name, values in parse_qs(call.query).items()},
        "route_params": {},
        "body": call.body.encode(),
    }


NATIVE = {"http_api": http_api, "rest_api": rest_api, "gcp": wsgi, "azure": azure}
"""Kind of an entry point to how its events are made."""
