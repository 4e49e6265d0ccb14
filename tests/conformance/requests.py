"""Random requests as they may stand on a wire, less what ``gaps.yaml`` says that a platform cannot carry."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import strategies as st

from multicloud.provider import HttpRequest

# Lower-case methods are left out: Azure delivers them in upper case (azure-upper-case-methods).
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X-ODD"])
ESCAPES = [
    "%2F",
    "%2f",
    "%5C",
    "%2e",
    "%2E%2E",
    "%25",
    "%252F",
    "%2525",
    "%00",
    "%0D",
    "%0A",
    "%09",
    "%7f",
    "%ff",
    "%E2%82",
    "%C0%AF",
    "%ED%A0%80",
    "%EF%BF%BD",
    "%zz",
    "%",
    "%4",
    "%41",
    "%20",
    "%2B",
    "%26",
    "%3D",
    "%3B",
    "%23",
    "%C3%A4",
    "%F0%9F%98%80",
    "%E2%80%A8",
]
PLAIN = st.text("abzAZ019-._~!$&'()*+,;=:@", min_size=1, max_size=6)
ENCODED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="?"), min_size=1, max_size=4).map(
    lambda text: quote(text, safe="")
)
# An encoded question mark is left out of paths: HTTP APIs cut there (http-api-cuts-at-question-mark).
PIECES = st.one_of(PLAIN, st.sampled_from(ESCAPES), ENCODED)
SEGMENTS = st.one_of(
    st.sampled_from(["", "", ".", "..", "a", "items", "parts", "echo"]), st.lists(PIECES, max_size=4).map("".join)
)
PREFIXES = st.sampled_from(
    ["/any/", "/items/", "/echo", "/files/", "/over/", "/", "/%65cho", "/wsgi/echo/", "/asgi/echo/"]
)
PATHS = st.builds(lambda prefix, segments: prefix + "/".join(segments), PREFIXES, st.lists(SEGMENTS, max_size=5))

# A plain semicolon is left out of queries: REST APIs split there (rest-splits-at-semicolon).
QUERY_TEXT = st.lists(
    st.one_of(
        st.text("abcAZ019-._~!$'()*,:@/?+=[]", min_size=1, max_size=5), st.sampled_from([*ESCAPES, "%3F", "+"]), ENCODED
    ),
    max_size=4,
).map("".join)
QUERIES = st.lists(st.one_of(st.sampled_from(["", "a", "a=1", "a=2", "b=", "=c", "="]), QUERY_TEXT), max_size=6).map(
    "&".join
)
TARGETS = st.one_of(PATHS, st.builds("{}?{}".format, PATHS, QUERIES))

# A header's value has no white space around it: servers strip it, the exchanges are given what they would deliver.
# Names without underscores: gunicorn drops the others (gunicorn-underscores). One spelling of each name: payload 1.0
# keeps no order between two (order-between-spellings).
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12).map(
    str.strip
)
NAMES = st.sampled_from(
    [
        "X-Test",
        "x-test-b",
        "Accept",
        "User-Agent",
        "Authorization",
        "Content-Type",
        "Origin",
        "Traceparent",
        "X-Original-URL",
        "X-WAWS-Unencoded-URL",
        "X-HTTP-Method-Override",
    ]
)
ORIGINS = st.sampled_from(["https://shop.example", "http://localhost:3000", "https://evil.example", "null"])
HEADERS = st.one_of(
    st.tuples(NAMES, VALUES),
    st.tuples(st.just("Origin"), ORIGINS),
    st.tuples(st.just("Access-Control-Request-Method"), METHODS),
    st.tuples(st.just("X-Forwarded-For"), st.sampled_from(["6.6.6.6", "6.6.6.6, 7.7.7.7", "::1", "", "unknown"])),
    st.tuples(st.just("Authorization"), st.sampled_from(["Bearer a.b.c", "Basic YTpi", 'Digest a="b", c="d"'])),
)
# One Cookie header: several arrive joined with a comma on some platforms (joined-cookie-headers).
COOKIE_TEXT = st.one_of(
    st.lists(st.builds("{}={}".format, st.sampled_from("abc"), VALUES), max_size=4).map("; ".join), VALUES
).map(str.strip)
COOKIES = st.one_of(st.just([]), COOKIE_TEXT.map(lambda text: [("Cookie", text)]))

CONTENT_TYPES = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "text/plain; charset=latin-1",
        "TEXT/HTML",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=X",
        "application/xml",
        "",
    ]
)
JSON_TEXT = st.recursive(
    st.sampled_from(["1", "1.5", "-0", "1e400", "NaN", "true", "null", '"ä"', '"\\ud800"', '"', "{", "]", ""]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(inner, max_size=2).map(lambda items: "{" + ",".join(f'"k":{item}' for item in items) + "}"),
    ),
    max_leaves=6,
)
MULTIPART = st.lists(
    st.sampled_from(
        [
            'Content-Disposition: form-data; name="a"',
            'content-disposition: form-data; name="f"; filename="x"',
            "X: y",
            "",
            "--X",
        ]
    ),
    max_size=4,
).map(lambda heads: "".join(f"--X\r\n{head}\r\n\r\nvalue\r\n" for head in heads) + "--X--")
BODIES = st.one_of(
    st.just(b""), st.binary(max_size=40), JSON_TEXT.map(str.encode), QUERIES.map(str.encode), MULTIPART.map(str.encode)
)

PLAIN_TARGETS = st.sampled_from(
    ["/echo", "/echo?a=1", "/items/1", "/any/a/b", "/nowhere", "/files/x", "/json", "/text", "/form"]
)


def _request(
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    cookies: list[tuple[str, str]],
    content_type: str | None,
    body: bytes,
) -> HttpRequest:
    pairs = [*headers, *cookies]
    if content_type is not None:
        pairs.append(("Content-Type", content_type))
    if body:
        pairs.append(("Content-Length", str(len(body))))
    return HttpRequest(method, target, tuple(pairs), body)


NOTHING = st.just([])
THEMES: dict[str, st.SearchStrategy[HttpRequest]] = {
    "targets": st.builds(_request, METHODS, TARGETS, NOTHING, NOTHING, st.none(), st.just(b"")),
    "headers": st.builds(
        _request, METHODS, PLAIN_TARGETS, st.lists(HEADERS, max_size=6), COOKIES, st.none(), st.just(b"")
    ),
    "bodies": st.builds(
        _request,
        st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"]),
        PLAIN_TARGETS,
        NOTHING,
        NOTHING,
        st.one_of(st.none(), CONTENT_TYPES),
        BODIES,
    ),
    "all": st.builds(
        _request, METHODS, TARGETS, st.lists(HEADERS, max_size=4), COOKIES, st.one_of(st.none(), CONTENT_TYPES), BODIES
    ),
}
