from __future__ import annotations

import copy
import pickle
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime import multidict
from multicloud.runtime.multidict import Headers, MultiDict, join_headers, parse_query, unquote

PAIRS = [("a", "1"), ("b", ""), ("a", "2"), ("A", "3")]


def test_a_name_gives_its_last_value_and_the_list_gives_all():
    found = MultiDict.from_pairs(PAIRS)
    assert (found["a"], found.get("a"), found.get("x"), found.get("x", "d")) == ("2", "2", None, "d")
    assert (found.get_list("a"), found.get_list("b"), found.get_list("x")) == (["1", "2"], [""], [])
    assert found.multi_items() == PAIRS
    assert list(found) == ["a", "b", "A"]
    with pytest.raises(KeyError):
        found["x"]


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3))))
def test_it_says_of_any_pairs_what_the_pairs_say(pairs):
    found = MultiDict.from_pairs(pairs)
    assert found == dict(pairs)
    for name in found:
        assert found.get_list(name) == [value for key, value in pairs if key == name]
    assert found.multi_items() == pairs


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", "x"),
        lambda d: d.__delitem__("a"),
        lambda d: d.update(a="x"),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.setdefault("n", "x"),
        lambda d: d.__ior__({"a": "x"}),
    ],
)
@pytest.mark.parametrize("found", [MultiDict.from_pairs(PAIRS), Headers({"a": "1"})])
def test_what_was_sent_cannot_be_changed(found, change):
    before = dict(found)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(found)
    assert dict(found) == before


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_hold_the_same_pairs(clone):
    found = clone(MultiDict.from_pairs(PAIRS))
    assert (type(found), found.multi_items()) == (MultiDict, PAIRS)
    headers = clone(Headers({"x-a": "1"}))
    assert (type(headers), headers["X-A"]) == (Headers, "1")


def test_header_names_are_case_insensitive():
    headers = Headers(join_headers([("X-A", "1"), ("Content-Type", "text/plain")]))
    assert (headers["x-a"], headers["X-a"], headers.get("X-A"), headers.get("nope", "d")) == ("1", "1", "1", "d")
    assert ("X-A" in headers, "nope" in headers, 5 in headers) == (True, False, False)
    assert (headers.get_list("X-A"), headers.get_list("nope")) == (["1"], [])
    assert headers.multi_items() == [("x-a", "1"), ("content-type", "text/plain")]
    for absent in ("nope", "Nope"):
        with pytest.raises(KeyError):
            headers[absent]


def test_repeated_headers_are_joined_with_a_comma_and_cookies_with_a_semicolon():
    pairs = [("Accept", "a"), ("cookie", "a=1"), ("ACCEPT", "b, c"), ("Cookie", "b=2"), ("accept", "")]
    assert join_headers(pairs) == {"accept": "a,b, c,", "cookie": "a=1; b=2"}


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("", []),
        ("&", []),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=b", [("", "b")]),
        ("a=1&a=2&b=3&a=1", [("a", "1"), ("a", "2"), ("b", "3"), ("a", "1")]),
        ("a&&b", [("a", ""), ("b", "")]),
        ("a[]=", [("a[]", "")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=1;b=2", [("a", "1;b=2")]),
        ("a=x+y%2Bz", [("a", "x y+z")]),
        ("a+b=%20", [("a b", " ")]),
        ("a%3Db=%26", [("a=b", "&")]),
        ("a=%ff", [("a", "\ufffd")]),
        ("a=%E2%82", [("a", "\ufffd")]),
        ("a=%e2%82%AC", [("a", "€")]),
        ("a=%2525", [("a", "%25")]),
        ("a=%", [("a", "%")]),
        ("a=%g1%4", [("a", "%g1%4")]),
        ("a=\\x41%41", [("a", "\\x41A")]),
        ("a=%00", [("a", "\0")]),
    ],
)
def test_a_query_is_split_by_the_contract_s_rules(raw, pairs):
    assert parse_query(raw) == pairs


@given(st.text(alphabet="ab=&+%20\\x41efFC3é;'\"\n", max_size=30))
def test_a_query_is_read_as_the_standard_library_reads_it(raw):
    expected = parse_qsl(raw, keep_blank_values=True, encoding="utf-8", errors="replace")
    assert parse_query(raw) == expected


@given(st.text(max_size=20) | st.text(alphabet="%0123456789abcdefABCDEFxg\\", max_size=20))
def test_percent_decoding_is_the_standard_library_s(text):
    readable = text.encode("utf-8", "replace").decode()
    assert multidict.unquote_to_bytes(text) == unquote_to_bytes(readable)
    assert unquote(readable) == unquote_to_bytes(readable).decode("utf-8", "replace")
