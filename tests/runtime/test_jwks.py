"""The keys of an issuer: which are taken, when they are fetched, and what happens when they cannot be."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from multicloud.runtime import jwks
from multicloud.runtime.errors import HttpError
from multicloud.runtime.fetching import FetchError
from multicloud.runtime.jwks import KeySet, read_keys
from tests.policies.issuer import Issuer, jwk, private_key


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    found = Issuer()
    yield found
    found.stop()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A key set with a clock that the test turns, asked as a verifier asks it."""

    def __init__(self, issuer: Issuer, jwks_path: str | None = "/jwks") -> None:
        self.clock = Clock()
        self.keys = KeySet(issuer.url, jwks_path and issuer.url + jwks_path, allow_loopback=True, clock=self.clock)

    def find(self, key_id: str | None = "rsa", algorithm: str = "RS256"):
        if self.keys.is_due(key_id):
            self.keys.refresh(key_id)
        return self.keys.find(key_id, algorithm)


def test_keys_are_found_by_id_and_serve_their_own_algorithms_alone(issuer):
    asked = Asked(issuer)
    assert asked.find("rsa", "RS256") is not None
    assert asked.find("rsa", "PS512") is not None
    assert asked.find("rsa", "ES256") is None
    assert asked.find("ec", "ES256") is not None
    assert asked.find("ec", "ES384") is None
    assert asked.find("ed", "EdDSA") is not None
    assert asked.find("ps", "PS256") is not None
    assert asked.find("ps", "RS256") is None
    assert asked.find(None) is None, "one of several keys was chosen without an id"
    assert issuer.requests["/jwks"] == 1


def test_without_an_id_the_only_key_is_meant(issuer):
    issuer.serve_keys(jwk("rsa-2048"))
    assert Asked(issuer).find(None) is not None
    issuer.serve_keys(jwk("rsa-2048", kid="rsa"))
    assert Asked(issuer).find(None) is not None


def test_keys_are_found_by_discovery(issuer):
    assert Asked(issuer, None).find() is not None
    assert issuer.requests == {"/.well-known/openid-configuration": 1, "/jwks": 1}


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example", "jwks_uri": "JWKS"},
        {"jwks_uri": "JWKS"},
        {"issuer": "ISSUER/", "jwks_uri": "JWKS"},
        {"issuer": "ISSUER"},
        {"issuer": "ISSUER", "jwks_uri": ["JWKS"]},
        {"issuer": "ISSUER", "jwks_uri": "http://169.254.169.254/latest/meta-data"},
        {"issuer": "ISSUER", "jwks_uri": "https://10.0.0.1/jwks"},
        {"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"},
        ["ISSUER"],
        "text",
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere_is_not_followed(document, issuer):
    text = json.dumps(document).replace("ISSUER", issuer.url).replace("JWKS", f"{issuer.url}/jwks")
    issuer.answers["/.well-known/openid-configuration"] = lambda: (200, {}, text.encode())
    with pytest.raises(HttpError) as caught:
        Asked(issuer, None).find()
    assert caught.value.status_code == 503
    assert issuer.requests["/jwks"] == 0


# When.


def test_keys_are_kept_for_five_minutes_at_least_and_an_hour_at_most(issuer):
    for stated, kept in (({}, 300), ({"cache-control": "max-age=1"}, 300), ({"cache-control": "max-age=900"}, 900),
                         ({"cache-control": "max-age=999999"}, 3600)):  # fmt: skip
        issuer.serve_keys(jwk("rsa-2048", kid="rsa"), headers=stated)
        issuer.requests.clear()
        asked = Asked(issuer)
        asked.find()
        asked.clock.now += kept - 1
        asked.find()
        assert issuer.requests["/jwks"] == 1, stated
        asked.clock.now += 2
        asked.find()
        assert issuer.requests["/jwks"] == 2, stated


def test_unknown_ids_lead_to_one_fetch_in_five_minutes(issuer):
    issuer.serve_keys(jwk("rsa-2048", kid="rsa"), headers={"cache-control": "max-age=3600"})
    asked = Asked(issuer)
    asked.find()
    for number in range(100):
        assert asked.find(f"unknown-{number}") is None
        asked.clock.now += 2.9
    assert issuer.requests["/jwks"] == 2
    asked.clock.now += 20
    asked.find("unknown")
    assert issuer.requests["/jwks"] == 3


def test_a_new_key_is_found_at_once(issuer):
    asked = Asked(issuer)
    assert asked.find("next") is None
    issuer.serve_keys(jwk("rsa-2048", kid="rsa"), jwk("rsa-b-2048", kid="next"))
    asked.clock.now += 1
    assert asked.find("next") is not None


def test_many_threads_fetch_once(issuer):
    asked = Asked(issuer)
    barrier = Barrier(16)

    def ask(_: int) -> bool:
        barrier.wait(5)
        return asked.find() is not None

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))
    assert issuer.requests["/jwks"] == 1


# When they cannot be had.


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""),
        (302, {"location": "/jwks"}, b""),
        (200, {}, b""),
        (200, {"content-type": "text/html"}, b"<html></html>"),
        (200, {}, b"[]"),
        (200, {}, b"{}"),
        (200, {}, b'{"keys": {}}'),
        (200, {}, b'{"keys": []}'),
        (200, {}, b'{"keys": [1, null, "x"]}'),
        (200, {}, b'{"keys": [{}]}'),
        (200, {}, json.dumps({"keys": [{}] * 101}).encode()),
        (200, {}, b"[" * 100_000),
        (200, {}, b"{" + b" " * 150_000 + b"}"),
        (200, {}, b"\xff\xfe\x00"),
    ],
    ids=lambda answer: f"{answer[0]} {answer[2][:20]!r}",
)
def test_without_keys_the_answer_is_503_and_the_reason_is_logged(answer, issuer, caplog):
    issuer.answers["/jwks"] = lambda: answer
    asked = Asked(issuer)
    with caplog.at_level(logging.WARNING, logger="multicloud"), pytest.raises(HttpError) as caught:
        asked.find()
    assert (caught.value.status_code, caught.value.headers) == (503, {"retry-after": "10"})
    record = json.loads(caplog.records[-1].getMessage())
    assert record["url"] == f"{issuer.url}/jwks"
    assert record["reason"]
    with pytest.raises(HttpError):
        asked.find()
    assert issuer.requests["/jwks"] == 1, "an issuer that fails is not asked by every request"
    issuer.serve_keys(jwk("rsa-2048", kid="rsa"))
    asked.clock.now += 11
    assert asked.find() is not None


def test_keys_at_hand_serve_for_an_hour_when_new_ones_cannot_be_had(issuer):
    asked = Asked(issuer)
    asked.find()
    issuer.answers["/jwks"] = lambda: (500, {}, b"")
    asked.clock.now += 300 + 3500
    assert asked.find() is not None
    asked.clock.now += 200
    with pytest.raises(HttpError):
        asked.find()


# Which keys.

RSA = jwk("rsa-2048")
UNUSABLE = {
    "weak": jwk("rsa-1024", kid="a"),
    "for-encryption": jwk("rsa-2048", kid="a", use="enc"),
    "not-to-verify": jwk("rsa-2048", kid="a", key_ops=["encrypt"]),
    "odd-key-ops": jwk("rsa-2048", kid="a", key_ops="verify"),
    "symmetric": {"kty": "oct", "kid": "a", "k": "c2VjcmV0"},
    "private": jwk("rsa-2048", kid="a", d="AQAB"),
    "private-ed": json.loads(OKPAlgorithm.to_jwk(private_key("ed"))) | {"kid": "a", "key_ops": ["verify"]},
    "private-rsa": json.loads(RSAAlgorithm.to_jwk(private_key("rsa-2048"))) | {"kid": "a", "key_ops": ["verify"]},
    "unknown-kind": {"kty": "XYZ", "kid": "a"},
    "kind-in-lower-case": jwk("rsa-2048", kid="a", kty="rsa"),
    "no-kind": {"kid": "a", "n": RSA["n"], "e": RSA["e"]},
    "no-modulus": {"kty": "RSA", "kid": "a", "e": "AQAB"},
    "no-exponent": {"kty": "RSA", "kid": "a", "n": RSA["n"]},
    "modulus-no-base64": {"kty": "RSA", "kid": "a", "n": "!!!", "e": "AQAB"},
    "modulus-a-number": {"kty": "RSA", "kid": "a", "n": 5, "e": "AQAB"},
    "modulus-a-list": {"kty": "RSA", "kid": "a", "n": [], "e": "AQAB"},
    "exponent-even": {"kty": "RSA", "kid": "a", "n": RSA["n"], "e": "Ag"},
    "exponent-one": {"kty": "RSA", "kid": "a", "n": RSA["n"], "e": "AQ"},
    "modulus-enormous": {"kty": "RSA", "kid": "a", "n": "_" * 4000, "e": "AQAB"},
    "algorithm-of-another-kind": jwk("rsa-2048", kid="a", alg="ES256"),
    "algorithm-none": jwk("rsa-2048", kid="a", alg="none"),
    "algorithm-hs256": jwk("rsa-2048", kid="a", alg="HS256"),
    "algorithm-a-list": jwk("rsa-2048", kid="a", alg=["RS256"]),
    "off-the-curve": {**jwk("p256", kid="a"), "y": jwk("p256-b")["y"]},
    "curve-of-another": {**jwk("p256", kid="a"), "crv": "P-384"},
    "curve-unknown": {**jwk("p256", kid="a"), "crv": "P-999"},
    "curve-for-agreement": {**jwk("ed", kid="a"), "crv": "X25519"},
    "point-at-zero": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "kid": "a"},
    "ed-too-short": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "a"},
    "a-list": [],
    "a-text": "key",
    "null": None,
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_must_not_verify_is_left_out_and_the_others_are_not(name):
    found = read_keys({"keys": [UNUSABLE[name], jwk("rsa-2048", kid="good")]})
    assert list(found) == ["good"]


def test_two_keys_of_one_id_are_both_left_out():
    found = read_keys({"keys": [jwk("rsa-2048", kid="a"), jwk("rsa-b-2048", kid="a"), jwk("ed", kid="b")]})
    assert list(found) == ["b"]


def test_keys_without_an_id_are_not_taken_for_one_another():
    found = read_keys({"keys": [jwk("rsa-2048"), jwk("ed"), jwk("p256", kid=0)]})
    assert len(found) == 3


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": "x"}, {"keys": [None] * 101}])
def test_what_is_no_key_set_is_refused(document):
    with pytest.raises(FetchError):
        read_keys(document)


def test_the_limits_are_those_of_the_contract():
    assert (jwks.LEAST_SECONDS, jwks.UNKNOWN_SECONDS, jwks.LEAST_RSA_BITS) == (300, 300, 2048)
