"""What all connections of one server share: limits, trusted hosts, the log, the date. Made by ``server``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from multicloud_local.http1 import EdgeError, split_authority
from multicloud_local.limits import Limits

HOSTS = 256
"""Host values remembered as good: clients may vary the port."""


@attrs.define
class Edge:
    """State of a server's edge.

    trusted_hosts: names that Host may hold, in lower case, IPv6 in brackets. log: called with method, target, status,
    milliseconds, client address and the request's scope, after each answer; None for no log. stopping: no request
    after those under way.
    """

    limits: Limits
    trusted_hosts: frozenset[str]
    log: Callable[[str, bytes, int, float, str, Any], None] | None = None
    stopping: bool = False
    good_hosts: set[bytes] = attrs.field(factory=set)
    _headers: Any = None
    _lines: bytes = b""

    def check_host(self, authority: bytes, called: str) -> None:
        """Raise EdgeError for a Host that is not ours: a page whose name was rebound to this machine cannot forge it.

        called: the address of ours that the client connected to.
        """
        host = split_authority(authority)
        if host is None:
            raise EdgeError(400, "The Host header is malformed.")
        if host in self.trusted_hosts:
            if len(self.good_hosts) >= HOSTS:
                self.good_hosts.clear()
            self.good_hosts.add(authority)
        elif host.strip("[]") != called:
            raise EdgeError(400, "The Host header is not a name of this server; see trusted_hosts.")

    def default_lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the header lines of every answer: uvicorn's date, a new list each second. No ``server``."""
        if self._headers is not headers:
            self._headers = headers
            self._lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._lines
