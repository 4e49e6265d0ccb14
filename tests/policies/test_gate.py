"""What passes a gate, in which order it asks, and that every provider answers alike."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from multicloud import FunctionAuthorizer
from multicloud.provider import HttpRequest
from multicloud.runtime.recorder import Api
from multicloud.testing import TestClient
from tests.policies.guarded import ORIGIN, SHAPES, client, guarded
from tests.policies.wrong_credentials import KEY

ADA = {"subject": "ada", "scopes": ["read"], "key": None}
PARTNER = {"subject": "partner", "scopes": [], "key": "partner"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [("rsa-2048", "RS256", "rsa"), ("rsa-b-2048", "PS256", "ps"), ("p256", "ES256", "ec"), ("ed", "EdDSA", "ed")],
)
def test_a_good_token_is_taken_whatever_signed_it(shape, key, algorithm, kid, issuer):
    token = issuer.token(key, algorithm, {"kid": kid})
    assert client(shape, issuer).get("/who", headers={"authorization": f"Bearer {token}"}).json() == ADA


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", "shop"]},
        {"aud": "till"},
        {"exp": 9_999_999_999},
        {"nbf": 0},
        {"iat": 1_600_000_000.5},
        {"scope": None, "scp": ["read"]},
        {"scope": None, "scp": "read"},
        {"scope": ["read"]},
        {"jti": "1", "extra": {"a": [1]}},
    ],
    ids=str,
)
def test_what_issuers_may_write_is_taken(changes, issuer):
    for shape in SHAPES:
        token = issuer.token(**changes)
        assert client(shape, issuer).get("/read", headers={"authorization": f"bearer {token}"}).json() == ADA, shape


@pytest.mark.parametrize(
    "header", [{"typ": None}, {"typ": "at+jwt"}, {"typ": "application/at+JWT"}, {"x5t": "abc"}], ids=str
)
def test_headers_that_change_nothing_are_taken(header, issuer):
    token = issuer.token(header=header)
    assert client("local", issuer).get("/who", headers={"authorization": f"Bearer {token}"}).json() == ADA


@pytest.mark.parametrize("seconds", [-50, -1])
def test_clocks_may_differ_by_the_leeway(seconds, issuer):
    import time

    token = issuer.token(exp=int(time.time()) + seconds, nbf=int(time.time()) - seconds)
    assert client("local", issuer).get("/who", headers={"authorization": f"Bearer {token}"}).json() == ADA


# Scopes.

SCOPES = [
    ("/read", "read", 200),
    ("/read", "read write", 200),
    ("/read", "write", 403),
    ("/read", "", 403),
    ("/read", "readall", 403),
    ("/read", "rea", 403),
    ("/read", "READ", 403),
    ("/read", "read:all", 403),
    ("/read", "read,write", 403),
    ("/read", None, 403),
    ("/read", ["read"], 200),
    ("/read", ["read write"], 403),
    ("/read", [["read"]], 403),
    ("/read", {"read": True}, 403),
    ("/read", 1, 403),
    ("/read", True, 403),
    ("/read-write", "read", 403),
    ("/read-write", "write", 403),
    ("/read-write", "write read", 200),
    ("/read-write", "write  admin read", 200),
    ("/read-write", "readwrite", 403),
    ("/read-write", ["write", "read"], 200),
    ("/who", None, 200),
]


@pytest.mark.parametrize(("path", "scope", "status"), SCOPES, ids=str)
def test_all_scopes_are_needed_each_exactly(path, scope, status, issuer):
    token = issuer.token(scope=scope)
    for shape in SHAPES:
        answer = client(shape, issuer).get(path, headers={"authorization": f"Bearer {token}", "origin": ORIGIN})
        assert answer.status_code == status, shape
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        if status == 403:
            needed = "read" if path == "/read" else "read write"
            challenge = f'Bearer realm="guarded", error="insufficient_scope", scope="{needed}"'
            assert answer.headers["www-authenticate"] == challenge
            assert answer.json()["title"] == "Forbidden"


# Keys, alternatives, functions.

WAYS = [
    ("/keys", {"x-api-key": KEY}, 200, PARTNER),
    ("/keys", {"X-API-KEY": KEY}, 200, PARTNER),
    ("/keys", {"x-api-key": ""}, 401, None),
    ("/either", {"x-api-key": KEY}, 200, PARTNER),
    ("/either", {"x-api-key": KEY, "authorization": "Bearer wrong"}, 200, PARTNER),
    ("/either", {"x-api-key": "wrong", "authorization": "TOKEN"}, 200, ADA),
    ("/either", {"x-api-key": KEY, "authorization": "TOKEN"}, 200, ADA),
    ("/either", {"x-api-key": "wrong", "authorization": "Bearer wrong"}, 401, None),
    ("/either-read", {"x-api-key": KEY}, 403, None),
    ("/either-read", {"x-api-key": KEY, "authorization": "TOKEN"}, 200, ADA),
    ("/either-read", {"authorization": "TOKEN"}, 200, ADA),
    ("/who", {"x-api-key": KEY}, 401, None),
    ("/mounted/x", {"authorization": "TOKEN"}, 200, "mounted"),
    ("/mounted/x", {"x-api-key": KEY}, 401, None),
    ("/public", {"authorization": "TOKEN"}, 200, {"subject": None}),
    ("/public", {"authorization": "Bearer wrong"}, 200, {"subject": None}),
    *(
        (f"/door/{kind}{path}", {"x-word": word}, status, found)
        for kind in ("plain", "async", "wrapped")
        for path, word, status, found in [
            ("", "open sesame", 200, {"subject": "open sesame", "scopes": ["read"], "key": None}),
            ("", "please", 401, None),
            ("", "", 401, None),
            ("", "banned", 403, None),
            ("", "broken", 500, None),
            ("", "lie", 500, None),
            ("/write", "open", 403, None),
        ]
    ),
    ("/door-or-key", {"x-word": "banned", "x-api-key": KEY}, 200, PARTNER),
    ("/door-or-key", {"x-word": "banned", "x-api-key": "wrong"}, 403, None),
    ("/door-or-key", {"x-word": "please"}, 401, None),
]


@pytest.mark.parametrize(("path", "headers", "status", "body"), WAYS, ids=str)
def test_any_one_of_the_alternatives_is_enough(path, headers, status, body, issuer):
    sent = {name: f"Bearer {issuer.token()}" if value == "TOKEN" else value for name, value in headers.items()}
    found = set()
    for shape in SHAPES:
        answer = client(shape, issuer).get(path, headers={**sent, "origin": ORIGIN})
        assert answer.status_code == status, (shape, answer)
        assert b"secret detail" not in answer.content
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        content = answer.text if body == "mounted" else {**answer.json(), "request_id": ""}
        found.add(json.dumps([content, answer.headers.get("www-authenticate")]))
        if body is not None:
            assert content == (body if isinstance(body, str) else {**body, "request_id": ""})
    assert len(found) == 1, "the providers differ"


def test_a_function_that_fails_is_logged_with_its_error(issuer, caplog):
    with caplog.at_level(logging.ERROR, logger="multicloud"):
        assert client("gcp", issuer).get("/door/plain", headers={"x-word": "broken"}).status_code == 500
    assert "secret detail" in caplog.text


def test_every_alternative_is_in_the_challenge(issuer):
    for shape in SHAPES:
        answer = client(shape, issuer).get("/either", headers={"authorization": "Bearer wrong"})
        ways = 'Bearer realm="guarded", error="invalid_token", ApiKey realm="guarded", header="x-api-key"'
        assert answer.headers["www-authenticate"] == ways


# The order of checks.

ORDER = [
    ("GET", "/nowhere", 404),
    ("PUT", "/who", 405),
    ("OPTIONS", "/who", 204),
    ("GET", "/%ff", 400),
    ("POST", "/who", 401),
    ("HEAD", "/who", 401),
]


@pytest.mark.parametrize(("method", "path", "status"), ORDER)
@pytest.mark.parametrize("authorization", ["", "Bearer wrong"])
def test_path_and_method_come_before_the_authorizer(method, path, status, authorization, issuer):
    for shape in SHAPES:
        answer = client(shape, issuer).request(
            method, path, headers={"authorization": authorization} if authorization else {}
        )
        assert answer.status_code == status, shape


def test_the_authorizer_comes_before_the_size(issuer):
    body = b"x" * (4 * 1024 * 1024 + 1)
    for shape in SHAPES:
        assert client(shape, issuer).post("/who", content=body).status_code == 401, shape
        allowed = client(shape, issuer).post(
            "/who", content=body, headers={"authorization": f"Bearer {issuer.token()}"}
        )
        assert allowed.status_code == 413, shape


def test_a_preflight_needs_no_authorisation(issuer):
    headers = {
        "origin": ORIGIN,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    for shape in SHAPES:
        answer = client(shape, issuer).options("/who", headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, ORIGIN), shape


# Throttles and quotas.


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_beyond_a_throttle_is_429_and_says_when_to_come_back(shape, issuer):
    use = TestClient(guarded(issuer), shape)
    answers = [use.get("/slow", headers={"origin": ORIGIN}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"throttle";q=2;w=200'] * 4
    assert [answer.headers["ratelimit"] for answer in answers] == [
        '"throttle";r=1;t=100', '"throttle";r=0;t=200', '"throttle";r=0;t=200', '"throttle";r=0;t=200',
    ]  # fmt: skip
    assert answers[0].headers.get("retry-after") is None
    assert 90 <= int(answers[3].headers["retry-after"]) <= 100
    assert answers[3].headers["access-control-allow-origin"] == ORIGIN
    problem = answers[3].json()
    assert (problem["title"], problem["status"]) == ("Too Many Requests", 429)
    assert use.get("/public").status_code == 200, "another route has nothing to do with it"


@pytest.mark.parametrize("shape", SHAPES)
def test_each_caller_has_a_bucket_of_its_own_which_is_taken_from_after_the_authorizer(shape, issuer):
    use = TestClient(guarded(issuer), shape)
    for _ in range(5):
        assert use.get("/slow-each", headers={"x-api-key": "wrong"}).status_code == 401
    partner = [use.get("/slow-each", headers={"x-api-key": KEY}).status_code for _ in range(3)]
    robot = [
        use.get("/slow-each", headers={"x-api-key": "robot-0123456789-0123456789-0123456789"}).status_code
        for _ in range(3)
    ]
    assert partner == robot == [200, 200, 429]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_beyond_a_quota_is_429_until_the_period_ends(shape, issuer):
    use = TestClient(guarded(issuer), shape)
    answers = [use.get("/few") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"throttle";q=50;w=5000, "quota";q=2;w=86400'
    assert [answer.headers["ratelimit"].split(", ")[1].rpartition(";")[0] for answer in answers] == [
        '"quota";r=1', '"quota";r=0', '"quota";r=0',
    ]  # fmt: skip
    assert 0 < int(answers[2].headers["retry-after"]) <= 86_400


@pytest.mark.parametrize("shape", SHAPES)
def test_an_address_is_the_platform_s_word_and_not_the_client_s(shape, issuer):
    use = TestClient(guarded(issuer), shape)
    headers = ("x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "x-azure-clientip")
    found = [
        use.get("/slow-address", headers=[(name, f"203.0.113.{number}") for name in headers]).status_code
        for number in range(4)
    ]
    assert found == [200, 200, 429, 429]


@pytest.mark.parametrize("shape", SHAPES)
def test_addresses_do_not_take_from_one_another(shape, issuer):
    use = TestClient(guarded(issuer), shape)
    addresses = (
        ["198.51.100.1"] * 3 + ["198.51.100.2"] * 3 + ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
    )
    requests = [HttpRequest("GET", "/slow-address", client_ip=address) for address in addresses]
    assert [use.send(request).status_code for request in requests] == [200, 200, 429, 200, 200, 429, 200, 200, 429, 200]


async def never(request):
    await asyncio.sleep(30)


def test_an_authorizer_that_takes_too_long_is_504_on_the_local_gateway():
    api = Api("slow", authorizer=FunctionAuthorizer(never), timeout_seconds=1)
    api.get("/")(never)
    answer = TestClient(api).get("/", headers={"authorization": "x"})
    assert (answer.status_code, answer.json()["title"]) == (504, "Gateway Timeout")
