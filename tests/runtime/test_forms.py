"""Forms against a writer of RFC 7578 that is made here."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime.errors import HttpError
from multicloud.runtime.forms import MAX_PARTS, parse_content_type, parse_form

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(parts, boundary=BOUNDARY, preamble=b"", epilogue=b"\r\n"):
    """Return a multipart body. parts: (name, filename or None, content type or None, content)."""
    body = preamble
    for name, filename, content_type, content in parts:
        head = f"Content-Disposition: form-data; name={quoted(name)}"
        head += "" if filename is None else f"; filename={quoted(filename)}"
        head += "" if content_type is None else f"\r\nContent-Type: {content_type}"
        body += b"--" + boundary.encode() + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--" + boundary.encode() + b"--" + epilogue


def multipart(body, boundary=BOUNDARY):
    return parse_form(f"multipart/form-data; boundary={boundary}", body)


def status_of(content_type, body):
    with pytest.raises(HttpError) as caught:
        parse_form(content_type, body)
    return caught.value.status_code


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12)
CONTENT = st.binary(max_size=60) | st.lists(
    st.sampled_from([b"\r\n", b"--", b"\r\n--", BOUNDARY.encode()[:8], b"x", b"\n"]), max_size=8
).map(b"".join)
FILE = st.tuples(TEXT.filter(bool), TEXT, st.sampled_from([None, "image/png", "text/plain; charset=utf-8"]), CONTENT)
FIELD = st.tuples(TEXT.filter(bool), st.none(), st.none(), TEXT.map(str.encode))


@given(st.lists(FILE | FIELD, max_size=6))
def test_what_is_written_is_read(parts):
    fields, files = multipart(write(parts))
    assert fields.multi_items() == [
        (name, content.decode()) for name, filename, _, content in parts if filename is None
    ]
    last = {part[0]: part[1:] for part in parts if part[1] is not None}
    assert files.keys() == last.keys()
    for name, (filename, content_type, content) in last.items():
        file = files[name]
        assert (file.filename, file.content_type) == (filename, content_type or "text/plain")
        assert file.content == content


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_urlencoded_pairs_are_read_as_they_were_written(pairs):
    fields, files = parse_form("application/x-www-form-urlencoded; charset=UTF-8", urlencode(pairs).encode())
    assert (fields.multi_items(), files) == (pairs, {})


@given(st.binary(max_size=200), st.booleans())
def test_no_body_is_more_than_a_400(body, framed):
    if framed:
        body = b"--" + BOUNDARY.encode() + body + b"\r\n--" + BOUNDARY.encode() + b"--"
    with suppress(HttpError):
        multipart(body)


def test_a_preamble_and_an_epilogue_are_no_parts():
    body = write([("a", None, None, b"1")], preamble=b"see MIME\r\n", epilogue=b"\r\nbye\r\n")
    assert multipart(body)[0].multi_items() == [("a", "1")]


def test_spaces_may_follow_a_boundary_and_header_names_are_case_insensitive():
    body = f'--{BOUNDARY} \t\r\ncontent-DISPOSITION: form-data; NAME="a"\r\n\r\n1\r\n--{BOUNDARY}--'.encode()
    assert multipart(body)[0].multi_items() == [("a", "1")]


def test_the_boundary_may_be_quoted_and_hold_a_semicolon():
    body = write([("a", None, None, b"1")], boundary="b;c d")
    assert parse_form('Multipart/Form-Data; boundary="b;c d"', body)[0]["a"] == "1"


def test_a_file_says_what_it_is():
    _, files = multipart(write([("f", "../../etc/passwd", "image/png", b"12345")]))
    assert repr(files["f"]) == "UploadedFile('../../etc/passwd', 'image/png', 5 bytes)"


PART = b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
MARK = b"--" + BOUNDARY.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        MARK,
        MARK + PART,
        MARK + PART + MARK,
        MARK + b"x" + PART + MARK + b"--",
        MARK + b"\r\nContent-Disposition: form-data\r\n\r\n1\r\n" + MARK + b"--",
        MARK + b'\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n' + MARK + b"--",
        MARK + b"\r\n\r\n1\r\n" + MARK + b"--",
        MARK + b'\r\nContent-Disposition: form-data; name="a"\r\n1\r\n' + MARK + b"--",
        MARK + b'\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n' + MARK + b"--",
        MARK + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n' + MARK + b"--",
    ],
)
def test_a_malformed_multipart_body_is_a_400(body):
    assert status_of(f"multipart/form-data; boundary={BOUNDARY}", body) == 400


@pytest.mark.parametrize("parameter", ["", "; boundary=", "; boundary=" + "b" * 71, "; charset=utf-8"])
def test_a_boundary_that_is_none_is_a_400(parameter):
    assert status_of("multipart/form-data" + parameter, write([])) == 400


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "multipart/mixed; boundary=x", ";"])
def test_another_media_type_is_a_415(content_type):
    assert status_of(content_type, b"a=1") == 415


def test_an_urlencoded_body_that_is_no_utf_8_is_a_400():
    assert status_of("application/x-www-form-urlencoded", b"a=\xff") == 400


def test_more_parts_than_any_form_has_are_a_413():
    fields, _ = multipart(write([("a", None, None, b"")] * MAX_PARTS))
    assert len(fields.multi_items()) == MAX_PARTS
    body = write([("a", None, None, b"")] * (MAX_PARTS + 1))
    assert status_of(f"multipart/form-data; boundary={BOUNDARY}", body) == 413


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ("", {})),
        ("text/HTML", ("text/html", {})),
        ("text/html; Charset=UTF-8", ("text/html", {"charset": "UTF-8"})),
        ('a/b; x="1;2"; y=3', ("a/b", {"x": "1;2", "y": "3"})),
        (r'a/b; x="\"q\\"', ("a/b", {"x": '"q\\'})),
        ('a/b; x="open; y=2', ("a/b", {"x": '"open; y=2'})),
        ("a/b;;x", ("a/b", {"": "", "x": ""})),
    ],
)
def test_a_content_type_is_split_into_type_and_parameters(value, expected):
    assert parse_content_type(value) == expected
