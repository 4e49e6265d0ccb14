"""Tokens and keys that no provider may take, as data: a name, and how to make what Authorization or x-api-key holds."""

from __future__ import annotations

import base64
import hmac
import json
import time
import zlib
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.policies.issuer import AUDIENCE, Issuer, encode, jwk, private_key, sign

KEY = "correct-horse-battery-staple-0123456789"
GOOD_HEADER = '{"alg":"RS256","kid":"rsa"}'
Make = Callable[[Issuer], str]


def hs256(header: dict, claims: dict, secret: bytes) -> str:
    text = f"{encode({'alg': 'HS256', **header})}.{encode(claims)}"
    return f"{text}.{encode(hmac.digest(secret, text.encode(), 'sha256'))}"


def public_bytes(encoding: Encoding, form: PublicFormat) -> bytes:
    return private_key("rsa-2048").public_key().public_bytes(encoding, form)


def unsigned(algorithm: object, signature: str = "") -> Make:
    return lambda issuer: f"{encode({'alg': algorithm, 'kid': 'rsa'})}.{encode(issuer.claims())}.{signature}"


def header(**changes: object) -> Make:
    return lambda issuer: issuer.token(header=changes)


def claims(**changes: object) -> Make:
    return lambda issuer: issuer.token(**changes)


def in_seconds(name: str, seconds: float) -> Make:
    return lambda issuer: issuer.token(**{name: int(time.time() + seconds)})


def text_of(change: Callable[[str], str]) -> Make:
    return lambda issuer: change(issuer.token())


def parts(change: Callable[[list[str]], list[str]]) -> Make:
    return lambda issuer: ".".join(change(issuer.token().split(".")))


def raw_claims(change: Callable[[str], str | bytes]) -> Make:
    """Sign claims whose JSON text is changed."""
    return lambda issuer: sign(
        {"alg": "RS256", "kid": "rsa"}, change(json.dumps(issuer.claims())), private_key("rsa-2048"), "RS256"
    )


def raw_header(text: str | bytes) -> Make:
    return lambda issuer: sign(text, issuer.claims(), private_key("rsa-2048"), "RS256")


def foreign(key: str, algorithm: str = "RS256", **changes: object) -> Make:
    return lambda issuer: issuer.token(key, algorithm, changes)


def ec_signature(content: bytes) -> Make:
    """Put another signature in the place of an ES256 token's own."""
    return lambda issuer: f"{issuer.token('p256', 'ES256', {'kid': 'ec'}).rpartition('.')[0]}.{encode(content)}"


def confused(make: Callable[[], bytes]) -> Make:
    """Sign with a public key as if it were a shared secret."""
    return lambda issuer: hs256({"kid": "rsa"}, issuer.claims(), make())


def as_bearer(make: Make) -> Make:
    return lambda issuer: f"Bearer {make(issuer)}"


def spare_bits(token: str) -> str:
    """Change bits of the signature's last character that stand for no byte."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


# RS256's public key in every form that a library might take for a shared secret.
CONFUSION = {
    "pem": lambda: public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "pem-stripped": lambda: public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
    "pkcs1": lambda: public_bytes(Encoding.PEM, PublicFormat.PKCS1),
    "der": lambda: public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "jwk": lambda: json.dumps(jwk("rsa-2048", kid="rsa")).encode(),
    "modulus": lambda: jwk("rsa-2048")["n"].encode(),
    "empty": lambda: b"",
}

TOKENS: dict[str, Make] = {
    # Without a signature, or one that the issuer's key cannot have made.
    **{f"alg-{name}": unsigned(name) for name in ("none", "None", "NONE", "nOnE", "", " none", "none ")},
    **{f"alg-none-signed-{name}": unsigned(name, "AAAA") for name in ("none", "None", "NONE")},
    "alg-none-over-a-good-signature": lambda issuer: unsigned("none")(issuer) + issuer.token().split(".")[2],
    "alg-missing": header(alg=None),
    "alg-null": raw_header('{"alg":null,"kid":"rsa"}'),
    "alg-number": raw_header('{"alg":256,"kid":"rsa"}'),
    "alg-list": raw_header('{"alg":["RS256"],"kid":"rsa"}'),
    "alg-object": raw_header('{"alg":{"RS256":1},"kid":"rsa"}'),
    "alg-lower-case": header(alg="rs256"),
    "alg-space": header(alg="RS256 "),
    "alg-not-in-the-list": foreign("rsa-2048", "RS512"),
    "alg-of-the-key-but-not-in-the-list": foreign("rsa-2048", "RS384"),
    "alg-other-than-signed": header(alg="PS256"),
    "alg-hs384": header(alg="HS384"),
    "alg-unknown": header(alg="XS256"),
    **{f"key-confusion-{name}": confused(make) for name, make in CONFUSION.items()},
    "hs256-guessed-secret": lambda issuer: hs256({"kid": "rsa"}, issuer.claims(), b"secret"),
    "hs256-without-kid": lambda issuer: hs256({}, issuer.claims(), CONFUSION["pem"]()),
    "foreign-rsa-key": foreign("rsa-foreign-2048"),
    "foreign-ec-key": foreign("p256-foreign", "ES256", kid="ec"),
    "foreign-ed-key": foreign("ed-foreign", "EdDSA", kid="ed"),
    "weak-rsa-key": foreign("rsa-1024"),
    # Key ids.
    "kid-unknown": header(kid="other"),
    "kid-missing-of-several-keys": header(kid=None),
    "kid-empty": header(kid=""),
    "kid-number": header(kid=1),
    "kid-null": raw_header('{"alg":"RS256","kid":null}'),
    "kid-list": header(kid=["rsa"]),
    "kid-path": header(kid="../../../../dev/null"),
    "kid-sql": header(kid="rsa' UNION SELECT 'key'--"),
    "kid-url": header(kid="https://evil.example/jwks"),
    "kid-command": header(kid="rsa|/bin/sh"),
    "kid-nul": header(kid="rsa\0"),
    "kid-case": header(kid="RSA"),
    "kid-space": header(kid=" rsa"),
    "kid-long": header(kid="r" * 300),
    "kid-of-an-ec-key": header(kid="ec"),
    "kid-of-an-ed-key": header(kid="ed"),
    "kid-of-a-key-for-another-algorithm": foreign("rsa-b-2048", "RS256", kid="ps"),
    "kid-dev-null-hmac": lambda issuer: hs256({"kid": "/dev/null"}, issuer.claims(), b""),
    # Header members that lead to a key of the sender's, or change what a token means.
    "jwk-of-the-sender": foreign("rsa-foreign-2048", "RS256", kid=None, jwk=jwk("rsa-foreign-2048")),
    "jwk-of-the-sender-with-kid": foreign("rsa-foreign-2048", "RS256", jwk=jwk("rsa-foreign-2048", kid="rsa")),
    "jku-of-the-sender": foreign("rsa-foreign-2048", "RS256", jku="https://evil.example/jwks"),
    "jku-metadata": foreign("rsa-foreign-2048", "RS256", jku="http://169.254.169.254/latest/"),
    "x5u-of-the-sender": foreign("rsa-foreign-2048", "RS256", x5u="https://evil.example/cert"),
    "x5c-of-the-sender": foreign("rsa-foreign-2048", "RS256", x5c=["MIIB"]),
    "x5t-of-the-sender": foreign("rsa-foreign-2048", "RS256", x5t="AAAA"),
    "crit-unknown": header(crit=["exp"], exp=1),
    "crit-empty": header(crit=[]),
    "crit-b64": header(crit=["b64"], b64=False),
    "b64-false": header(b64=False),
    "zip": header(zip="DEF"),
    "enc": header(enc="A256GCM"),
    "cty-nested": header(cty="JWT"),
    "typ-other": header(typ="dpop+jwt"),
    "typ-logout": header(typ="logout+jwt"),
    "typ-number": header(typ=1),
    "deflated-claims": lambda issuer: sign(
        {"alg": "RS256", "kid": "rsa", "zip": "DEF"}, zlib.compress(json.dumps(issuer.claims()).encode())[2:-4],
        private_key("rsa-2048"), "RS256",
    ),
    # Times.
    "expired": in_seconds("exp", -3600),
    "expired-beyond-the-leeway": in_seconds("exp", -62),
    "exp-missing": claims(exp=None),
    "exp-text": lambda issuer: issuer.token(exp=str(int(time.time()) + 600)),
    "exp-true": claims(exp=True),
    "exp-null": raw_claims(lambda text: text.replace('"exp": ', '"exp": null, "x": ')),
    "exp-list": claims(exp=[9999999999]),
    "exp-infinite": raw_claims(lambda text: text.replace('"exp": ', '"exp": 1e400, "x": ')),
    "exp-infinity": raw_claims(lambda text: text.replace('"exp": ', '"exp": Infinity, "x": ')),
    "exp-nan": raw_claims(lambda text: text.replace('"exp": ', '"exp": NaN, "x": ')),
    "exp-huge": raw_claims(lambda text: text.replace('"exp": ', '"exp": ' + "9" * 400 + ', "x": ')),
    "exp-of-4400-digits": raw_claims(lambda text: text.replace('"exp": ', '"exp": ' + "9" * 4400 + ', "x": ')),
    "exp-negative": claims(exp=-1),
    "exp-milliseconds-of-the-past": lambda issuer: issuer.token(exp=0),
    "nbf-future": in_seconds("nbf", 3600),
    "nbf-beyond-the-leeway": in_seconds("nbf", 90),
    "nbf-text": claims(nbf="0"),
    "iat-future": in_seconds("iat", 3600),
    "iat-beyond-the-leeway": in_seconds("iat", 90),
    "iat-missing": claims(iat=None),
    "iat-text": claims(iat="now"),
    # Who issued it, for whom, about whom.
    "aud-wrong": claims(aud="other"),
    "aud-missing": claims(aud=None),
    "aud-empty": claims(aud=""),
    "aud-empty-list": claims(aud=[]),
    "aud-list-of-others": claims(aud=["other", "another"]),
    "aud-list-of-lists": claims(aud=[[AUDIENCE]]),
    "aud-object": claims(aud={AUDIENCE: True}),
    "aud-number": claims(aud=1),
    "aud-prefix": claims(aud=AUDIENCE[:-1]),
    "aud-longer": claims(aud=AUDIENCE + "s"),
    "aud-case": claims(aud=AUDIENCE.upper()),
    "iss-missing": claims(iss=None),
    "iss-wrong": claims(iss="https://evil.example"),
    "iss-trailing-slash": lambda issuer: issuer.token(iss=issuer.url + "/"),
    "iss-prefix": lambda issuer: issuer.token(iss=issuer.url[:-1]),
    "iss-longer": lambda issuer: issuer.token(iss=issuer.url + ".evil.example"),
    "iss-list": lambda issuer: issuer.token(iss=[issuer.url]),
    "iss-case": lambda issuer: issuer.token(iss=issuer.url.replace("http", "HTTP")),
    "iss-number": claims(iss=1),
    "sub-missing": claims(sub=None),
    "sub-empty": claims(sub=""),
    "sub-number": claims(sub=7),
    "sub-list": claims(sub=["ada"]),
    # Two of one name: which one counts differs between parsers.
    "claim-twice": raw_claims(lambda text: text[:-1] + ', "sub": "root"}'),
    "claim-twice-inside": raw_claims(lambda text: text[:-1] + ', "act": {"sub": 1, "sub": 2}}'),
    "alg-twice": raw_header('{"alg":"none","alg":"RS256","kid":"rsa"}'),
    "kid-twice": raw_header('{"alg":"RS256","kid":"evil","kid":"rsa"}'),
    # The form.
    "one-part": text_of(lambda token: token.replace(".", "")),
    "two-parts": parts(lambda found: found[:2]),
    "four-parts": parts(lambda found: [*found, found[2]]),
    "five-parts": parts(lambda found: [*found, "AAAA", "AAAA"]),
    "empty-header": parts(lambda found: ["", found[1], found[2]]),
    "empty-claims-detached": parts(lambda found: [found[0], "", found[2]]),
    "empty-signature": parts(lambda found: [found[0], found[1], ""]),
    "leading-dot": text_of(lambda token: "." + token),
    "trailing-dot": text_of(lambda token: token + "."),
    "padding": text_of(lambda token: token + "=="),
    "standard-alphabet": parts(lambda found: [found[0], found[1], base64.b64encode(b"\xff" * 256).decode()]),
    "spare-bits": text_of(spare_bits),
    "inner-space": text_of(lambda token: token[:50] + " " + token[50:]),
    "trailing-space-and-more": text_of(lambda token: token + " x"),
    "not-base64": text_of(lambda token: token[:20] + "!" + token[21:]),
    "length-of-no-base64": parts(lambda found: [found[0], found[1], found[2] + "AAA"]),
    "header-not-json": raw_header("alg=RS256"),
    "header-a-list": raw_header('["RS256"]'),
    "header-a-text": raw_header('"RS256"'),
    "header-not-utf8": raw_header(b'{"alg":"RS256\xff"}'),
    "header-bom": raw_header(b"\xef\xbb\xbf" + GOOD_HEADER.encode()),
    "header-utf16": raw_header(GOOD_HEADER.encode("utf-16")),
    "claims-utf16": raw_claims(lambda text: text.encode("utf-16-le")),
    "header-deep": raw_header('{"alg":"RS256","kid":"rsa","x":' + "[" * 2500 + "]" * 2500 + "}"),
    "claims-a-list": raw_claims(lambda text: f"[{text}]"),
    "claims-null": raw_claims(lambda text: "null"),
    "claims-not-json": raw_claims(lambda text: "sub=ada"),
    "claims-empty": raw_claims(lambda text: ""),
    "claims-with-more-behind": raw_claims(lambda text: text + "{}"),
    "claims-deep": raw_claims(lambda text: text[:-1] + ', "x": ' + "[" * 2500 + "]" * 2500 + "}"),
    "nested-token": lambda issuer: sign(
        {"alg": "RS256", "kid": "rsa", "cty": "JWT"}, issuer.token(), private_key("rsa-2048"), "RS256"
    ),
    "claims-of-another-token": lambda issuer: ".".join(
        [*issuer.token().split(".")[:1], issuer.token(sub="root").split(".")[1], issuer.token().split(".")[2]]
    ),
    "header-of-another-token": lambda issuer: ".".join(
        [encode({"alg": "RS256", "kid": "rsa", "x": 1}), *issuer.token().split(".")[1:]]
    ),
    "signature-cut": text_of(lambda token: token[:-4]),
    "signature-longer": text_of(lambda token: token + "AAAA"),
    "signature-zero": parts(lambda found: [found[0], found[1], encode(bytes(256))]),
    "ec-signature-zero": ec_signature(bytes(64)),
    "ec-signature-short": ec_signature(bytes(63)),
    "ec-signature-empty": ec_signature(b"\0"),
    "ec-signature-der": ec_signature(b"0\x06\x02\x01\x01\x02\x01\x01"),
    "just-long": lambda issuer: "a" * 7000,
}  # fmt: skip

AUTHORIZATIONS: dict[str, Make] = {
    **{name: as_bearer(make) for name, make in TOKENS.items()},
    "no-token": lambda issuer: "Bearer",
    "empty-token": lambda issuer: "Bearer ",
    "no-scheme": lambda issuer: issuer.token(),
    "scheme-basic": lambda issuer: f"Basic {issuer.token()}",
    "scheme-token": lambda issuer: f"Token {issuer.token()}",
    "scheme-jwt": lambda issuer: f"JWT {issuer.token()}",
    "scheme-longer": lambda issuer: f"BearerX {issuer.token()}",
    "two-spaces": lambda issuer: f"Bearer  {issuer.token()}",
    "tab": lambda issuer: f"Bearer\t{issuer.token()}",
    "quoted": lambda issuer: f'Bearer "{issuer.token()}"',
    "as-parameter": lambda issuer: f"Bearer token={issuer.token()}",
    "basic-credentials": lambda issuer: "Basic " + base64.b64encode(b"ada:secret").decode(),
    "the-api-key": lambda issuer: f"Bearer {KEY}",
}

API_KEYS: dict[str, str] = {
    "other": "another-key-of-the-same-length-012345678",
    "prefix": KEY[:-1],
    "longer": KEY + "0",
    "last-wrong": KEY[:-1] + "8",
    "first-wrong": "C" + KEY[1:],
    "upper": KEY.upper(),
    "reversed": KEY[::-1],
    "doubled": KEY + KEY,
    "two-headers-joined": f"{KEY},{KEY}",
    "list": f"other, {KEY}",
    "quoted": f'"{KEY}"',
    "bearer": f"Bearer {KEY}",
    "hash": sha256(KEY.encode()).hexdigest(),
    "hash-base64": base64.b64encode(sha256(KEY.encode()).digest()).decode(),
    "id": "partner",
    "variable": "MULTICLOUD_SECRET_PARTNER_KEY",
    "latin-1": KEY[:-1] + "\xb9",
    "inner-space": KEY.replace("-", " "),
    "long": "k" * 7000,
    "star": "*",
    "null": "null",
    "regex": ".*",
    "sql": "' OR '1'='1",
    "percent": KEY.replace("-", "%2D"),
    "one": "c",
}
"""Values of x-api-key."""
