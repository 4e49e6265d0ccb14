"""The local gateway as a content delivery network: what it keeps, for whom, for how long, and what it never keeps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from multicloud import Api, Cdn, Cookie, Cors, Request, Response
from multicloud.model import define
from multicloud_local.cache import ENTRY_BYTES, MAX_BODY_BYTES, MAX_VARIANTS, Cache, fresh_seconds, with_cache
from multicloud_local.gateway import create_application
from multicloud_local.server import background

KEPT = [(b"cache-control", b"public, max-age=60")]


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Origin:
    """Counts the requests that reach it, and answers with what the test sets."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.headers = KEPT
        self.chunks: list[bytes] = [b"body"]
        self.meanwhile: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        if self.meanwhile is not None:
            self.meanwhile()
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for chunk in self.chunks[:-1]:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": self.chunks[-1]})


class Front:
    """A cache before an origin, asked without a server."""

    def __init__(self, cdn: Cdn | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.origin = Origin()
        self.cache = Cache(cdn or Cdn(), clock=self.clock, **options)
        self._application = with_cache(self.origin, self.cache)

    def ask(self, target: str = "/a", *headers: tuple[str, str], method: str = "GET", client: str = "127.0.0.1") -> Any:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "client": (client, 1),
        }
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self._application(scope, None, send))
        body = b"".join(message["body"] for message in sent[1:])
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return httpx.Response(sent[0]["status"], headers=found, content=body)

    def seen(self, target: str = "/a", *headers: tuple[str, str], **options: Any) -> str:
        """Return hit or miss."""
        return str(self.ask(target, *headers, **options).headers["x-cache"])


def test_an_answer_is_kept_until_its_time_is_over_and_tells_its_age() -> None:
    front = Front()
    first = front.ask()
    assert (first.headers["x-cache"], "age" in first.headers) == ("miss", False)
    front.clock.now += 59.9
    again = front.ask()
    assert (again.headers["x-cache"], again.headers["age"], again.content) == ("hit", "59", b"body")
    assert again.headers["cache-control"] == "public, max-age=60"
    front.clock.now += 0.2
    assert front.seen() == "miss"
    assert front.origin.asked == 2


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("max-age=5", 5),
        ("public, max-age=5", 5),
        ("max-age=5, s-maxage=9", 9),
        ("s-maxage=0, max-age=5", 0),
        ('Max-Age="7"', 7),
        ("max-age=5, max-age=9", 5),
        ("public", 0),
        ("", 0),
        ("max-age=-1", 0),
        ("max-age=1.5", 0),
        ("max-age=x", 0),
        ("max-age=٣", 0),
        ("max-age=" + "9" * 15, 31_536_000),
        ("max-age=" + "9" * 5000, 0),
        ("private, max-age=5", 0),
        ('private="x-a", max-age=5', 0),
        ("no-store, max-age=5", 0),
        ("max-age=5, NO-CACHE", 0),
    ],
)
def test_how_long_a_shared_cache_keeps_an_answer(control: str, seconds: int) -> None:
    assert fresh_seconds(200, [(b"cache-control", control.encode("utf-8"))]) == seconds


def test_an_answer_without_a_stated_time_is_not_kept() -> None:
    assert fresh_seconds(200, [(b"etag", b'"1"')]) == 0


@pytest.mark.parametrize(("status", "is_kept"), [(200, True), (301, True), (404, True), (206, False), (500, False)])
def test_which_statuses_are_kept(status: int, is_kept: bool) -> None:
    front = Front()
    front.origin.status = status
    assert [front.seen(), front.seen()] == ["miss", "hit" if is_kept else "miss"]


@pytest.mark.parametrize("extra", [(b"set-cookie", b"a=1"), (b"vary", b"*")])
def test_what_is_meant_for_one_client_is_not_kept(extra: tuple[bytes, bytes]) -> None:
    front = Front()
    front.origin.headers = [*KEPT, extra]
    assert [front.seen(), front.seen()] == ["miss", "miss"]


def test_a_request_with_authorization_neither_fills_the_cache_nor_is_answered_from_it() -> None:
    front = Front()
    bearer = ("authorization", "Bearer a.b.c")
    assert [front.seen("/a", bearer), front.seen(), front.seen("/a", bearer), front.seen()] == [
        "miss",
        "miss",
        "miss",
        "hit",
    ]


def test_what_a_client_asks_of_caches_does_not_matter() -> None:
    front = Front()
    front.ask("/a", ("cache-control", "no-store"))
    assert front.seen("/a", ("cache-control", "no-cache"), ("pragma", "no-cache")) == "hit"


def test_head_is_answered_from_get_and_keeps_nothing_itself() -> None:
    front = Front()
    assert [front.seen(method="HEAD"), front.seen(method="HEAD")] == ["miss", "miss"]
    front.ask()
    assert front.seen(method="HEAD") == "hit"
    assert front.seen(method="POST") == "miss"
    assert front.origin.asked == 4


def test_the_whole_query_tells_answers_apart_unless_the_definition_chooses() -> None:
    front = Front()
    front.ask("/a?x=1&y=1")
    assert [front.seen("/a?x=1&y=1"), front.seen("/a?x=1&y=2"), front.seen("/a"), front.seen("/b?x=1&y=1")] == [
        "hit",
        "miss",
        "miss",
        "miss",
    ]


def test_names_that_are_not_chosen_make_no_difference() -> None:
    front = Front(Cdn(query_names=["x", "a b"]))
    front.ask("/a?utm=1&x=1&a+b=2")
    assert front.seen("/a?x=1&utm=2&%61%20b=2") == "miss"  # as sent: not the same bytes
    assert front.seen("/a?x=1&a+b=2&utm=3") == "hit"
    assert front.seen("/a?x=2&a+b=2") == "miss"
    none = Front(Cdn(query_names=[]))
    none.ask("/a?x=1")
    assert none.seen("/a?x=2") == "hit"


def test_vary_keeps_one_answer_for_each_value_of_the_field() -> None:
    front = Front()
    front.origin.headers = [*KEPT, (b"vary", b"Accept-Language, origin")]
    german, french = ("accept-language", "de"), ("accept-language", "fr")
    front.ask("/a", german)
    front.ask("/a", french)
    assert [front.seen("/a", german), front.seen("/a", french), front.seen("/a")] == ["hit", "hit", "miss"]
    assert front.seen("/a", german, ("origin", "https://a.example")) == "miss"
    assert front.seen("/a", german, ("x-other", "1")) == "hit"


def test_a_fresh_answer_is_not_sent_to_who_has_it() -> None:
    front = Front()
    front.origin.headers = [*KEPT, (b"etag", b'"v1"'), (b"content-type", b"text/plain"), (b"content-language", b"de")]
    front.ask()
    answer = front.ask("/a", ("if-none-match", 'W/"v1"'))
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"v1"')
    assert not {"content-type", "content-language"} & answer.headers.keys()
    assert front.ask("/a", ("if-none-match", '"v0"')).status_code == 200
    assert front.origin.asked == 1


def test_a_stream_is_kept_once_it_is_whole_and_not_too_large() -> None:
    front = Front()
    front.origin.chunks = [b"a", b"", b"b"]
    front.ask()
    assert front.ask().content == b"ab"
    front.origin.chunks = [b"x" * MAX_BODY_BYTES, b"x"]
    assert [front.seen("/large"), front.seen("/large")] == ["miss", "miss"]


def test_an_answer_that_breaks_off_is_not_kept() -> None:
    front = Front()
    front.origin.chunks = [b"half", None]  # type: ignore[list-item] # the application fails in the middle
    with pytest.raises(TypeError):
        front.ask()
    front.origin.chunks = [b"whole"]
    assert front.ask().content == b"whole"


def test_memory_is_bounded_and_what_was_asked_for_last_stays() -> None:
    room = ENTRY_BYTES + sum(map(len, KEPT[0])) + 1000
    front = Front(max_bytes=3 * room)
    front.origin.chunks = [b"x" * 1000]
    for path in ("/1", "/2", "/3"):
        front.ask(path)
    front.ask("/1")
    front.ask("/4")
    assert (len(front.cache), front.cache.size) == (3, 3 * room)
    assert [front.seen(path) for path in ("/1", "/3", "/4", "/2")] == ["hit", "hit", "hit", "miss"]
    front.origin.chunks = [b"x" * 4 * room]
    front.ask("/larger-than-all")
    assert front.cache.size <= 3 * room


def test_variants_of_one_key_are_bounded() -> None:
    front = Front()
    front.origin.headers = [*KEPT, (b"vary", b"x-a")]
    for number in range(MAX_VARIANTS + 10):
        front.ask("/a", ("x-a", str(number)))
    assert len(front.cache) == MAX_VARIANTS
    assert front.seen("/a", ("x-a", str(MAX_VARIANTS + 9))) == "hit"
    assert front.seen("/a", ("x-a", "0")) == "miss"


# Purging.


def purge(front: Front, query: str = "", *headers: tuple[str, str], **options: Any) -> Any:
    return front.ask(f"/_multicloud/purge{query}", *headers, **{"method": "POST", **options})


def test_a_purge_forgets_everything_a_path_or_all_below_one() -> None:
    front = Front()
    for path in ("/a", "/a?x=1", "/a/b", "/c"):
        front.ask(path)
    assert purge(front, "?path=/a").json() == {"purged": 2}
    assert [front.seen("/a/b"), front.seen("/a")] == ["hit", "miss"]
    assert purge(front, "?path=/a*").json() == {"purged": 2}
    assert front.seen("/c") == "hit"
    assert purge(front).json() == {"purged": 1}
    assert (len(front.cache), front.cache.size) == (0, 0)


@pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::1", "", "testclient"])
def test_only_this_machine_may_purge(client: str) -> None:
    front = Front()
    front.ask()
    assert purge(front, client=client).status_code == 403
    assert purge(front, "", ("origin", "https://evil.example")).status_code == 403
    assert front.seen() == "hit"
    for own in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert purge(front, client=own).status_code == 200


def test_a_purge_is_a_post() -> None:
    answer = purge(Front(), method="GET")
    assert (answer.status_code, answer.headers["allow"], answer.json()["status"]) == (405, "POST", 405)


def test_an_answer_that_a_purge_overtook_is_not_kept() -> None:
    front = Front()
    front.origin.meanwhile = lambda: purge(front)

    def overtake() -> None:
        front.origin.meanwhile = None
        front.cache.purge(lambda path: True)

    front.origin.meanwhile = overtake
    assert [front.seen(), front.seen(), front.seen()] == ["miss", "miss", "hit"]


# The whole gateway.


def shop(cdn: Cdn | None) -> Api:
    api = Api("shop", cdn=cdn, cors=Cors(allow_origins=["https://a.example", "https://b.example"]))
    numbers = count()

    @api.get("/kept", cache_seconds=60)
    def kept() -> Any:
        return {"number": next(numbers)}

    @api.get("/own")
    def own(request: Request) -> Any:
        return {"number": next(numbers), "cookie": request.cookies.get("a")}

    @api.get("/cookie", cache_seconds=60)
    def cookie() -> Any:
        return Response({"number": next(numbers)}, cookies=[Cookie("a", "1")])

    return api


@pytest.fixture(params=[None, "local", "aws"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    application = create_application(lambda: define(shop(Cdn())), "test", request.param)
    with background(application) as running, httpx.Client(base_url=running.url) as client:
        yield client


def test_the_gateway_keeps_what_the_definition_says(client: httpx.Client) -> None:
    first, second = client.get("/kept"), client.get("/kept")
    assert (first.headers["x-cache"], second.headers["x-cache"], second.headers["age"]) == ("miss", "hit", "0")
    assert first.json() == second.json()
    assert first.headers["etag"] == second.headers["etag"]
    assert client.get("/kept", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    head = client.head("/kept")
    assert (head.headers["x-cache"], head.headers["content-length"]) == ("hit", str(len(first.content)))
    assert client.post("/_multicloud/purge").json() == {"purged": 1}
    assert client.get("/kept").json() != first.json()


def test_the_gateway_keeps_one_answer_for_each_origin(client: httpx.Client) -> None:
    origins = ["https://a.example", "https://b.example"]
    for _ in range(2):
        answers = [client.get("/kept", headers={"origin": origin}) for origin in origins]
        assert [answer.headers["access-control-allow-origin"] for answer in answers] == origins
    assert {answer.headers["x-cache"] for answer in answers} == {"hit"}


def test_the_gateway_keeps_nothing_that_the_definition_does_not_say(client: httpx.Client) -> None:
    for path in ("/own", "/cookie", "/nowhere"):
        for _ in range(2):
            answer = client.get(path)
            assert (answer.headers["x-cache"], answer.headers["cache-control"]) == ("miss", "no-store")


def test_without_a_cdn_nothing_is_kept() -> None:
    with background(create_application(lambda: define(shop(None)), "test", None)) as running:
        first, second = httpx.get(f"{running.url}/kept"), httpx.get(f"{running.url}/kept")
        assert "x-cache" not in second.headers
        assert first.json() != second.json()
        assert json.loads(httpx.post(f"{running.url}/_multicloud/purge").content)["status"] == 404
