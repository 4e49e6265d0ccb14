"""The router against a matcher that asks every template, one by one."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multicloud.runtime.errors import HttpError
from multicloud.runtime.router import Router, build, decode_path

METHODS = ("GET", "POST", "HEAD")


def precedence(template):
    """What CONTRACT says: literals beat parameters, those beat a greedy one; more literals win; then the first one."""
    segments = template.split("/")[1:]
    shape = "".join("2" if "+}" in part else "1" if "{" in part else "0" for part in segments)
    return ("2" in shape, -shape.count("0"), shape)


def values_of(template, path):
    """Return the values of a template's parameters, None if the path does not match."""
    parts, values = path.split("/")[1:], []
    segments = template.split("/")[1:]
    for number, segment in enumerate(segments):
        if segment.endswith("+}"):
            rest = "/".join(parts[number:])
            return (*values, rest) if rest else None
        if number >= len(parts):
            return None
        if segment.startswith("{"):
            if not parts[number]:
                return None
            values.append(parts[number])
        elif segment != parts[number]:
            return None
    return tuple(values) if len(parts) == len(segments) else None


def slow_match(routes, method, path):
    found = [
        (precedence(template), number, values)
        for number, (known, template) in enumerate(routes)
        if known == method and (values := values_of(template, path)) is not None
    ]
    if found:
        return min(found)[1:]
    return slow_match(routes, "GET", path) if method == "HEAD" else None


def router_of(routes):
    return Router(*build(routes))


def match(router, method, path):
    found = router.match(method, path)
    return None if found is None else (found[0], tuple(found[1]))


SEGMENTS = st.sampled_from(["a", "b", "{}", ""])


@st.composite
def templates(draw):
    parts = draw(st.lists(SEGMENTS, min_size=1, max_size=4))
    if draw(st.booleans()) and draw(st.booleans()):
        parts.append("{+}")
    # An empty segment is a template's last one, if any (multicloud.model.templates).
    parts = [part for part in parts[:-1] if part] + parts[-1:]
    return "/" + "/".join(part.replace("{", f"{{p{number}") for number, part in enumerate(parts))


def shape(template):
    return "/".join("{}" if part.startswith("{") and "+" not in part else part for part in template.split("/"))


ROUTES = st.lists(
    st.tuples(st.sampled_from(METHODS), templates()), max_size=12, unique_by=lambda r: (r[0], shape(r[1]))
)
PATHS = st.lists(st.sampled_from(["a", "b", "a", "b", "c", ""]), min_size=1, max_size=6).map(
    lambda parts: "/" + "/".join(parts)
)


@settings(max_examples=400)
@given(ROUTES, st.sampled_from(METHODS), PATHS)
def test_it_finds_what_asking_every_template_finds(routes, method, path):
    assert match(router_of(routes), method, path) == slow_match(routes, method, path)


@given(ROUTES, PATHS)
def test_it_knows_every_template_that_a_path_matches(routes, path):
    leaves = router_of(routes).leaves(path)
    numbers = {number for leaf in leaves for number in leaf.values() if isinstance(number, int)}
    assert numbers == {number for number, (_, template) in enumerate(routes) if values_of(template, path) is not None}


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/items/special", "/items/special"),
        ("/items/5", "/items/{id}"),
        ("/items/5/parts", "/items/{id}/parts"),
        ("/items/5/x", "/items/{id}/{part}"),
        ("/items/special/x", "/items/special/{part}"),
        ("/items/5/x/y", "/items/{rest+}"),
        ("/items/5/", "/items/{rest+}"),
        ("/items//x", "/items/{rest+}"),
        ("/items/", None),
        ("/items", None),
        ("/", None),
        ("/Items/5", None),
    ],
)
def test_literals_beat_parameters_and_those_beat_a_greedy_one(path, template):
    known = [
        "/items/{rest+}",
        "/items/{id}/{part}",
        "/items/special/{part}",
        "/items/{id}/parts",
        "/items/{id}",
        "/items/special",
    ]
    found = router_of([("GET", one) for one in known]).match("GET", path)
    assert (None if found is None else known[found[0]]) == template


def test_more_literals_win_and_of_equals_the_one_whose_literal_comes_first():
    routes = [("GET", "/a/{x}/{y}"), ("GET", "/{x}/b/b"), ("GET", "/{x}/{y}/b"), ("GET", "/{rest+}")]
    router = router_of(routes)
    assert match(router, "GET", "/a/b/b") == (1, ("a",))
    assert match(router, "GET", "/a/c/b") == (0, ("c", "b"))
    assert match(router, "GET", "/c/c/b") == (2, ("c", "c"))
    assert match(router, "GET", "/c/c/c") == (3, ("c/c/c",))


def test_a_greedy_value_may_hold_empty_segments_and_is_never_empty():
    router = router_of([("GET", "/files/{path+}")])
    assert match(router, "GET", "/files//x") == (0, ("/x",))
    assert match(router, "GET", "/files/a//b/") == (0, ("a//b/",))
    assert match(router, "GET", "/files/") is None


def test_a_path_and_the_same_with_a_slash_are_two():
    router = router_of([("GET", "/a"), ("GET", "/b/"), ("GET", "/c/{x}/")])
    assert match(router, "GET", "/a") == (0, ())
    assert match(router, "GET", "/a/") is None
    assert match(router, "GET", "/b") is None
    assert match(router, "GET", "/c/1/") == (2, ("1",))
    assert match(router, "GET", "/c/1") is None


def test_head_is_answered_by_its_own_handler_or_else_by_get_s():
    router = router_of([("GET", "/a/{x}"), ("HEAD", "/b/{x}"), ("GET", "/b/{x}"), ("POST", "/c")])
    assert match(router, "HEAD", "/a/1") == (0, ("1",))
    assert match(router, "HEAD", "/b/1") == (1, ("1",))
    assert match(router, "HEAD", "/c") is None


class Counting(dict):
    """A dict of the router's tree that counts how often it is asked."""

    asked = 0

    def get(self, key, default=None):
        Counting.asked += 1
        return dict.get(self, key, default)


def counting(node):
    if not isinstance(node, dict):
        return node
    return Counting({key: counting(value) for key, value in node.items()})


def work(routes, path):
    static, tree = build(routes)
    Counting.asked = 0
    found = Router(static, counting(tree)).match("GET", path)
    return found is not None, Counting.asked


def test_the_work_does_not_grow_with_the_number_of_routes():
    def api(count):
        return [("GET", f"/r{number}/{{id}}/part{number}/{{part}}") for number in range(count)]

    found, few = work(api(2), "/r1/5/part1/6")
    assert found
    assert work(api(2000), "/r1999/5/part1999/6") == (True, few)
    assert work(api(2000), "/r1999/5/part1998/6")[0] is False


def test_the_work_is_bounded_by_the_templates_whatever_the_path():
    routes = [("GET", "/" + "/".join(f"{{p{n}}}" for n in range(depth))) for depth in range(1, 9)]
    started = time.perf_counter()
    assert router_of(routes).match("GET", "/" + "a/" * 50_000) is None
    assert router_of([*routes, ("GET", "/{rest+}")]).match("GET", "/" + "a/" * 50_000) is not None
    assert time.perf_counter() - started < 0.5


# The path before it is matched.


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        ("/a", "/a"),
        ("/caf%C3%A9", "/café"),
        ("/a%2Fb", "/a/b"),
        ("/a%5Cb", "/a\\b"),
        ("/%252F", "/%2F"),
        ("/%25", "/%"),
        ("/a%zz%", "/a%zz%"),
        ("/a;x=1", "/a;x=1"),
        ("/a+b", "/a+b"),
        ("/.well-known/x", "/.well-known/x"),
        ("/...", "/..."),
        ("/a//b", "/a//b"),
        ("/%F0%9F%8D%8B", "/🍋"),
    ],
)
def test_a_path_is_decoded_exactly_once(raw, decoded):
    assert decode_path(raw, encoded=True) == decoded


def test_a_path_that_the_platform_decoded_is_not_decoded_again():
    assert decode_path("/%2F", encoded=False) == "/%2F"
    with pytest.raises(HttpError):
        decode_path("/\ufffd", encoded=False)


NO_UTF_8 = ["/%ff", "/%E2%82", "/%C0%AF", "/%ED%A0%80", "/%EF%BF%BD", "/a" + chr(0xD800)]
CONTROLS = ["/%00", "/%0a", "/%1f", "/%7f", "/" + chr(1)]
DOTS = ["/.", "/..", "/a/..", "/a/./b", "/../a", "/%2e%2e/a", "/a/%2E", "/a%2F..%2Fb", "/%2e."]


@pytest.mark.parametrize("raw", [*NO_UTF_8, *CONTROLS, *DOTS])
def test_a_path_that_no_two_platforms_would_route_alike_is_a_400(raw):
    with pytest.raises(HttpError) as caught:
        decode_path(raw, encoded=True)
    assert caught.value.status_code == 400


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd/"), min_size=1))
def test_any_text_arrives_as_it_was_encoded(text):
    if text in (".", ".."):
        return
    assert decode_path("/x/" + quote(text, safe=""), encoded=True) == "/x/" + text


def test_a_long_path_is_decoded_quickly():
    started = time.perf_counter()
    decode_path("/" + "%41" * 33_000, encoded=True)
    decode_path("/" + "%" * 100_000, encoded=True)
    assert time.perf_counter() - started < 0.5
