"""No wrong token or key is taken by any provider, and no answer says what was wrong with it."""

from __future__ import annotations

import json

import pytest

from tests.policies.guarded import ORIGIN, SHAPES, client
from tests.policies.issuer import Issuer
from tests.policies.wrong_credentials import API_KEYS, AUTHORIZATIONS, KEY

TOO_LARGE = {"long", "just-long"}  # more than the headers may hold with the rest of them, on some platforms


def answers(issuer: Issuer, path: str, name: str, value: str):
    """Yield each shape's answer to a request with a header."""
    for shape in SHAPES:
        yield shape, client(shape, issuer).get(path, headers={name: value, "origin": ORIGIN})


def check_refusal(answer, shape: str) -> dict:
    assert answer.status_code == 401, (shape, answer)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    problem = json.loads(answer.content)
    assert problem.pop("request_id")
    return problem


REFUSED = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "The request is not authorised."}


def test_there_are_enough_wrong_credentials():
    assert len(AUTHORIZATIONS) + len(API_KEYS) >= 120


@pytest.mark.parametrize("name", AUTHORIZATIONS)
def test_a_wrong_token_is_401_on_every_provider(name, issuer):
    sent = AUTHORIZATIONS[name](issuer)
    for shape, answer in answers(issuer, "/who", "authorization", sent):
        assert check_refusal(answer, shape) == REFUSED, shape
        scheme, _, token = sent.partition(" ")
        has_token = scheme.lower() == "bearer" and bool(token)
        error = ', error="invalid_token"' if has_token else ""
        assert answer.headers["www-authenticate"] == f'Bearer realm="guarded"{error}', shape


@pytest.mark.parametrize("name", API_KEYS)
def test_a_wrong_key_is_401_on_every_provider(name, issuer):
    for shape, answer in answers(issuer, "/keys", "x-api-key", API_KEYS[name]):
        assert check_refusal(answer, shape) == REFUSED, shape
        assert answer.headers["www-authenticate"] == 'ApiKey realm="guarded", header="x-api-key"', shape


@pytest.mark.parametrize("path", ["/who", "/read", "/keys", "/either", "/door/plain", "/door/async", "/mounted/x"])
def test_without_credentials_everything_but_what_is_public_is_401(path, issuer):
    for shape in SHAPES:
        assert check_refusal(client(shape, issuer).get(path, headers={"origin": ORIGIN}), shape) == REFUSED
        assert client(shape, issuer).get("/public").json() == {"subject": None}


@pytest.mark.parametrize("place", ["query", "cookie", "body", "two headers"])
def test_credentials_in_another_place_are_none(place, issuer):
    token = issuer.token()
    for shape in SHAPES:
        use = client(shape, issuer)
        if place == "query":
            found = [
                use.get("/who", params={"access_token": token, "authorization": f"Bearer {token}"}),
                use.get("/keys", params={"x-api-key": KEY, "api_key": KEY}),
            ]
        elif place == "cookie":
            found = [use.get("/keys", cookies={"x-api-key": KEY}), use.get("/who", cookies={"authorization": token})]
        elif place == "body":
            form = {"content-type": "application/x-www-form-urlencoded"}
            found = [use.post("/who", content=f"access_token={token}", headers=form)]
        else:
            found = [use.get("/keys", headers=[("x-api-key", KEY), ("x-api-key", KEY)])]
        assert [answer.status_code for answer in found] == [401] * len(found), shape


def test_a_token_over_the_limit_is_refused_without_being_read(issuer):
    for shape in SHAPES:
        answer = client(shape, issuer).get("/who", headers={"authorization": "Bearer " + "a" * 100_000})
        assert answer.status_code in (401, 431), shape
