"""API keys, the cloud's own callers and the user's function: who calls, told without a token of ours to verify.

Imported by routes that have one of them; tokens are in ``multicloud.runtime.tokens``.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from hmac import compare_digest
from os import environ
from time import monotonic

from multicloud.runtime.request import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from multicloud.runtime.endpoints import HasLoop
    from multicloud.runtime.request import Request

MAX_CACHED = 10_000
"""Identities that a function authorizer keeps; of more, the oldest is forgotten."""


class ApiKeys:
    """Keys of calling programs.

    config: ``header``, and ``secrets``: pairs of a key's id and the environment variable that holds the key. The keys
    are read at the first request and kept as hashes alone.
    """

    calls_user = False

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._header: str = config["header"]
        self._secrets = config["secrets"]
        self._hashes: tuple[tuple[str, bytes], ...] | None = None

    def verify(self, request: Request) -> Identity | None:
        """Return who a key belongs to. Raises RuntimeError if a secret is missing, which is a 500."""
        hashes = self._hashes
        if hashes is None:
            hashes = self._hashes = self._read()
        sent = request.headers.get(self._header)
        if not sent:
            return None
        digest = sha256(sent.encode("utf-8", "surrogatepass")).digest()
        found = None
        for key_id, known in hashes:  # to the end, whichever matches: the time must tell nothing
            if compare_digest(digest, known):
                found = key_id
        return None if found is None else Identity(found, api_key_id=found)

    async def verify_async(self, request: Request) -> Identity | None:
        """Do the same: nothing here waits."""
        return self.verify(request)

    def challenge(self, request: Request, realm: str) -> str:
        """Return the header to send a key in. No scheme is registered for keys; this one says what is meant."""
        return f'ApiKey realm="{realm}", header="{self._header}"'

    def _read(self) -> tuple[tuple[str, bytes], ...]:
        missing = [variable for _, variable in self._secrets if not is_sendable(environ.get(variable, ""))]
        if missing:
            raise RuntimeError(f"secrets are missing, or no text that a header carries: {', '.join(missing)}")
        return tuple((key_id, sha256(environ[variable].encode()).digest()) for key_id, variable in self._secrets)


class CloudCaller:
    """A caller whom the cloud's own access management has verified and let in. Nothing that a client sends counts."""

    calls_user = False

    def verify(self, request: Request) -> Identity | None:
        """Return whom the platform states."""
        return request.cloud_identity()

    async def verify_async(self, request: Request) -> Identity | None:
        """Do the same: nothing here waits."""
        return self.verify(request)

    def challenge(self, request: Request, realm: str) -> str:
        """Return the scheme that the platform's signatures have."""
        return f'{request.cloud_scheme} realm="{realm}"'


class UserFunction:
    """The user's own check.

    config: ``async``, ``identity_headers``, ``cache_seconds``. handler: ``(request) -> Identity | None``. owner: whose
    loop is used. Only identities are kept, never a refusal: who has just been granted something need not wait.
    """

    calls_user = True

    def __init__(self, config: Mapping[str, Any], handler: Callable[[Request], Any], owner: HasLoop) -> None:
        self._headers: tuple[str, ...] = config["identity_headers"]
        self._cache_seconds: int = config["cache_seconds"]
        self._is_async: bool = config["async"]
        self._handler = handler
        self._owner = owner
        self._cache: OrderedDict[bytes, tuple[float, Identity]] = OrderedDict()

    def verify(self, request: Request) -> Identity | None:
        """Return what the function says. Raises what it raises, TypeError for anything but an identity or None."""
        key = self._key(request)
        found = self._cached(key)
        if key is None or found is not None:
            return found
        result = self._handler(request)
        if hasattr(result, "__await__"):
            result = self._owner.loop.block_on(_await(result))
        return self._keep(key, result)

    async def verify_async(self, request: Request) -> Identity | None:
        """Do the same; a plain function runs in a thread, for it may block."""
        key = self._key(request)
        found = self._cached(key)
        if key is None or found is not None:
            return found
        if self._is_async:
            result = self._handler(request)
        else:
            result = await self._owner.loop.run_sync(self._handler, request)
        if hasattr(result, "__await__"):
            result = await result
        return self._keep(key, result)

    def challenge(self, request: Request, realm: str) -> str:
        """Return the headers that the function decides by."""
        if self._headers == ("authorization",):
            return f'Bearer realm="{realm}"'
        return f'ApiKey realm="{realm}", header="{" ".join(self._headers)}"'

    def _key(self, request: Request) -> bytes | None:
        """Return a hash of the headers that the function decides by; None if one of them is absent or empty."""
        values = [request.headers.get(name) for name in self._headers]
        if not all(values):
            return None
        return sha256(repr(values).encode("utf-8", "surrogatepass")).digest()  # unambiguous, unlike a join

    def _cached(self, key: bytes | None) -> Identity | None:
        kept = None if key is None else self._cache.get(key)
        if kept is None or kept[0] <= monotonic():
            return None
        return _copy(kept[1])

    def _keep(self, key: bytes, found: Any) -> Identity | None:
        if found is not None and not isinstance(found, Identity):
            raise TypeError(f"an authorizer returns an Identity or None, got {type(found).__name__}")
        if found is not None and self._cache_seconds:
            self._cache.pop(key, None)
            self._cache[key] = monotonic() + self._cache_seconds, _copy(found)
            while len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        return found if isinstance(found, Identity) else None


def is_sendable(key: str) -> bool:
    """Tell whether a header carries a text alike on every platform: printable ASCII, no space around it."""
    return key != "" and key.isascii() and key.isprintable() and key.strip() == key


def _copy(identity: Identity) -> Identity:
    """Return an identity of its own for one request, which may change it."""
    return Identity(identity.subject, identity.scopes, dict(identity.claims), identity.api_key_id)


async def _await(awaitable: Any) -> Any:
    return await awaitable
