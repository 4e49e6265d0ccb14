"""What may be kept and for how long, and what a client that kept it is told: through the dispatcher, on every loop."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from multicloud import PUBLIC, Api, ApiKeyAuthorizer, Cdn, Cookie, Cors, Function, NotFound, Quota, Response
from multicloud.deploy.assembly import unused_modules
from multicloud.deploy.caching import caching_literals
from multicloud.model import define
from multicloud.runtime.caching import entity_tag, matches
from tests.runtime.applications import LOOPS, platform

TAG = '"0123"'


def keeping(handler: Any, *, cdn: Cdn | None = None, **options: Any) -> Api:
    """Return an API whose one route may be kept for 60 seconds."""
    api = Api("kept", cdn=cdn, **options)
    api.get("/", cache_seconds=60)(handler)
    return api


def ask(api: Api, *, target: str = "/", method: str = "GET", kind: str = "inline", **headers: str) -> Response:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    with platform(api, kind) as running:
        return running.send(method, target, pairs)


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
def test_an_answer_that_may_be_kept_says_for_how_long_and_has_a_strong_tag(kind: str, is_async: bool) -> None:
    async def in_time() -> Any:
        return {"a": 1}

    api = keeping(in_time if is_async else lambda: {"a": 1})
    answer = ask(api, kind=kind)
    assert (answer.status_code, answer.body) == (200, b'{"a":1}')
    assert answer.headers["cache-control"] == "public, max-age=60"
    tag = answer.headers["etag"]
    assert (tag[0], len(tag), tag[-1]) == ('"', 34, '"')
    again = ask(api, kind=kind, if_none_match=tag)
    assert (again.status_code, again.body, again.content_type) == (304, b"", None)
    assert dict(again.headers.items()) == {"cache-control": "public, max-age=60", "etag": tag}


def test_head_has_the_tag_and_the_304_of_get() -> None:
    api = keeping(lambda: "text")
    tag = ask(api).headers["etag"]
    head = ask(api, method="HEAD")
    assert (head.status_code, head.headers["etag"], head.headers["content-length"], head.body) == (200, tag, "4", b"")
    again = ask(api, method="HEAD", if_none_match=tag)
    assert (again.status_code, "content-length" in again.headers) == (304, False)


def test_the_tag_follows_the_bytes_and_what_they_are() -> None:
    tags = {
        entity_tag(Response(body, content_type=kind, headers=headers))
        for body, kind, headers in (
            (b"a", "text/plain", None),
            (b"b", "text/plain", None),
            (b"a", "text/html", None),
            (b"a", "text/html", {"content-encoding": "br"}),
        )
    }
    assert len(tags) == 4
    assert entity_tag(Response(b"a", content_type="text/plain")) in tags


@pytest.mark.parametrize(
    ("field", "is_named"),
    [
        ("*", True),
        (" * ", True),
        ('"v1"', True),
        ('W/"v1"', True),
        ('"v0", "v1"', True),
        ('"v0","v1"', True),
        ('W/"v0" , W/"v1"', True),
        (', "v1",', True),
        ('"v0,v1", "v1"', True),
        ("", False),
        ("v1", False),
        ('"V1"', False),
        ('"v1', False),
        ('v1"', False),
        ('w/"v1"', False),
        ('"v0" "v1"', False),
        ('*, "v1"', False),
        ('"v1", W/', False),
        ('"v1"x', False),
        ('"v0,v1"', False),
        ("**", False),
        ('"*"', False),
    ],
)
def test_if_none_match_is_read_as_rfc_9110_writes_it(field: str, is_named: bool) -> None:
    assert matches(field, '"v1"') is is_named
    assert matches(field, 'W/"v1"') is is_named
    answer = ask(keeping(lambda: Response("x", headers={"etag": '"v1"'})), if_none_match=field)
    assert answer.status_code == (304 if is_named else 200)


def test_repeated_fields_are_one_list() -> None:
    with platform(keeping(lambda: Response("x", headers={"etag": '"v1"'}))) as running:
        answer = running.send("GET", "/", [("if-none-match", '"v0"'), ("if-none-match", '"v1"')])
    assert answer.status_code == 304


def test_a_long_field_is_read_in_no_time() -> None:
    assert not matches('"a",' * 100_000, TAG)
    assert not matches('"' * 100_001, TAG)


@pytest.mark.parametrize("control", ["private, max-age=5", "no-cache", "public, s-maxage=9", "no-store"])
def test_a_handlers_own_words_stay(control: str) -> None:
    answer = ask(keeping(lambda: Response("x", headers={"cache-control": control, "etag": 'W/"own"'})))
    assert (answer.headers["cache-control"], answer.headers["etag"]) == (control, 'W/"own"')


def test_what_is_never_stored_needs_no_tag() -> None:
    answer = ask(keeping(lambda: Response("x", headers={"cache-control": "no-store"})))
    assert "etag" not in answer.headers
    assert "etag" in ask(keeping(lambda: Response("x", headers={"cache-control": "private, max-age=5"}))).headers


def test_a_304_keeps_what_guides_a_cache_and_drops_what_describes_a_body() -> None:
    kept = {
        "etag": TAG,
        "vary": "accept-language",
        "expires": "Wed, 21 Oct 2026 07:28:00 GMT",
        "content-location": "/v1",
        "x-total": "7",
        "cache-control": "public, max-age=60",
    }
    dropped = {
        "content-encoding": "br",
        "content-language": "de",
        "last-modified": "Wed, 21 Oct 2026 07:28:00 GMT",
    }
    answer = ask(keeping(lambda: Response(b"x", headers={**kept, **dropped})), if_none_match=TAG)
    assert (answer.status_code, dict(answer.headers.items())) == (304, kept)


def test_a_response_that_a_handler_answers_with_again_is_not_spoilt_by_a_304() -> None:
    shared = Response("x", headers={"etag": TAG, "content-language": "de"})
    api = keeping(lambda: shared)
    assert ask(api, if_none_match=TAG).status_code == 304
    again = ask(api)
    assert (again.status_code, again.body, again.headers["content-language"]) == (200, b"x", "de")


def test_a_304_and_an_error_bear_cors_headers() -> None:
    cors = Cors(allow_origins=["https://shop.example"])
    answer = ask(keeping(lambda: "x", cors=cors), if_none_match="*", origin="https://shop.example")
    assert answer.status_code == 304
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["vary"] == "Origin"


def test_an_answer_kept_for_a_program_serves_a_page_where_any_origin_may_read() -> None:
    cors = Cors(allow_origins=["*"])
    answer = ask(keeping(lambda: "x", cors=cors))
    assert (answer.headers["access-control-allow-origin"], "vary" in answer.headers) == ("*", False)


@pytest.mark.parametrize("status_code", [201, 202, 302, 307, 400, 404, 410, 500, 503])
def test_only_successes_and_permanent_redirects_are_kept(status_code: int) -> None:
    answer = ask(keeping(lambda: Response("x", status_code)), if_none_match="*")
    assert (answer.status_code, answer.headers["cache-control"]) == (status_code, "no-store")
    assert "etag" not in answer.headers


@pytest.mark.parametrize("status_code", [204, 301, 308])
def test_what_has_no_entity_is_kept_without_a_tag(status_code: int) -> None:
    answer = ask(keeping(lambda: Response(None, status_code)), if_none_match="*")
    assert (answer.status_code, answer.headers["cache-control"]) == (status_code, "public, max-age=60")
    assert "etag" not in answer.headers


def test_an_error_is_not_kept_whoever_raised_it() -> None:
    def missing() -> Any:
        raise NotFound("gone")

    def failing() -> Any:
        raise RuntimeError("broken")

    for handler in (missing, failing):
        assert ask(keeping(handler)).headers["cache-control"] == "no-store"


def test_an_answer_that_sets_a_cookie_is_for_one_client() -> None:
    answer = ask(keeping(lambda: Response("x", cookies=[Cookie("a", "1")])))
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)


def test_a_generator_is_collected_so_that_its_tag_is_the_same_everywhere() -> None:
    def chunks() -> Any:
        yield "a"
        yield "b"

    api = keeping(chunks)
    with platform(api, streaming=True) as streaming, platform(api, streaming=False) as collecting:
        one, other = streaming.send(), collecting.send()
    assert (one.body, one.headers["etag"]) == (other.body, other.headers["etag"]) == (b"ab", other.headers["etag"])


def test_routes_that_state_nothing_say_nothing() -> None:
    api = keeping(lambda: "x")
    api.get("/other")(lambda: Response("x", headers={"etag": TAG}))
    api.post("/")(lambda: "made")
    other = ask(api, target="/other", if_none_match=TAG)
    assert (other.status_code, "cache-control" in other.headers) == (200, False)
    assert "cache-control" not in ask(api, method="POST").headers
    assert "cache-control" not in ask(api, target="/nowhere").headers


def test_a_head_handler_of_its_own_is_not_described_by_get() -> None:
    api = keeping(lambda: "x")
    api.head("/")(lambda: Response(None, headers={"x-own": "1"}))
    answer = ask(api, method="HEAD")
    assert (answer.headers["x-own"], "etag" in answer.headers) == ("1", False)
    assert "etag" in ask(api).headers


# Behind a Cdn.


def test_a_cdn_keeps_public_answers_for_its_own_time_where_the_route_states_none() -> None:
    api = keeping(lambda: "x", cdn=Cdn(default_cache_seconds=5))
    api.get("/other")(lambda: "x")
    assert ask(api).headers["cache-control"] == "public, max-age=60"
    assert ask(api, target="/other").headers["cache-control"] == "public, max-age=5"


def test_behind_a_cdn_what_is_not_kept_says_so() -> None:
    api = Api("shop", cdn=Cdn())
    api.get("/")(lambda: "x")
    for answer in (ask(api), ask(api, target="/nowhere"), ask(api, method="HEAD")):
        assert answer.headers["cache-control"] == "no-store"
    assert "cache-control" not in ask(api, method="POST").headers


def test_an_answer_to_a_caller_is_never_kept_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICLOUD_SECRET_PARTNER", "open sesame")
    api = Api("shop", cdn=Cdn(default_cache_seconds=5), authorizer=ApiKeyAuthorizer(keys={"partner": "partner"}))
    api.get("/mine")(lambda request: request.identity.api_key_id)
    api.get("/all", authorizer=PUBLIC)(lambda: "x")
    mine = ask(api, target="/mine", x_api_key="open sesame")
    assert (mine.body, mine.headers["cache-control"]) == (b"partner", "no-store")
    refused = ask(api, target="/mine")
    assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")
    assert ask(api, target="/all").headers["cache-control"] == "public, max-age=5"


@pytest.mark.parametrize(("stated", "expected"), [([], "no-store"), ([("Cache-Control", "max-age=9")], "max-age=9")])
def test_a_mounted_application_says_itself_what_may_be_kept(stated: list[tuple[str, str]], expected: str) -> None:
    def legacy(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("ETag", TAG), *stated])
        return [b"legacy"]

    api = Api("shop", cdn=Cdn(default_cache_seconds=5))
    api.mount("/legacy", legacy)
    answer = ask(api, target="/legacy/a")
    assert (answer.body, answer.headers["cache-control"], answer.headers["etag"]) == (b"legacy", expected, TAG)


def test_a_429_is_not_kept() -> None:
    api = keeping(lambda: "x", cdn=Cdn())
    api.get("/few", cache_seconds=60, quota=Quota(1, "day", per=None))(lambda: "x")
    with platform(api) as running:
        answers = [running.send("GET", "/few") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["cache-control"] == "no-store"


# What it costs those who do not use it.


def test_only_what_uses_it_ships_and_compiles_it() -> None:
    used, unused = Function("used"), Function("unused")
    used.get("/used", cache_seconds=1)(lambda: "x")
    unused.get("/unused")(lambda: "x")
    for cdn, expected in ((None, [True, False]), (Cdn(), [True, True])):
        definition = define(Api("shop", functions=[used, unused], cdn=cdn))
        ships = ["multicloud/runtime/caching.py" not in unused_modules(definition, one) for one in definition.functions]
        compiled = [caching_literals(definition, [one]) is not None for one in definition.functions]
        assert ships == compiled == expected


def test_the_handler_runs_for_a_304_too_because_only_it_knows_what_it_would_answer() -> None:
    calls = count()
    api = keeping(lambda: str(next(calls)))
    with platform(api) as running:
        tag = running.send().headers["etag"]
        assert running.send("GET", "/", [("if-none-match", tag)]).body == b"1"
