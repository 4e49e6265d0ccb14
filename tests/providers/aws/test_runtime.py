"""Lambda's runtime against events as AWS' guides print them, and against what no guide prints."""

from __future__ import annotations

import base64
import json
import logging
import time
from pathlib import Path

import pytest

from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.runtime.cookies import Cookie
from multicloud.runtime.recorder import Api
from multicloud.runtime.response import Response
from multicloud_aws.runtime import create_handler, read_identity

EVENTS = Path(__file__).parents[2] / "events" / "aws"
COOKIES = [Cookie("a", "1"), Cookie("b", "2")]


class Context:
    """Lambda's context, as far as the runtime reads it."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def get_remaining_time_in_millis(self):
        return 5000


def event(name, **changes):
    return {**json.loads((EVENTS / f"{name}.json").read_text()), **changes}


def lambda_handler(handler, path="/{path+}", methods=("GET", "POST", "DELETE"), event_loop=True):
    api = Api("shop")
    api.route("/", methods=methods)(handler)
    if path != "/":
        api.route(path, methods=methods)(handler)
    definition = define(api)
    config, objects = compile_application(
        definition, definition.functions, provider="aws", stage="live", development=False, event_loop=event_loop
    )
    return create_handler(config, objects)


def seen(sent):
    """Return the request that a handler sees for an event."""
    found = []
    result = lambda_handler(lambda request: found.append(request))(sent, Context())
    assert result["statusCode"] == 204, result
    return found[0]


def answer(sent, response):
    return lambda_handler(lambda request: response)(sent, Context())


ALL = sorted(path.stem for path in EVENTS.glob("*.json"))


@pytest.mark.parametrize("name", ALL)
def test_every_kind_of_event_is_a_request_and_gets_an_answer_of_its_kind(name):
    sent = event(name)
    request = seen(sent)
    assert (request.stage, request.provider, request.raw) == ("live", "aws", sent)
    assert request.request_id == Context.aws_request_id
    assert abs(request.deadline - (time.time() + 5)) < 1
    result = answer(sent, Response({"a": 1}, 201, headers={"x-a": "1"}, cookies=COOKIES))
    assert (result["statusCode"], result["body"], result["isBase64Encoded"]) == (201, '{"a":1}', False)
    many = result.get("multiValueHeaders", {})
    assert result.get("headers", {}).get("x-a") == "1" or many["x-a"] == ["1"]
    lines = [cookie.header() for cookie in COOKIES]
    if "rawPath" in sent:
        assert result["cookies"] == lines
    elif "multiValueHeaders" in sent:
        assert many["set-cookie"] == lines
        assert "headers" not in result
    else:
        assert result["headers"]["set-cookie"] == lines[-1]
        assert "multiValueHeaders" not in result


@pytest.mark.parametrize(
    ("name", "path", "raw_path", "query", "body"),
    [
        (
            "http-api-2.0",
            "/path/to/resource",
            None,
            [("parameter1", "value1"), ("parameter1", "value2"), ("parameter2", "value")],
            b"Hello from Lambda",
        ),
        (
            "function-url",
            "/path to/resource",
            "/path%20to/resource",
            [("parameter1", "value1"), ("parameter1", "value2"), ("parameter2", "value")],
            b"Hello from Lambda",
        ),
        (
            "http-api-1.0",
            "/my/path",
            None,
            [("parameter1", "value1"), ("parameter1", "value2"), ("parameter2", "value")],
            b"Hello from Lambda!",
        ),
        ("rest-api", "/my/a/b", "/my/a%2Fb", [("q", "a+b"), ("q", "a b&c")], b"hello"),
        ("load-balancer", "/lambda x", "/lambda%20x", [("q", "a b c")], b""),
        ("load-balancer-multi-value", "/lambda x", "/lambda%20x", [("q", "a b"), ("q", "+")], b""),
        ("load-balancer-health-check", "/", "/", [], b""),
    ],
)
def test_path_query_and_body_mean_the_same_in_every_kind_of_event(name, path, raw_path, query, body):
    request = seen(event(name))
    assert (request.path, request.raw_path) == (path, raw_path)
    assert request.query.multi_items() == query
    assert request.body == body


def test_the_raw_query_is_the_client_s_or_one_that_means_the_same():
    assert seen(event("http-api-2.0")).raw_query == "parameter1=value1&parameter1=value2&parameter2=value"
    assert seen(event("rest-api")).raw_query == "q=a%2Bb&q=a%20b%26c"
    assert seen(event("load-balancer-health-check")).raw_query == ""


@pytest.mark.parametrize(
    ("name", "cookies", "header", "value"),
    [
        ("http-api-2.0", {"cookie1": "a", "cookie2": "b"}, "Header2", "value1,value2"),
        ("http-api-1.0", {"a": "1", "b": "2"}, "Header2", "value1,value2"),
        ("rest-api", {"a": "1", "b": "2"}, "Header2", "value1,value2"),
        ("load-balancer", {"a": "1", "b": "2"}, "Accept", "text/html"),
        ("load-balancer-multi-value", {"a": "1", "b": "2"}, "Accept", "text/html,text/plain"),
    ],
)
def test_headers_are_joined_and_cookies_are_found_wherever_they_lie(name, cookies, header, value):
    request = seen(event(name))
    assert request.cookies == cookies
    assert request.headers["cookie"] == "; ".join(f"{name}={text}" for name, text in cookies.items())
    assert request.headers[header] == value


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("http-api-2.0-stage", "/path/to/resource"),
        ("http-api-2.0-stage-root", "/"),
        ("http-api-1.0-stage", "/my/path"),
        ("rest-api-stage-named-path", "/prod/x"),
    ],
)
def test_the_stage_is_removed_where_the_gateway_puts_it_before_the_path(name, path):
    assert seen(event(name)).path == path


def test_a_path_that_only_begins_like_the_stage_is_kept():
    assert seen(event("http-api-2.0-stage", rawPath="/production/x")).path == "/production/x"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("http-api-2.0", "192.0.2.1"),
        ("function-url", "192.0.2.1"),
        ("http-api-1.0", "192.0.2.1"),
        ("rest-api", "192.0.2.1"),
        ("load-balancer", "72.12.164.125"),
        ("load-balancer-multi-value", "72.12.164.125"),
        ("load-balancer-health-check", ""),
    ],
)
def test_the_client_s_address_is_the_platform_s_word_for_it(name, address):
    assert seen(event(name)).client_ip == address


@pytest.mark.parametrize("name", ["http-api-2.0", "http-api-1.0", "rest-api", "function-url"])
def test_no_header_changes_the_client_s_address(name):
    forged = event(name)
    forged["headers"]["x-forwarded-for"] = "6.6.6.6"
    forged.get("multiValueHeaders", {})["X-Forwarded-For"] = ["6.6.6.6"]
    assert seen(forged).client_ip == "192.0.2.1"


@pytest.mark.parametrize(
    ("name", "subject", "scopes"),
    [
        ("http-api-2.0-jwt", "u1", {"orders:read"}),
        ("http-api-2.0-iam", "arn:aws:iam::123456789012:user/ada", set()),
        ("function-url", "arn:aws:iam::111122223333:user/example-user", set()),
        ("rest-api-claims", "u2", {"read", "write"}),
    ],
)
def test_whom_the_gateway_verified_is_the_identity(name, subject, scopes):
    identity = seen(event(name)).identity
    assert (identity.subject, identity.scopes, identity.api_key_id) == (subject, scopes, None)
    assert identity.claims


@pytest.mark.parametrize("name", ["http-api-2.0", "http-api-1.0", "rest-api", "load-balancer"])
def test_an_anonymous_caller_has_no_identity(name):
    assert seen(event(name)).identity is None


@pytest.mark.parametrize("authorizer", [None, "x", [], {}, {"jwt": None}, {"jwt": {"claims": None}}, {"lambda": {}}])
def test_an_authorizer_that_verified_nobody_gives_no_identity(authorizer):
    assert read_identity(authorizer) is None


def test_scopes_come_from_the_token_where_the_route_asks_for_none():
    identity = read_identity({"jwt": {"claims": {"sub": "u", "scope": "a b"}, "scopes": None}})
    assert identity.scopes == {"a", "b"}


# Bodies.


@pytest.mark.parametrize(
    ("body", "is_base64", "expected"),
    [
        (None, False, b""),
        ("", False, b""),
        ("", True, b""),
        ("é", False, "é".encode()),
        (base64.b64encode(bytes(range(256))).decode(), True, bytes(range(256))),
        ("aGk", True, 400),
        ("aGk=x", True, 400),
        ("a Gk=", True, 400),
        ("aGk=\n", True, 400),
        ("é", True, 400),
        ("plain text", True, 400),
        ("\ud800", False, 400),
        (5, False, 400),
        ({"a": 1}, False, 400),
        ([1], True, 400),
    ],
)
@pytest.mark.parametrize("name", ["http-api-2.0", "rest-api"])
def test_a_body_is_undone_strictly(name, body, is_base64, expected):
    result = lambda_handler(lambda request: Response(request.body, content_type="application/x"))(
        event(name, body=body, isBase64Encoded=is_base64), Context()
    )
    if expected == 400:
        assert result["statusCode"] == 400
    else:
        assert result["statusCode"] == 200
        assert base64.b64decode(result["body"], validate=True) == expected


@pytest.mark.parametrize(
    ("response", "body", "is_base64"),
    [
        (Response("é"), "é", False),
        (Response({"a": "é"}), '{"a":"é"}', False),
        (Response("x", content_type="text/html"), "x", False),
        (Response(b"\xff"), "/w==", True),
        (Response(b"\xff", content_type="text/plain"), "/w==", True),
        (Response(b"x", content_type="image/png"), "eA==", True),
        (Response(None), "", False),
        (Response(iter(["a", b"b"]), content_type="text/plain"), "ab", False),
    ],
)
def test_what_is_no_text_goes_as_base64(response, body, is_base64):
    result = answer(event("http-api-2.0"), response)
    assert (result["body"], result["isBase64Encoded"]) == (body, is_base64)


# What is no request.


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"key1": "value1", "key2": "value2"},
        [],
        "text",
        None,
        5,
        {"raw_command": "print(1)", "command": "os.system"},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"requestContext": None},
        {"requestContext": {}, "rawPath": "/"},
        {"requestContext": {"http": None}, "rawPath": "/"},
        {"requestContext": {"http": {"method": None}}, "rawPath": "/"},
        {"requestContext": {"http": {"method": "GET"}}, "rawPath": 5},
        {"requestContext": {}, "httpMethod": "GET", "path": None},
        {"requestContext": {"connectionId": "x", "routeKey": "$connect"}},
    ],
)
def test_an_event_that_is_no_http_request_is_refused_and_nothing_runs(sent, caplog):
    ran = []
    handler = lambda_handler(lambda request: ran.append(1))
    with caplog.at_level(logging.WARNING, "multicloud"):
        result = handler(sent, Context())
    assert (result["statusCode"], ran) == (400, [])
    assert json.loads(result["body"])["detail"] == "The event is no HTTP request."
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": 5},
        {"headers": [1]},
        {"headers": {"a": 5}},
        {"headers": {5: "a"}},
        {"cookies": 5},
        {"cookies": [5]},
        {"rawQueryString": 5},
        {"requestContext": {"http": {"method": "GET"}, "domainName": 5}, "headers": {"a": None}},
    ],
)
def test_an_event_with_a_malformed_part_is_a_400(changes):
    assert lambda_handler(lambda request: "x")(event("http-api-2.0", **changes), Context())["statusCode"] == 400


@pytest.mark.parametrize(
    "changes",
    [{"multiValueHeaders": {"a": 5}}, {"multiValueHeaders": None, "headers": 5}, {"queryStringParameters": 5}],
)
def test_an_event_of_a_rest_api_with_a_malformed_part_is_a_400(changes):
    sent = event("rest-api", **{"multiValueQueryStringParameters": None, **changes})
    assert lambda_handler(lambda request: request.query and "x")(sent, Context())["statusCode"] == 400


@pytest.mark.parametrize("absent", ["headers", "cookies", "rawQueryString", "body", "isBase64Encoded"])
def test_a_member_that_an_event_leaves_out_is_empty(absent):
    sent = event("http-api-2.0")
    del sent[absent]
    request = seen(sent)
    assert (request.headers.get("nope"), isinstance(request.body, bytes)) == (None, True)


def test_the_limit_of_the_url_holds_for_a_load_balancer_s_repeats_too():
    sent = event("load-balancer-multi-value", multiValueQueryStringParameters={"q": ["x" * 5000]})
    assert lambda_handler(lambda request: "x")(sent, Context())["statusCode"] == 414


def test_an_async_handler_runs_and_the_loop_outlives_the_request():
    import asyncio

    loops = set()

    async def handle(request):
        await asyncio.sleep(0)
        loops.add(asyncio.get_running_loop())
        return "x"

    handler = lambda_handler(handle)
    assert {handler(event("http-api-2.0"), Context())["statusCode"] for _ in range(3)} == {200}
    assert len(loops) == 1
