"""Who may call: the authorizers, as values.

An API, a function or a route names one authorizer or a list of alternatives, of which a request must satisfy any one.
The nearest statement counts: the route's, else the function's, else the API's. ``PUBLIC`` lifts what would be
inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, Final

import attrs

from multicloud.errors import Problem
from multicloud.model.addresses import header_name, identity_url
from multicloud.model.checks import (
    Checked,
    callable_or_name,
    each,
    expects,
    frozen,
    listed,
    mapping,
    matching,
    nearest,
    optional,
    reference,
    show,
    text,
    whole,
)

JWT_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a private key, verified by the public one of the issuer's key set (RFC 7518, 3.1; RFC 8037)."""

_key_id = matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "an id of 1 to 64 letters, digits, '_', '.' or '-'")


def _algorithm(value: Any) -> Iterator[Problem]:
    """Check for an algorithm whose key may be public."""
    if value in JWT_ALGORITHMS:
        return
    hint = nearest(value, JWT_ALGORITHMS)
    if isinstance(value, str) and value.casefold() == "none":
        hint = "without a signature anyone can write a token"
    elif isinstance(value, str) and value.upper().startswith("HS"):
        hint = "with a shared secret algorithm, the public key of the issuer could be used to sign a token"
    yield Problem("", f"one of {', '.join(JWT_ALGORITHMS)}", show(value), hint)


def _lower(value: str) -> str:
    return value.lower() if isinstance(value, str) else value


def _lower_each(value: Iterable[str]) -> tuple[str, ...]:
    names = listed(value)
    return tuple(_lower(name) for name in names) if isinstance(names, tuple) else names


@attrs.frozen
class JwtAuthorizer(Checked):
    """A bearer token (RFC 7519) signed by an identity provider.

    issuer: the exact ``iss`` claim, an https URL. audience: accepted ``aud`` values, at least one.
    jwks_url: where the issuer's keys are; None: found through ``<issuer>/.well-known/openid-configuration``.
    algorithms: accepted signatures, of ``JWT_ALGORITHMS``. leeway_seconds: tolerated clock difference, 0 to 60.
    Raises DefinitionError.
    """

    issuer: str = attrs.field(metadata=expects(identity_url()))
    audience: tuple[str, ...] = attrs.field(converter=listed, metadata=expects(each(text(512), at_least=1)))
    jwks_url: str | None = attrs.field(default=None, metadata=expects(optional(identity_url(query=True))))
    algorithms: tuple[str, ...] = attrs.field(
        default=("RS256",), converter=listed, metadata=expects(each(_algorithm, at_least=1))
    )
    leeway_seconds: int = attrs.field(default=60, metadata=expects(whole(0, 60, "seconds")))


@attrs.frozen
class ApiKeyAuthorizer(Checked):
    """A key that identifies a calling program.

    keys: the id that a handler sees as ``identity.api_key_id`` -> the name of the stored secret that holds the key.
    header: where the caller sends it, in lower case; default ``x-api-key``. A key in the URL is never accepted.
    Raises DefinitionError.
    """

    keys: Mapping[str, str] = attrs.field(converter=frozen, hash=False, metadata=expects(mapping(_key_id, reference)))
    header: str = attrs.field(default="x-api-key", converter=_lower, metadata=expects(header_name))

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Require at least one key, and a secret of its own for each."""
        if "keys" in wrong:
            return
        if not self.keys:
            yield Problem(self.at("keys"), "at least one key id and the name of its secret", "none")
        if len(set(self.keys.values())) < len(self.keys):
            yield Problem(self.at("keys"), "a secret of its own for each key id", "one secret under two ids")


@attrs.frozen
class IamAuthorizer(Checked):
    """The cloud's own identities: a request signed or accompanied by a token of the cloud's access management.

    Who may call is granted in the cloud, not here.
    """


@attrs.frozen
class FunctionAuthorizer(Checked):
    """The user's own check, called before the handler.

    handler: ``(request) -> Identity | None``, plain or async, or its name as ``module:qualname``. None is a 401.
    identity_headers: the headers that it decides by, in lower case; without all of them a request is a 401 at once.
    Default ``("authorization",)``. cache_seconds: for how long an answer may be used again for the same values of
    those headers, 0 (default, never) to 3600. Raises DefinitionError.
    """

    handler: Callable[..., Any] | str = attrs.field(metadata=expects(callable_or_name))
    identity_headers: tuple[str, ...] = attrs.field(
        default=("authorization",),
        converter=_lower_each,
        metadata=expects(each(header_name, at_least=1)),
    )
    cache_seconds: int = attrs.field(default=0, metadata=expects(whole(0, 3600, "seconds")))


@attrs.frozen(repr=False)
class Public(Checked):
    """No authorizer, said aloud. Use the value ``PUBLIC``."""

    def __repr__(self) -> str:
        return "PUBLIC"


PUBLIC: Final = Public()
"""Anyone may call. Needed once the API has an authorizer, because everything else is denied by default."""

Authorizer = JwtAuthorizer | ApiKeyAuthorizer | IamAuthorizer | FunctionAuthorizer | Public
_CLASSES = (JwtAuthorizer, ApiKeyAuthorizer, IamAuthorizer, FunctionAuthorizer, Public)


def alternatives(value: Authorizer | Iterable[Authorizer] | None) -> tuple[Authorizer, ...] | None:
    """Convert a field: one authorizer becomes a tuple of one; None (inherit) stays."""
    return value if value is None else (value,) if isinstance(value, _CLASSES) else listed(value)


def authorizers(value: Any) -> Iterator[Problem]:
    """Check for None or a tuple of alternatives among which a request can be told apart."""
    if value is None:
        return
    expected = f"an authorizer ({', '.join(cls.__name__ for cls in _CLASSES[:-1])}, PUBLIC) or a list of them"
    if not isinstance(value, tuple):
        yield Problem("", expected, show(value))
    elif not value:
        yield Problem("", expected, "an empty list", "write PUBLIC to let anyone in")
    elif wrong := [(index, item) for index, item in enumerate(value) if not isinstance(item, _CLASSES)]:
        for index, item in wrong:
            yield Problem(f"[{index}]" if len(value) > 1 else "", expected, show(item))
    elif PUBLIC in value and len(value) > 1:
        yield Problem("", "PUBLIC alone", "PUBLIC beside other authorizers", "it would make them meaningless")
    else:
        yield from _indistinct(value)


def _indistinct(value: tuple[Authorizer, ...]) -> Iterator[Problem]:
    """Yield a problem for each alternative that a request cannot be told to mean."""
    seen: set[object] = set()
    for index, item in enumerate(value):
        key: object = type(item)
        if isinstance(item, JwtAuthorizer):
            key = (JwtAuthorizer, item.issuer)
        elif isinstance(item, ApiKeyAuthorizer):
            key = (ApiKeyAuthorizer, item.header)
        if key in seen:
            expected = "one JwtAuthorizer for each issuer, one ApiKeyAuthorizer for each header, one of each other kind"
            yield Problem(f"[{index}]", expected, f"a second {type(item).__name__} like one before it")
        seen.add(key)
