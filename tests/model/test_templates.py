from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.errors import DefinitionError
from multicloud.model import PathTemplate, parse_template
from multicloud.runtime.router import Router, build
from tests.model.problems import problems_of

NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=8).filter(lambda name: name != "request")
LITERALS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="/{}%?#"), min_size=1, max_size=8
).filter(lambda text: text not in (".", ".."))


@st.composite
def templates(draw: st.DrawFn) -> tuple[list[str], list[str], bool]:
    """Draw segments, the parameters' names and whether the last is greedy."""
    kinds = draw(st.lists(st.booleans(), max_size=6))
    names = draw(st.lists(NAMES, min_size=len(kinds) + 1, max_size=len(kinds) + 1, unique=True))
    segments = [f"{{{name}}}" if kind else draw(LITERALS) for kind, name in zip(kinds, names, strict=False)]
    used = [name for kind, name in zip(kinds, names, strict=False) if kind]
    ending = draw(st.sampled_from(["plain", "slash", "greedy"]))
    if ending == "greedy":
        return [*segments, f"{{{names[-1]}+}}"], [*used, names[-1]], True
    return ([*segments, ""] if ending == "slash" or not segments else segments), used, False


@given(templates())
def test_every_template_that_follows_the_rules_is_taken_apart_and_put_together_again(drawn):
    segments, parameters, greedy = drawn
    path = "/" + "/".join(segments)
    template = parse_template(path)
    assert template == PathTemplate(tuple(segments), tuple(parameters), greedy)
    assert str(template) == path


@given(st.text(max_size=30) | st.text("/{}+.%ab", max_size=12).map("/".__add__))
def test_any_text_is_either_a_template_or_refused_with_its_problems(text):
    try:
        template = parse_template(text)
    except DefinitionError:
        assert problems_of(lambda: parse_template(text))
        return
    assert str(template) == text
    assert len(set(template.parameters)) == len(template.parameters)
    assert all(name.isidentifier() for name in template.parameters)


@given(templates(), st.data())
def test_the_router_finds_every_template_by_a_path_that_fills_it_in(drawn, data):
    segments, parameters, _ = drawn
    values = [data.draw(LITERALS) for _ in parameters]
    filled = iter(values)
    path = "/" + "/".join(next(filled) if part.startswith("{") else part for part in segments)
    template = parse_template("/" + "/".join(segments))
    found = Router(*build([("GET", str(template))])).match("GET", path)
    assert found is not None
    assert (found[0], list(found[1])) == (0, values)


@given(templates(), templates())
def test_templates_that_share_their_anonymous_form_have_one_shape(one, two):
    first, second = (parse_template("/" + "/".join(drawn[0])) for drawn in (one, two))
    if first.anonymous == second.anonymous:
        assert first.shape == second.shape


@pytest.mark.parametrize(
    "path",
    [
        "",
        "items",
        "//",
        "/a//b",
        "/.",
        "/a/../b",
        "/a%20b",
        "/a?b",
        "/a#b",
        "/a\n",
        "/a\x7f",
        "/a\x85",
        "/\ud800",
        "/" + "a" * 1024,
        "/a{b}",
        "/{a}b",
        "/{a}-{b}",
        "/{}",
        "/{+}",
        "/{a",
        "/a}",
        "/{1a}",
        "/{a-b}",
        "/{é}",
        "/{a}/{a}",
        "/{a}/{a+}",
        "/{a+}/b",
        "/{a+}/",
        "/{a++}",
        "/{{a}}",
        "/{request}",
        "/{a b}",
        "/{a:int}",
        "/<a>/{*}",
        None,
        5,
        b"/a",
    ],
)
def test_what_is_no_template_is_refused(path):
    (problem,) = problems_of(lambda: parse_template(path))
    assert problem.place.startswith("path ")


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/", "/café", "/a b", "/a+b", "/a;x=1", "/a\\b", "/...", "/{class}", "/{_}"]
)
def test_unusual_templates_are_accepted(path):
    assert str(parse_template(path)) == path


def test_a_trailing_slash_makes_another_template():
    assert parse_template("/a").segments == ("a",)
    assert parse_template("/a/").segments == ("a", "")
    assert parse_template("/").segments == ("",)


def test_every_fault_of_a_template_is_reported():
    assert len(problems_of(lambda: parse_template("/a{b}/../{c+}/x%20/{d}/{d}"))) == 5
