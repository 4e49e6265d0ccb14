"""Cookies out are read back by the standard library and by Azure's own worker; cookies in are never an error."""

from __future__ import annotations

from datetime import UTC, datetime
from http.cookies import SimpleCookie
from urllib.parse import unquote

import protos
import pytest
from azure_functions_runtime.bindings.datumdef import parse_to_rpc_http_cookie_list
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime.cookies import MAX_COOKIES, VALUE, Cookie, as_cookies, is_http_date, parse_cookies
from multicloud.runtime.cookies import parse_set_cookie as parse

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

NAMES = st.text("abcXYZ019!#$&'*+-.^_`|~", min_size=1, max_size=8).filter(
    # Names that http.cookies takes for attributes, or refuses.
    lambda name: name.lower() not in ("path", "domain", "secure") and not name.startswith("$") and "'" not in name
)
COOKIES = st.builds(
    Cookie,
    NAMES,
    st.text(sorted(VALUE), max_size=12),
    path=st.none() | st.sampled_from(["/", "/a/b", "/a-b.c"]),
    domain=st.none() | st.sampled_from(["example.com", ".example.com"]),
    max_age_seconds=st.none() | st.integers(0, 10**9),
    expires=st.none() | st.just(DATE),
    http_only=st.booleans(),
    same_site=st.none() | st.sampled_from(["Lax", "strict", "NONE"]),
)


@given(COOKIES)
def test_the_standard_library_reads_what_was_set(cookie):
    ((name, morsel),) = SimpleCookie(cookie.header()).items()
    assert (name, unquote(morsel.value)) == (cookie.name, cookie.value)
    assert morsel["path"] == (cookie.path or "")
    assert morsel["domain"] == (cookie.domain or "")
    assert morsel["max-age"] == ("" if cookie.max_age_seconds is None else str(cookie.max_age_seconds))
    assert morsel["expires"] == (cookie.expires or "")
    assert (bool(morsel["secure"]), bool(morsel["httponly"])) == (cookie.secure, cookie.http_only)
    assert morsel["samesite"].lower() == (cookie.same_site or "").lower()


@given(COOKIES)
def test_azure_s_worker_loses_nothing(cookie):
    (sent,) = parse_to_rpc_http_cookie_list([SimpleCookie(cookie.header(encode_value=False))], protos)
    assert (sent.name, sent.value) == (cookie.name, cookie.value)
    assert (sent.path.value, sent.domain.value) == (cookie.path or "", cookie.domain or "")
    assert sent.HasField("max_age") == (cookie.max_age_seconds is not None)
    if cookie.max_age_seconds is not None:
        assert int(sent.max_age.value) == cookie.max_age_seconds
    assert sent.HasField("expires") == (cookie.expires is not None)
    assert (sent.secure.value, sent.http_only.value) == (cookie.secure, cookie.http_only)
    assert sent.same_site == {None: 0, "lax": 1, "strict": 2, "none": 3}[cookie.same_site and cookie.same_site.lower()]


@given(COOKIES)
def test_a_mounted_application_s_set_cookie_is_read_back(cookie):
    assert parse(cookie.header()).header() == cookie.header()


def test_a_cookie_is_private_by_default():
    assert Cookie("a", "b").header() == "a=b; path=/; secure; samesite=lax; httponly"
    assert Cookie("a", "b", path=None, secure=False, http_only=False, same_site=None).header() == "a=b"
    assert Cookie("a", "", max_age_seconds=0).header() == "a=; max-age=0; path=/; secure; samesite=lax; httponly"


def test_a_value_is_percent_encoded_unless_the_platform_does_it():
    cookie = Cookie("a", "b/c=d", path=None, secure=False, http_only=False, same_site=None)
    assert (cookie.header(), cookie.header(encode_value=False)) == ("a=b%2Fc%3Dd", "a=b/c=d")


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("", "v"), {}),
        (("a b", "v"), {}),
        (("a=b", "v"), {}),
        (("a\n", "v"), {}),
        (("ä", "v"), {}),
        (("a", "v w"), {}),
        (("a", "v;w"), {}),
        (("a", "v,w"), {}),
        (("a", 'v"'), {}),
        (("a", "v\\"), {}),
        (("a", "v\r\nSet-Cookie: b=1"), {}),
        (("a", "é"), {}),
        (("a", "v"), {"path": "/;Domain=evil"}),
        (("a", "v"), {"path": "/\n"}),
        (("a", "v"), {"domain": "münchen.example"}),
        (("a", "v"), {"same_site": "Maybe"}),
        (("a", "v"), {"same_site": "None", "secure": False}),
        (("a", "v"), {"expires": "tomorrow"}),
        (("a", "v"), {"expires": "Wednesday, 21-Oct-26 07:28:00 GMT"}),
    ],
)
def test_a_cookie_that_could_not_be_sent_is_refused_when_it_is_made(arguments, options):
    with pytest.raises(ValueError, match="cookie"):
        Cookie(*arguments, **options)


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 99 Oct 2026 07:28:00 GMT",
        "Wed, 31 Feb 2026 07:28:00 GMT",
        "Wed, 21 Oct 2026 24:00:00 GMT",
        "Wed, 21 Oct 2026 07:60:00 GMT",
        "Wed, 21 Okt 2026 07:28:00 GMT",
        "Mit, 21 Oct 2026 07:28:00 GMT",
        "Wed, 21 Oct 2026 07:28:00 UTC",
        "Wed  21 Oct 2026 07:28:00 GMT",
        "Wed, 21-Oct-2026 07:28:00 GMT",
        "Wed, 21 Oct 2026 07.28.00 GMT",
        "Wed, ²1 Oct 2026 07:28:00 GMT",
        "Wed, 21 Oct 0000 07:28:00 GMT",
        "",
    ],
)
def test_a_date_that_azure_s_worker_would_fail_on_is_none(text):
    assert not is_http_date(text)


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1)))
def test_every_date_of_rfc_9110_is_one(moment):
    assert is_http_date(moment.replace(tzinfo=UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"))


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("a=1; Partitioned", "partitioned"),
        ("a=1; Priority=High", "priority"),
        ("a=%22", "encode"),
        ("a=1; Max-Age=soon", "Max-Age"),
        ("a=1; Expires=soon", "expires"),
        ("=1", "name"),
        ("", "name"),
    ],
)
def test_a_set_cookie_that_not_every_provider_keeps_is_refused(header, word):
    with pytest.raises(ValueError, match=f"(?i){word}"):
        parse(header)


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        (";;;", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2", {"a": "1", "b": "2"}),
        ("a=1; a=2", {"a": "1"}),
        ("a=", {"a": ""}),
        ("=1", {}),
        ("a", {}),
        ("a=b=c", {"a": "b=c"}),
        ('a="b c"', {"a": "b c"}),
        ('a="', {"a": '"'}),
        ('a="b', {"a": '"b'}),
        ("a=%20", {"a": "%20"}),
        (" a = 1 ", {"a": "1"}),
        ("a=é\xff", {"a": "é\xff"}),
        ("$Version=1; a=1", {"$Version": "1", "a": "1"}),
    ],
)
def test_cookies_in_are_read_tolerantly_and_the_first_wins(header, cookies):
    assert parse_cookies(header) == cookies


@given(st.text())
def test_no_cookie_header_is_an_error(header):
    assert len(parse_cookies(header)) <= MAX_COOKIES


def test_fifty_cookies_are_exposed():
    found = parse_cookies("; ".join(f"c{number}={number}" for number in range(300)))
    assert list(found) == [f"c{number}" for number in range(MAX_COOKIES)]


def test_response_cookies_are_a_mapping_or_a_list():
    assert [cookie.header() for cookie in as_cookies({"a": "1"})] == [Cookie("a", "1").header()]
    cookie = Cookie("b", "2")
    assert as_cookies([cookie]) == [cookie]
