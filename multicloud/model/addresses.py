"""Checks for what has the form of an address: origins, host names, URLs of identity providers, header names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from multicloud.errors import Problem
from multicloud.model.checks import Check, matching, show

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[1-9][0-9]{0,4})?", re.ASCII)
_URL_CHARACTERS = re.compile(r"[!-~]{1,2048}")

header_name = matching(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", "an HTTP header name")
domain_name = matching(
    rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])",
    "a host name in lower case, such as 'api.example.com'",
)
email = matching(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "an e-mail address")


def origin(value: Any) -> Iterator[Problem]:
    """Check for ``*`` or an origin exactly as a browser sends it (the ASCII serialization of RFC 6454, 6.2)."""
    if value == "*":
        return
    expected = "an origin as browsers send it, scheme://host[:port], or '*'"
    if value == "null":
        hint = "'null' is what sandboxed pages and local files send: allowing it allows everyone"
        yield Problem("", expected, show(value), hint)
    elif not isinstance(value, str):
        yield Problem("", expected, show(value))
    elif (sent := _as_sent(value)) != value or not sent:
        yield Problem("", expected, show(value), f"write {sent!r}" if sent else "")


def _as_sent(value: str) -> str:
    """Return the origin that a browser would send for a written one; empty if there is none."""
    parts = _split(value)
    if parts is None or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    sent = f"{parts.scheme}://{host}{port}"
    return sent if _ORIGIN.fullmatch(sent) and not parts.username else ""


def identity_url(*, query: bool = False) -> Check:
    """Check for an https URL; http is right for a loopback host alone. query: whether it may have one."""
    expected = "an https URL (http for a loopback host alone)" + ("" if query else " without a query")

    def check(value: Any) -> Iterator[Problem]:
        parts = _split(value) if isinstance(value, str) and _URL_CHARACTERS.fullmatch(value) else None
        if parts is None or not parts.hostname or parts.scheme not in _DEFAULT_PORTS:
            yield Problem("", expected, show(value))
        elif parts.username is not None or parts.password is not None:
            yield Problem("", expected, "a URL with a user or a password, not shown", "leave them out")
        elif parts.fragment or "#" in value or (not query and "?" in value):
            yield Problem("", expected, show(value), "leave out what follows the path")
        elif parts.scheme == "http" and not is_loopback(parts.hostname):
            yield Problem("", expected, show(value), "keys fetched without TLS can be replaced on the way")

    return check


def is_loopback(host: str) -> bool:
    """Return whether a host name or address (without brackets) stands for this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult | None:
    """Split a URL; None where its host or port cannot be read."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # read for its ValueError: urlsplit leaves the port unchecked
    except ValueError:
        return None
    return parts
