"""Who may pass to a handler, and how often: after routing, before the body is read. Imported by routes with a gate.

A gate asks its authorizers until one knows the caller and grants the scopes, then takes from the throttle, then from
the quota. What it raises is answered as any HttpError is: a problem document, with CORS headers.
"""

from __future__ import annotations

from multicloud.runtime.errors import HttpError
from multicloud.runtime.throttles import Counters, TokenBuckets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Protocol

    from multicloud.runtime.endpoints import HasLoop
    from multicloud.runtime.request import Identity, Request
    from multicloud.runtime.throttles import Standing

    class Authorizer(Protocol):
        """One way to tell who calls."""

        def verify(self, request: Request) -> Identity | None:
            """Return who calls, None if the request does not say or is not believed. Raises HttpError to answer it."""

        async def verify_async(self, request: Request) -> Identity | None:
            """Do the same on the platform's loop, without holding it up."""

        def challenge(self, request: Request, realm: str) -> str:
            """Return what WWW-Authenticate says of this way (RFC 9110, section 11.6.1)."""

        calls_user: bool
        """Whether code of the user's decides, which may take any time."""

    class Limit(Protocol):
        """A throttle or a quota."""

        policy: str

        def take(self, key: str) -> Standing:
            """Take one request of a client."""

    LimitPer = tuple[Limit, str | None]

LONGEST_KEY = 64
"""Characters of a client's name that are kept as they are; a longer one is hashed."""


class Gates:
    """The gates of an application, each made at its first use; authorizers, throttles and quotas are shared by them.

    config, objects: as ``Application`` has them. owner: whose loop is used.
    """

    def __init__(self, config: Mapping[str, Any], objects: Sequence[Any], owner: HasLoop) -> None:
        self._policies = config["policies"]
        self._development = config["development"]
        self._realm = config["api"]
        self._objects = objects
        self._owner = owner
        self._made: dict[tuple[str, int], Any] = {}

    def get(self, number: int) -> Gate:
        """Return the gate of a number. For one thread at a time."""
        gate = self._policies["gates"][number]
        authorizers = [self._get("authorizers", one, self._authorizer) for one in gate["authorizers"]]
        limits: list[LimitPer] = []
        if gate["throttle"] is not None:
            limits.append(self._get("throttles", gate["throttle"], _throttle))
        if gate["quota"] is not None:
            limits.append(self._get("quotas", gate["quota"], _quota))
        return Gate(authorizers, gate["scopes"], limits, self._realm)

    def _get(self, table: str, number: int, make: Any) -> Any:
        key = (table, number)
        if key not in self._made:
            self._made[key] = make(self._policies[table][number])
        return self._made[key]

    def _authorizer(self, stated: Mapping[str, Any]) -> Authorizer:
        if stated["kind"] == "jwt":
            from multicloud.runtime.tokens import JwtVerifier

            return JwtVerifier(stated, self._owner, allow_loopback=self._development)
        from multicloud.runtime.authorizers import ApiKeys, CloudCaller, UserFunction

        if stated["kind"] == "api_key":
            return ApiKeys(stated)
        if stated["kind"] == "iam":
            return CloudCaller()
        return UserFunction(stated, self._objects[stated["handler"]], self._owner)


def _throttle(stated: Mapping[str, Any]) -> LimitPer:
    return TokenBuckets(stated["rate"], stated["burst"]), stated["per"]


def _quota(stated: Mapping[str, Any]) -> LimitPer:
    return Counters(stated["limit"], stated["period"]), stated["per"]


class Gate:
    """What a request must satisfy before its handler is called.

    authorizers: any one of them is enough; none for a route that anyone may call. scopes: all of them must be granted.
    limits: the throttle, then the quota, each with whom it counts: None (all together), ``caller`` or ``address``.
    realm: of challenges. calls_user: whether code of the user's decides, which may take any time.
    """

    __slots__ = ("_authorizers", "_limits", "_realm", "_scopes", "calls_user")

    def __init__(
        self, authorizers: Sequence[Authorizer], scopes: Iterable[str], limits: Sequence[LimitPer], realm: str
    ) -> None:
        self._authorizers = authorizers
        self.calls_user = any(one.calls_user for one in authorizers)
        self._scopes = frozenset(scopes)
        self._limits = limits
        self._realm = realm

    def check(self, request: Request) -> None:
        """Let a request pass and set its identity, from plain code. Raises HttpError 401, 403, 429 or 503."""
        found: list[Identity | HttpError | None] = []
        for authorizer in self._authorizers:
            try:
                found.append(authorizer.verify(request))
            except HttpError as error:  # another way may still let the request in
                found.append(error)
            if self._is_let_in(request, found[-1]):
                break
        else:
            self._refuse(request, found)
        self._count(request)

    async def check_async(self, request: Request) -> None:
        """Do what ``check`` does, on the platform's loop."""
        found: list[Identity | HttpError | None] = []
        for authorizer in self._authorizers:
            try:
                found.append(await authorizer.verify_async(request))
            except HttpError as error:  # as above
                found.append(error)
            if self._is_let_in(request, found[-1]):
                break
        else:
            self._refuse(request, found)
        self._count(request)

    def _is_let_in(self, request: Request, found: Identity | HttpError | None) -> bool:
        """Take what an authorizer found as the caller, if it is one that has the scopes: all of them, each exactly."""
        if found is None or isinstance(found, HttpError) or not self._scopes <= found.scopes:
            return False
        request.identity = found
        return True

    def _refuse(self, request: Request, found: Sequence[Identity | HttpError | None]) -> None:
        """Raise what the request is answered with if no authorizer let it in; nothing if there is none."""
        if not self._authorizers:
            return
        for error in found:
            if isinstance(error, HttpError):
                raise error
        if any(found):
            needed = " ".join(sorted(self._scopes))
            challenge = f'Bearer realm="{self._realm}", error="insufficient_scope", scope="{needed}"'
            raise HttpError(403, "The caller lacks a scope.", headers={"www-authenticate": challenge})
        challenges = dict.fromkeys([one.challenge(request, self._realm) for one in self._authorizers])
        raise HttpError(401, "The request is not authorised.", headers={"www-authenticate": ", ".join(challenges)})

    def _count(self, request: Request) -> None:
        """Take one request from each limit, and note what the answer will say of them. Raises HttpError 429."""
        states: list[str] = []
        policies: list[str] = []
        for limit, per in self._limits:
            standing = limit.take(_key(request, per))
            policies.append(limit.policy)
            name = limit.policy.partition(";")[0]
            states.append(f"{name};r={standing.remaining};t={standing.reset_seconds}")
            request.rate_limit = ", ".join(policies), ", ".join(states)
            if standing.wait_seconds:
                headers = {"retry-after": str(standing.wait_seconds)}
                raise HttpError(429, "There are too many requests; try again later.", headers=headers)


def _key(request: Request, per: str | None) -> str:
    """Return what a limit knows a client by."""
    if per is None:
        return ""
    identity = request.identity
    if per == "address" or identity is None:
        return "address " + network(request.client_ip)
    if identity.api_key_id is not None:
        return "key " + identity.api_key_id
    name = f"{identity.claims.get('iss', '')} {identity.subject}"
    if len(name) > LONGEST_KEY:
        from hashlib import sha256

        name = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return "subject " + name


def network(address: str) -> str:
    """Return what is counted as one client: an IPv4 address, or the first 64 bits of an IPv6 address.

    The rest of an IPv6 address is the client's own to choose (RFC 4291, section 2.5.4), for each request anew.
    """
    if ":" not in address:
        return address[:LONGEST_KEY]
    from ipaddress import IPv6Address

    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:LONGEST_KEY]
    return str(parsed.ipv4_mapped or f"{int(parsed) >> 64:x}")
