"""The public keys of an issuer: fetched, kept, and found again by a token's header. Imported by routes with a JWT.

Keys are kept as long as the issuer's Cache-Control says, within bounds. When they cannot be fetched anew, those at hand
serve for an hour more; when there are none, the answer is 503.
"""

from __future__ import annotations

from json import dumps, loads
from threading import Lock
from time import monotonic

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from multicloud.runtime.errors import HttpError
from multicloud.runtime.fetching import FetchError, fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

LEAST_SECONDS, MOST_SECONDS = 300, 3600
"""Between these keys are fetched anew (CONTRACT.md, section 2: at least five minutes)."""
STALE_SECONDS = 3600
UNKNOWN_SECONDS = 300
"""An unknown key id leads to one fetch in this time, whoever sends how many."""
RETRY_SECONDS = 10
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
MOST_KEYS = 100
DISCOVERY = "/.well-known/openid-configuration"

RSA = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


class Key:
    """value: the public key. algorithms: what it may verify."""

    __slots__ = ("algorithms", "value")

    def __init__(self, value: Any, algorithms: frozenset[str]) -> None:
        self.value = value
        self.algorithms = algorithms


class KeySet:
    """The keys of one issuer.

    issuer: where they are found by OpenID discovery, unless jwks_url says it. allow_loopback: whether this machine may
    serve them. clock: seconds that never run backwards.
    """

    def __init__(
        self, issuer: str, jwks_url: str | None, *, allow_loopback: bool, clock: Callable[[], float] = monotonic
    ) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._allow_loopback = allow_loopback
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[str | int, Key] | None = None
        self._fresh_until = self._usable_until = self._retry_at = self._unknown_at = float("-inf")

    def is_due(self, key_id: str | None) -> bool:
        """Tell whether the keys should be fetched before a token with this key id is judged."""
        now = self._clock()
        if now < self._retry_at:
            return False
        if self._keys is None or now >= self._fresh_until:
            return True
        return self._is_unknown(key_id) and now >= self._unknown_at

    def find(self, key_id: str | None, algorithm: str) -> Any:
        """Return the key that a token names; None if there is no such key or it is none for the algorithm.

        Without a key id the only key of a set is meant. Raises HttpError 503 if no keys are at hand.
        """
        keys = self._keys
        if keys is None or self._clock() >= self._usable_until:
            headers = {"retry-after": str(RETRY_SECONDS)}
            raise HttpError(503, "Tokens cannot be verified at the moment.", headers=headers)
        key = keys.get(key_id) if key_id is not None else next(iter(keys.values())) if len(keys) == 1 else None
        return key.value if key is not None and algorithm in key.algorithms else None

    def refresh(self, key_id: str | None) -> None:
        """Fetch the keys; what goes wrong is logged. Keys that merely aged serve other threads meanwhile."""
        must_wait = self._keys is None or self._is_unknown(key_id)
        if not self._lock.acquire(blocking=must_wait):
            return
        try:
            if not self.is_due(key_id):
                return  # another thread has fetched them in the meantime
            now = self._clock()
            if self._keys is not None and now < self._fresh_until:
                self._unknown_at = now + UNKNOWN_SECONDS
            self._fetch()
        finally:
            self._lock.release()

    def _is_unknown(self, key_id: str | None) -> bool:
        return key_id is not None and self._keys is not None and key_id not in self._keys

    def _fetch(self) -> None:
        url = self._jwks_url or self._issuer
        try:
            url = self._jwks_url or self._discover()
            document = fetch(url, allow_loopback=self._allow_loopback)
            keys = read_keys(_mapping(document.content))
            if not keys:
                raise FetchError("no key that can be used")
        except FetchError as error:
            self._retry_at = self._clock() + RETRY_SECONDS
            _log(url, str(error))
            return
        age = document.max_age_seconds
        now = self._clock()
        self._fresh_until = now + min(max(LEAST_SECONDS, age or 0), MOST_SECONDS)
        self._usable_until = self._fresh_until + STALE_SECONDS
        self._keys = keys

    def _discover(self) -> str:
        """Return where the issuer says that its keys are (OpenID Connect Discovery 1.0, section 4)."""
        found = _mapping(fetch(self._issuer.rstrip("/") + DISCOVERY, allow_loopback=self._allow_loopback).content)
        if found.get("issuer") != self._issuer:
            raise FetchError("the discovery document is of another issuer")
        url = found.get("jwks_uri")
        if not isinstance(url, str):
            raise FetchError("the discovery document names no key set")
        return url


def _mapping(content: bytes) -> Mapping[str, Any]:
    try:
        found = loads(content)
    except (ValueError, RecursionError):
        raise FetchError("not JSON") from None
    if not isinstance(found, dict):
        raise FetchError("not a JSON object")
    return found


def read_keys(document: Mapping[str, Any]) -> dict[str | int, Key]:
    """Return the usable keys of a key set (RFC 7517) by key id, or by a number where they have none.

    Left out: what is not for signatures, secret or private, too weak, malformed; and two keys of one id, of which
    nothing tells which is meant. Raises FetchError if the document is no key set of a reasonable size.
    """
    stated = document.get("keys")
    if not isinstance(stated, list) or len(stated) > MOST_KEYS:
        raise FetchError(f"not a key set of at most {MOST_KEYS} keys")
    found: dict[str | int, Key] = {}
    twice: set[str] = set()
    for number, jwk in enumerate(stated):
        key = _read_key(jwk) if isinstance(jwk, dict) else None
        if key is None:
            continue
        key_id = jwk.get("kid")
        name = key_id if isinstance(key_id, str) else number
        if name in found:
            twice.add(str(name))
        found[name] = key
    return {name: key for name, key in found.items() if name not in twice}


def _read_key(jwk: Mapping[str, Any]) -> Key | None:
    uses = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses or "d" in jwk or "k" in jwk:
        return None
    try:
        value, algorithms = _load(jwk)
    except (PyJWTError, ValueError, TypeError, KeyError, OverflowError):
        return None
    if "alg" in jwk:
        algorithms = frozenset(one for one in algorithms if one == jwk["alg"])
    return Key(value, algorithms) if algorithms else None


def _load(jwk: Mapping[str, Any]) -> tuple[Any, frozenset[str]]:
    """Return the public key, which cryptography has checked, and what it can verify; nothing for a weak one."""
    stated = dict(jwk)
    value: Any
    if jwk.get("kty") == "RSA":
        value = RSAAlgorithm.from_jwk(stated)
        if isinstance(value, RSAPublicKey) and LEAST_RSA_BITS <= value.key_size <= MOST_RSA_BITS:
            return value, RSA
    elif jwk.get("kty") == "EC":
        value = ECAlgorithm.from_jwk(stated)
        if isinstance(value, EllipticCurvePublicKey) and value.curve.name in CURVES:
            return value, frozenset((CURVES[value.curve.name],))
    elif jwk.get("kty") == "OKP" and jwk.get("crv") in ("Ed25519", "Ed448"):
        return OKPAlgorithm.from_jwk(stated), frozenset(("EdDSA",))
    return None, frozenset()


def _log(url: str, reason: str) -> None:
    from multicloud.runtime.logs import WARNING, logger

    record = {"message": "the keys of an issuer could not be fetched", "url": url, "reason": reason}
    logger.log(WARNING, "%s", dumps(record))
