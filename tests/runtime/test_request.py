from __future__ import annotations

import time

import pytest

from multicloud.runtime.errors import HttpError
from multicloud.runtime.request import Identity, Request, check_headers, parse_traceparent
from tests.runtime.applications import PlainRequest

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def request(target="/", headers=(), body=b"", method="POST"):
    made = PlainRequest(method, target, headers, body)
    made.load_body(body, 100)
    return made


def status_of(read):
    with pytest.raises(HttpError) as caught:
        read()
    return caught.value.status_code


def test_what_may_not_be_needed_is_read_at_first_use_and_kept():
    made = request("/?a=1", [("Cookie", "a=1"), ("Content-Type", "application/x-www-form-urlencoded")], b"f=1")
    for name in ("query", "headers", "cookies", "form", "files"):
        assert getattr(made, name) is getattr(made, name), name
    assert (made.query["a"], made.cookies["a"], made.form["f"], made.files) == ("1", "1", "1", {})


def test_an_empty_body_is_bytes():
    made = PlainRequest("GET", "/")
    assert (made.body, made.text) == (b"", "")


def test_a_body_over_the_limit_is_a_413():
    made = PlainRequest("POST", "/")
    made.load_body(b"x" * 10, 10)
    assert made.body == b"x" * 10
    assert status_of(lambda: made.load_body(b"x" * 11, 10)) == 413


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("", "é".encode(), "é"),
        ("text/plain; charset=UTF-8", "é".encode(), "é"),
        ('text/plain; charset="utf-8"', b"x", "x"),
        ("text/plain; charset=us-ascii", b"x", "x"),
        ("text/plain; charset=utf-16", b"x", 415),
        ("text/plain; charset=bogus", b"x", 415),
        ("text/plain; charset=iso-8859-1", b"\xe9", 415),
        ("text/plain", b"\xff", 400),
    ],
)
def test_text_is_utf_8_and_nothing_else(content_type, body, expected):
    made = request(headers=[("Content-Type", content_type)] if content_type else (), body=body)
    if isinstance(expected, int):
        assert status_of(lambda: made.text) == expected
    else:
        assert made.text == expected


def test_json_is_read_whatever_the_content_type_says():
    assert request(headers=[("Content-Type", "text/plain")], body=b'{"a":1}').json() == {"a": 1}
    assert status_of(lambda: request(body=b"{").json()) == 400
    assert status_of(lambda: request().json()) == 400


def test_a_form_of_another_type_is_a_415_each_time():
    made = request(headers=[("Content-Type", "application/json")], body=b"{}")
    assert status_of(lambda: made.form) == 415
    assert status_of(lambda: made.files) == 415


@pytest.mark.parametrize(
    ("name", "value", "is_refused"),
    [
        ("authorization", "Bearer a,Bearer b", True),
        ("authorization", "bearer a, b", True),
        ("authorization", "Basic YTpi,Basic YTpi", True),
        ("authorization", "Bearer a", False),
        ("authorization", 'Digest username="a", realm="b"', False),
        ("authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=b", False),
        ("content-type", "text/plain,text/html", True),
        ("content-type", 'multipart/form-data; boundary="a,b"', False),
        ("host", "a.example,b.example", True),
        ("host", "a.example", False),
        ("content-length", "5,5", True),
        ("accept", "a,b", False),
    ],
)
def test_a_header_that_must_be_single_is_refused_when_repeated(name, value, is_refused):
    if is_refused:
        assert status_of(lambda: check_headers({name: value})) == 400
    else:
        check_headers({name: value})


def test_a_trace_is_read_from_the_w3c_headers():
    made = request(headers=[("Traceparent", f"00-{TRACE}-{PARENT}-01"), ("Tracestate", "a=1")])
    trace = made.trace
    assert (trace.trace_id, trace.parent_id, trace.sampled, trace.state) == (TRACE, PARENT, True, "a=1")


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{PARENT}-00", False),
        (f"00-{TRACE}-{PARENT}-03", True),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-brings", True),
        ("", None),
        (f"00-{TRACE}-{PARENT}", None),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE[:-1]}g-{PARENT}-01", None),
        (f"0-{TRACE}-{PARENT}-01", None),
    ],
)
def test_a_malformed_traceparent_is_no_trace(header, sampled):
    trace = parse_traceparent(header, "")
    assert (None if trace is None else trace.sampled) == sampled


def test_the_time_left_is_never_below_zero():
    made = PlainRequest(seconds=10)
    assert 9 < made.remaining_seconds <= 10
    assert abs(made.deadline - (time.time() + 10)) < 1
    assert PlainRequest(seconds=-5).remaining_seconds == 0


def test_an_identity_has_one_shape():
    identity = Identity("u1", ["a", "b", "a"])
    assert (identity.subject, identity.scopes, identity.claims, identity.api_key_id) == ("u1", {"a", "b"}, {}, None)
    assert PlainRequest().identity is None


def test_middleware_may_hang_further_attributes_on_a_request():
    made = PlainRequest("GET", "/a")
    made.user = "ada"
    assert (made.user, repr(made)) == ("ada", "<Request GET /a>")


@pytest.mark.parametrize(
    "name", ["raw_path", "raw_query", "client_ip", "request_id", "url_bytes", "plain_headers", "read_deadline"]
)
def test_a_provider_that_forgets_a_part_of_its_request_hears_of_it(name):
    with pytest.raises(NotImplementedError):
        getattr(Request("GET", "/", None), name)()
