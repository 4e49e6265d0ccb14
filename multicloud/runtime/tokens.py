"""JSON Web Tokens (RFC 7519): read strictly, their signatures verified by PyJWT and cryptography.

The one part of the runtime, with ``multicloud.runtime.jwks``, that needs packages: both are in a bundle if a route of
the function has a ``JwtAuthorizer``. A token is judged by what can be read in it before a key is fetched, so that a
forged one costs the issuer nothing. PyJWT's own reading is not used: it takes the last of two claims of one name,
ignores header parameters that change a token's meaning, and takes twice the time.
"""

from __future__ import annotations

from binascii import a2b_base64
from hashlib import sha256
from json import JSONDecoder
from math import isfinite
from re import compile as compile_pattern
from time import time

from jwt.algorithms import get_default_algorithms

from multicloud.runtime.json_body import is_too_deep
from multicloud.runtime.jwks import KeySet
from multicloud.runtime.request import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from multicloud.runtime.endpoints import HasLoop
    from multicloud.runtime.request import Request

MAX_CHARS = 8192
"""Longest token (CONTRACT.md, R36)."""

REQUIRED = ("iss", "sub", "aud", "iat", "exp")
"""What a token must state. One managed gateway refuses a token without any of these, so every provider does."""

MAX_KEY_ID = 256
TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
NOT_UNDERSTOOD = ("crit", "zip", "b64", "enc")
"""Header parameters that change how a token is to be read. None of them is understood, so none can be ignored."""

MAX_HEADERS = 64
"""Headers that are remembered as read: an issuer writes one and the same for each of its keys."""

MAX_VERIFIED = 10_000
"""Tokens whose signature is remembered as good, by hash, until their key is fetched anew. All else in a token is judged
at each request: whether it has expired above all."""

_COMPACT = compile_pattern(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_LAST = ("", None, "AQgw", "AEIMQUYcgkosw048")
"""By length modulo 4: what a part may end in, so that no bit of its last character stands for nothing. None: never."""


class Token:
    """A token that would be valid if its signature were.

    key_id: None if it names no key. signed: the bytes that the signature is over.
    """

    __slots__ = ("algorithm", "claims", "key_id", "signature", "signed")

    def __init__(self, header: Mapping[str, Any], claims: dict[str, Any], signed: bytes, signature: bytes) -> None:
        self.algorithm: str = header["alg"]
        self.key_id: str | None = header.get("kid")
        self.claims = claims
        self.signed = signed
        self.signature = signature


class JwtVerifier:
    """Bearer tokens of one issuer.

    config: the fields of ``multicloud.model.authorizers.JwtAuthorizer``. owner: in whose loop's threads keys are
    fetched. allow_loopback: whether this machine may be the issuer.
    """

    calls_user = False

    def __init__(self, config: Mapping[str, Any], owner: HasLoop, *, allow_loopback: bool) -> None:
        self._issuer: str = config["issuer"]
        self._audience = frozenset(config["audience"])
        known = get_default_algorithms()
        self._algorithms = {name: known[name] for name in config["algorithms"]}
        self._leeway: int = config["leeway_seconds"]
        self._headers: dict[str, Mapping[str, Any]] = {}
        self._verified: dict[bytes, Any] = {}
        self._owner = owner
        self.keys = KeySet(self._issuer, config["jwks_url"], allow_loopback=allow_loopback)

    def verify(self, request: Request) -> Identity | None:
        """Return whom a valid token speaks of. Raises HttpError 503 if the issuer's keys cannot be had."""
        token = self._read(request)
        if token is None:
            return None
        if self.keys.is_due(token.key_id):
            self.keys.refresh(token.key_id)
        return self._identity(token)

    async def verify_async(self, request: Request) -> Identity | None:
        """Do the same; keys are fetched in a thread."""
        token = self._read(request)
        if token is None:
            return None
        if self.keys.is_due(token.key_id):
            await self._owner.loop.run_sync(self.keys.refresh, token.key_id)
        return self._identity(token)

    def challenge(self, request: Request, realm: str) -> str:
        """Return the scheme, and whether a token was sent that is not valid (RFC 6750, section 3); not why."""
        sent = bearer(request)
        return f'Bearer realm="{realm}"' + (', error="invalid_token"' if sent else "")

    def _read(self, request: Request) -> Token | None:
        """Return the token of a request if it would be valid if its signature were; None for any other."""
        sent = bearer(request)
        match = _COMPACT.fullmatch(sent) if sent is not None and len(sent) <= MAX_CHARS else None
        if match is None:
            return None
        try:
            header = self._headers.get(match[1]) or self._read_header(match[1])
            claims, signature = _object(match[2]), _decode(match[3])
        except (ValueError, RecursionError):
            return None
        if header is None or not self._are_good_claims(claims):
            return None
        return Token(header, claims, f"{match[1]}.{match[2]}".encode(), signature)

    def _read_header(self, part: str) -> Mapping[str, Any] | None:
        header = _object(part)
        if not self._is_good_header(header):
            return None
        if len(self._headers) >= MAX_HEADERS:
            self._headers.clear()
        self._headers[part] = header
        return header

    def _is_good_header(self, header: Mapping[str, Any]) -> bool:
        kind, key_id = header.get("typ"), header.get("kid", "-")
        return (
            isinstance(header.get("alg"), str)
            and header["alg"] in self._algorithms
            and (kind.lower() if isinstance(kind, str) else kind) in TYPES
            and isinstance(key_id, str)
            and 0 < len(key_id) <= MAX_KEY_ID
            and "cty" not in header
            and not any(name in header for name in NOT_UNDERSTOOD)
        )

    def _are_good_claims(self, claims: Mapping[str, Any]) -> bool:
        if any(name not in claims for name in REQUIRED):
            return False
        times = [claims["iat"], claims["exp"], claims.get("nbf", 0)]
        if not all(type(one) in (int, float) and abs(one) < 1e12 and isfinite(one) for one in times):
            return False
        audience, subject, now = claims["aud"], claims["sub"], time()
        audiences = [audience] if isinstance(audience, str) else audience
        return (
            claims["iss"] == self._issuer
            and isinstance(subject, str)
            and subject != ""
            and isinstance(audiences, list)
            and any(isinstance(one, str) and one in self._audience for one in audiences)
            and times[0] <= now + self._leeway
            and times[1] > now - self._leeway
            and times[2] <= now + self._leeway
        )

    def _identity(self, token: Token) -> Identity | None:
        key = self.keys.find(token.key_id, token.algorithm)
        if key is None:
            return None
        digest = sha256(token.signed + b"." + token.signature).digest()
        if self._verified.get(digest) is not key:  # a key that was fetched anew is another object
            if not self._algorithms[token.algorithm].verify(token.signed, key, token.signature):
                return None
            if len(self._verified) >= MAX_VERIFIED:
                self._verified.clear()
            self._verified[digest] = key
        return Identity(token.claims["sub"], granted(token.claims), token.claims)


def bearer(request: Request) -> str | None:
    """Return the token of the Authorization header (RFC 6750, section 2.1); a token in a URL or body is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if token and scheme.lower() == "bearer" else None


def granted(claims: Mapping[str, Any]) -> list[str]:
    """Return the scopes in ``scope`` (RFC 8693, section 4.2) or ``scp``, which some issuers write; text or list."""
    stated = claims.get("scope", claims.get("scp", ""))
    if isinstance(stated, str):
        return stated.split()
    return [one for one in stated if isinstance(one, str)] if isinstance(stated, list) else []


def _decode(part: str) -> bytes:
    """Return the bytes of a part. Raises ValueError unless it is their one canonical form."""
    rest = len(part) % 4
    last = _LAST[rest]
    if last is None or (last and part[-1] not in last):
        raise ValueError("not canonical")
    return a2b_base64(part.encode().translate(_STANDARD) + b"=="[: -rest % 4])


def _object(part: str) -> dict[str, Any]:
    """Return a part's JSON object. Raises ValueError if it is none, or two of its members have one name."""
    text = _decode(part).decode("utf-8")
    if is_too_deep(text):
        raise ValueError("nested too deep")
    found = _DECODER.decode(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("two members of one name")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_DECODER = JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
