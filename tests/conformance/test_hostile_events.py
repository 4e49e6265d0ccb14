"""Events that no platform should send: never an exception out of the handler, a 5xx or a leaked detail (R47)."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import time
from io import BytesIO
from typing import Any

import azure.functions as func
import flask
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import multicloud_aws.runtime
import multicloud_azure.runtime
import multicloud_gcp.runtime
import multicloud_local.runtime
from multicloud.deploy.entry import compile_application
from multicloud.model.recording import define
from multicloud.provider import HttpRequest
from multicloud_aws.exchange import SHAPES as AWS_EVENTS
from multicloud_aws.exchange import LambdaContext
from multicloud_azure.exchange import Context
from multicloud_gcp.exchange import build_environ
from tests.conformance.case import LEAKS
from tests.conformance.runtimes import recorded

EXAMPLES = max(1, int(os.environ.get("MULTICLOUD_CONFORMANCE_EXCHANGES", "20000")) // 40)
FUZZ = settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))

# What JSON can hold, as Lambda hands it over: other types, lone surrogates, control characters, wrong base64.
ODD = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            -1,
            1e308,
            float("nan"),
            "",
            "\ud800",
            "é€",
            "\r\nx: y",
            "\x00",
            "a,b",
            "AAA",
            "A===",
            "=",
            "%",
            "/",
            "//",
            "/..",
            "?",
            "https://shop.example",
            "x" * 9000,
            [],
            {},
            [None],
            [[1]],
            {"a": None},
            {"a": [None]},
            ["\ud800"],
            {"\ud800": "x"},
            {"": ""},
            [{}],
            {"content-type": 7},
            {"cookie": ["a"]},
            {"authorization": None},
        ]
    ),
    st.text(max_size=5),
    st.integers(),
)
TARGETS = st.sampled_from(
    ["/any/a/b?x=1&y=%C3%A4", "/any/a%2Fb", "/nowhere", "/wsgi/echo/a?x=1", "/asgi/echo/a?x=1", "/wsgi/cookies", "/"]
)
REQUESTS = st.builds(
    HttpRequest,
    st.sampled_from(["GET", "POST", "OPTIONS", "HEAD", "DELETE"]),
    TARGETS,
    st.just(
        (
            ("Host", "shop.example"),
            ("Content-Type", "application/json"),
            ("Cookie", "a=1; b=2"),
            ("Origin", "https://shop.example"),
            ("X-Test", "1"),
            ("X-Test", "2"),
        )
    ),
    st.sampled_from([b"", b'{"a":1}', b"\xff"]),
)
TEXT = st.one_of(
    st.sampled_from(
        [
            "",
            "*",
            "/",
            "//",
            "/..",
            "%",
            "/%",
            "http://",
            "http://h",
            "http://h/p",
            "x",
            "-1",
            "1e3",
            "٣",
            "999999999",
            "+5",
            " 7",
            "\xff",
            "\r\n",
            "\x00",
            "a,b",
            "a=\xe9",
            "multipart/form-data",
            "text/plain; charset=x",
            'multipart/form-data; boundary="',
            "?",
            "/a?b?c",
            "\u20ac",
        ]
    ),
    st.text(max_size=6),
)


def compiled(provider: str) -> tuple[Any, Any]:
    definition = define(recorded("touch"))
    return compile_application(definition, definition.functions, provider=provider, stage="test", development=False)


@pytest.fixture(scope="module")
def aws_handler() -> Any:
    return multicloud_aws.runtime.create_handler(*compiled("aws"))


@pytest.fixture(scope="module")
def gcp_handler() -> Any:
    return multicloud_gcp.runtime.create_handler(*compiled("gcp"), flask.Response)


@pytest.fixture(scope="module")
def azure_handler() -> Any:
    return multicloud_azure.runtime.create_handler(*compiled("azure"), func.HttpResponse)


@pytest.fixture(scope="module")
def local_app() -> Any:
    return multicloud_local.runtime.create_handler(*compiled("local"))


def assert_harmless(status: int, headers: Any, body: bytes) -> None:
    assert 200 <= status < 500, (status, body[:300])
    shown = repr(headers).encode() + body
    assert not [leak for leak in LEAKS if leak in shown]
    assert not [value for _, value in headers if set(str(value)) & set("\r\n\0")]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in an event."""
    children: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in children for place in places(value, (*path, key)))]


@st.composite
def hostile_events(draw: Any, shape: str) -> Any:
    """Return the event of a request with up to three of its values replaced or removed."""
    event: Any = json.loads(json.dumps(AWS_EVENTS[shape](draw(REQUESTS))))
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(places(event)[1:] or [("x",)]))
        node = event
        for key in parents:
            node = node[key]
        if draw(st.booleans()):
            node[last] = copy.deepcopy(draw(ODD))
        elif isinstance(node, dict):
            node.pop(last, None)
    return event


@pytest.mark.parametrize("shape", AWS_EVENTS)
def test_a_hostile_lambda_event_is_refused_or_answered(shape: str, aws_handler: Any) -> None:
    @FUZZ
    @given(hostile_events(shape))
    def check(event: Any) -> None:
        result = aws_handler(event, LambdaContext(2e9))
        json.dumps(result, allow_nan=False).encode("utf-8")
        assert type(result["statusCode"]) is int
        headers = [*result.get("headers", {}).items()]
        headers += [(name, value) for name, values in result.get("multiValueHeaders", {}).items() for value in values]
        assert_harmless(result["statusCode"], headers, result["body"].encode("utf-8"))

    check()


@FUZZ
@given(event=st.recursive(ODD, lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=8))
@example(event={})
@example(event={"raw_command": "import os; os.abort()"})
@example(event={"command": "os.abort"})
@example(event={"key1": "value1", "key2": "value2"})
@example(event={"Records": [{"eventSource": "aws:s3"}]})
@example(event={"requestContext": {"http": {"method": "GET"}}, "rawPath": None})
@example(event={"httpMethod": "GET", "path": "/a", "requestContext": None})
@example(event={"httpMethod": "GET", "path": "/a", "requestContext": {"elb": None}})
@example(event=[{"httpMethod": "GET"}])
def test_what_is_no_http_event_is_refused(event: Any, aws_handler: Any) -> None:
    result = aws_handler(event, LambdaContext(2e9))
    assert_harmless(result["statusCode"], [], result["body"].encode("utf-8"))
    if not (isinstance(event, dict) and "requestContext" in event):
        assert result["statusCode"] == 400
        assert json.loads(result["body"])["title"] == "Bad Request"


def test_a_test_event_leaves_a_record(aws_handler: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="multicloud"):
        aws_handler({"key1": "value1"}, LambdaContext(2e9))
    assert "no HTTP request" in caplog.text


@FUZZ
@given(
    request=REQUESTS,
    changes=st.dictionaries(
        st.sampled_from(
            [
                "REQUEST_METHOD",
                "PATH_INFO",
                "QUERY_STRING",
                "RAW_URI",
                "CONTENT_LENGTH",
                "CONTENT_TYPE",
                "HTTP_COOKIE",
                "HTTP_HOST",
                "HTTP_X_FORWARDED_FOR",
                "HTTP_FUNCTION_EXECUTION_ID",
                "HTTP_TRACEPARENT",
                "HTTP_ORIGIN",
                "HTTP_X_TEST",
                "REMOTE_ADDR",
            ]
        ),
        # WSGI's strings hold latin-1 (PEP 3333).
        st.one_of(st.none(), TEXT.map(lambda text: text.encode("utf-8", "replace").decode("latin-1"))),
        max_size=4,
    ),
)
def test_a_hostile_wsgi_environment_is_refused_or_answered(
    request: HttpRequest, changes: dict[str, str | None], gcp_handler: Any
) -> None:
    environ = build_environ(request)
    for name, value in changes.items():
        if value is not None:
            environ[name] = value
        elif name not in ("REQUEST_METHOD", "PATH_INFO"):  # PEP 3333 requires these
            environ.pop(name, None)
    native = gcp_handler(flask.Request(environ))
    body, status, headers = native.get_wsgi_response(environ)
    assert_harmless(int(status[:3]), headers, b"".join(body))


@FUZZ
@given(
    method=st.one_of(st.sampled_from(["GET", "POST"]), TEXT),
    url=st.one_of(
        TEXT, TEXT.map(lambda text: f"https://shop.azurewebsites.net/any/{text}"), st.just("https://h/wsgi/echo/a")
    ),
    headers=st.dictionaries(
        st.sampled_from(
            ["x-waws-unencoded-url", "x-forwarded-for", "content-type", "cookie", "X-Test", "origin", "", "a b"]
        ),
        TEXT,
        max_size=4,
    ),
    body=st.one_of(st.none(), st.binary(max_size=8)),
)
def test_a_hostile_azure_request_is_refused_or_answered(
    method: str, url: str, headers: dict[str, str], body: bytes | None, azure_handler: Any
) -> None:
    native = func.HttpRequest(method=method, url=url, headers=headers, body=body)
    answer = loop().run_until_complete(azure_handler(native, Context()))
    assert_harmless(answer.status_code, answer.headers.items(), answer.get_body())


@FUZZ
@given(
    method=TEXT,
    raw_path=st.one_of(st.binary(max_size=12), TEXT.map(lambda text: b"/any/" + text.encode("utf-8", "replace"))),
    query=st.binary(max_size=12),
    headers=st.lists(
        st.tuples(st.sampled_from([b"x-test", b"cookie", b"content-type", b"origin"]), st.binary(max_size=8)),
        max_size=4,
    ),
    messages=st.lists(
        st.sampled_from(
            [
                {"type": "http.request"},
                {"type": "http.request", "body": b"x", "more_body": True},
                {"type": "http.disconnect"},
            ]
        ),
        max_size=3,
    ),
)
def test_a_hostile_asgi_scope_is_refused_or_answered(
    method: str, raw_path: bytes, query: bytes, headers: Any, messages: list[Any], local_app: Any
) -> None:
    scope = {"type": "http", "method": method, "raw_path": raw_path, "query_string": query, "headers": headers}
    sent: list[Any] = []
    waiting = [*messages, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    async def send(message: Any) -> None:
        sent.append(message)

    loop().run_until_complete(local_app(scope, receive, send))
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    assert_harmless(sent[0]["status"], pairs, b"".join(message["body"] for message in sent[1:]))


def test_a_long_path_is_quick(aws_handler: Any) -> None:
    event = AWS_EVENTS["aws"](HttpRequest("GET", "/any" + "/a" * 1900))
    longest = AWS_EVENTS["aws"](HttpRequest("GET", "/" + "%2e/" * 25_000 + "a" * 100_000))
    for one, status in ((event, 200), (longest, 414)):
        taken = []
        for _ in range(5):
            started = time.perf_counter()
            assert aws_handler(one, LambdaContext(2e9))["statusCode"] == status
            taken.append(time.perf_counter() - started)
        assert min(taken) < 0.01


def test_no_secret_of_a_request_is_in_the_log(aws_handler: Any, caplog: pytest.LogCaptureFixture) -> None:
    headers = (("Authorization", "Bearer canary-1"), ("Cookie", "session=canary-2"), ("X-Api-Key", "canary-3"))
    request = HttpRequest("GET", "/asgi/fails?token=canary-4", headers)
    with caplog.at_level(logging.DEBUG):
        assert aws_handler(AWS_EVENTS["aws"](request), LambdaContext(2e9))["statusCode"] == 500
    assert "a handler failed" in caplog.text
    assert "canary" not in caplog.text


def loop() -> Any:
    """Return this module's one loop: mounted applications keep theirs."""
    if not LOOPS:
        LOOPS.append(asyncio.new_event_loop())
    return LOOPS[0]


LOOPS: list[Any] = []


def test_a_body_that_ends_early_is_no_server_error(gcp_handler: Any) -> None:
    environ = build_environ(HttpRequest("POST", "/any/a", (), b"abc"))
    environ |= {"CONTENT_LENGTH": "10", "wsgi.input": BytesIO(b"abc")}
    assert gcp_handler(flask.Request(environ)).status_code < 500


@pytest.mark.parametrize("value", ['x\r\n{"level":"forged"}', "\x1b[31m", "\u2028", "x" * 1_000_000])
def test_what_a_client_sends_stays_on_its_line_of_the_log(
    value: str, aws_handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="multicloud"):
        event = AWS_EVENTS["aws"](HttpRequest("GET", "/asgi/fails"))
        event["requestContext"]["http"]["method"] = value[:50] if len(value) < 100 else value
        event["headers"]["x-test"] = value
        aws_handler(event, LambdaContext(2e9))
        aws_handler(
            {**AWS_EVENTS["aws"](HttpRequest("GET", "/asgi/fails")), "rawPath": "/asgi/fails"}, LambdaContext(2e9)
        )
    records = [record.getMessage() for record in caplog.records if record.name == "multicloud"]
    assert records
    for record in records:
        assert record.isascii()
        assert record.isprintable()
        assert len(record) < 40_000
        json.loads(record)
