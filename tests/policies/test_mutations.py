"""A hundred thousand credentials that a small change made of good ones: none is taken, none breaks anything."""

from __future__ import annotations

import json
import random

import pytest

from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud_aws.runtime import create_handler
from tests.policies.guarded import guarded
from tests.policies.issuer import Issuer, encode
from tests.policies.wrong_credentials import KEY

TOKENS, KEYS = 60_000, 40_000
SEED = 20_240_229
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= \t\"',;:{}[]%\\\0\xe9\u20ac"
MEMBERS = ("alg", "kid", "typ", "crit", "zip", "jku", "jwk", "iss", "aud", "sub", "exp", "nbf", "iat", "scope")
VALUES = (None, True, 0, -1, 1e308, "", "none", "HS256", "root", "ada", [], ["shop"], {}, "x" * 300, 9_999_999_999)


class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id = "mutation"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


class Function:
    """The API as a Lambda function: of all shapes the one that adds least to each request."""

    def __init__(self, issuer: Issuer) -> None:
        definition = define(guarded(issuer))
        config, objects = compile_application(
            definition, definition.functions, provider="aws", stage="test", development=True, event_loop=False
        )
        self._handler = create_handler(config, objects)

    def status(self, path: str, name: str, value: str) -> int:
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {name: value},
            "requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}, "stage": "$default"},
            "isBase64Encoded": False,
        }
        answer = self._handler(event, Context())
        assert "Traceback" not in answer["body"]
        return answer["statusCode"]


@pytest.fixture(scope="module")
def function(issuer: Issuer) -> Function:
    return Function(issuer)


def mutated_text(rng: random.Random, text: str) -> str:
    """Change one to three places of a text."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text)) if text else 0
        kind = rng.randrange(7)
        if kind == 0:
            text = text[:at] + rng.choice(ALPHABET) + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + rng.choice(ALPHABET) + text[at:]
        elif kind == 2:
            text = text[:at] + text[at + rng.randint(1, 4) :]
        elif kind == 3:
            text = text[:at] + text[at:].swapcase()
        elif kind == 4:
            text = text[:at]
        elif kind == 5:
            text = text[:at] + text[at : at + rng.randint(1, 40)] + text[at:]
        else:
            text = text[at:] + text[:at]
    return text


def mutated_token(rng: random.Random, tokens: list[str]) -> str:
    """Change a token's text, or what is in its header or claims without signing it anew, or mix two tokens."""
    token, other = rng.sample(tokens, 2)
    kind = rng.randrange(10)
    if kind < 5:
        return mutated_text(rng, token)
    parts = token.split(".")
    at = rng.randrange(2)
    if kind < 9:
        members = dict(rng.choice(CONTENTS[token])) if rng.random() < 0.1 else dict(CONTENTS[token][at])
        for _ in range(rng.randint(1, 2)):
            members[rng.choice(MEMBERS)] = rng.choice(VALUES)
        parts[at] = encode(members)
    else:
        parts[rng.randrange(3)] = other.split(".")[rng.randrange(3)]
    return ".".join(parts)


CONTENTS: dict[str, list[dict]] = {}


def test_no_mutated_token_is_taken(function, issuer):
    rng = random.Random(SEED)
    kinds = [
        ("rsa-2048", "RS256", "rsa"),
        ("rsa-b-2048", "PS256", "ps"),
        ("p256", "ES256", "ec"),
        ("ed", "EdDSA", "ed"),
    ]
    tokens = [
        issuer.token(key, algorithm, {"kid": kid}, sub=subject)
        for key, algorithm, kid in kinds
        for subject in ("ada", "root")
    ]
    for token in tokens:
        assert function.status("/read", "authorization", f"Bearer {token}") == 200
        CONTENTS[token] = [json.loads(_decoded(part)) for part in token.split(".")[:2]]
    found: dict[int, int] = {}
    for number in range(TOKENS):
        token = mutated_token(rng, tokens)
        if token in tokens:
            continue
        status = function.status("/read", "authorization", f"Bearer {token}")
        found[status] = found.get(status, 0) + 1
        # 400: a comma, as two joined headers have it. 431: a long one.
        assert status in (400, 401, 431), f"number {number}: {status} for {token!r}"
    assert found[401] > 0.9 * TOKENS


def _decoded(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_no_mutated_key_is_taken(function):
    rng = random.Random(SEED)
    assert function.status("/keys", "x-api-key", KEY) == 200
    for number in range(KEYS):
        key = mutated_text(rng, KEY)
        if key != KEY:
            status = function.status("/keys", "x-api-key", key)
            assert status == 401, f"number {number}: {status} for {key!r}"
