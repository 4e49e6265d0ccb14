"""Fetches a small document from an address that a definition names, and from nowhere else it could be led to.

https alone, no redirect, no address inside a network, a bounded size and time. In development this machine may answer,
without TLS too. Proxies of the environment are not used: the address that was checked is the one that is connected to.
"""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from urllib.parse import SplitResult

TIMEOUT_SECONDS = 1.5
"""For a fetch as a whole, and the size below: what the managed gateways allow (CONTRACT.md, section 2)."""
MAX_BYTES = 150_000

LATE = "no answer in time"

NOT_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "168.63.129.16/32", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")))
"""What Python's tables of some versions take for global (IANA's special-purpose registries), and one address that means
the host's own agent in a cloud's virtual networks."""

TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052), of which the last 32 bits count."""


class FetchError(Exception):
    """A document could not be had. The text says why, for the log."""


class Document:
    """content: the body. max_age_seconds: for how long Cache-Control lets it be kept, None if it does not say."""

    __slots__ = ("content", "max_age_seconds")

    def __init__(self, content: bytes, max_age_seconds: int | None) -> None:
        self.content = content
        self.max_age_seconds = max_age_seconds


def fetch(url: str, *, allow_loopback: bool) -> Document:
    """Return the document at a URL. allow_loopback: whether this machine may serve it. Raises FetchError.

    The work is done in a thread that is left behind at the timeout, its connection broken: nothing else bounds how
    long a name takes to resolve, or a server that sends one byte at a time.
    """
    task = _Fetch(url, allow_loopback)
    thread = Thread(target=task.run, name="multicloud-fetch", daemon=True)
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    if thread.is_alive():
        task.abandon()
        raise FetchError(LATE)
    if task.document is None:
        raise FetchError(task.reason)
    return task.document


class _Fetch:
    """One fetch, from the URL to the document or the reason why there is none."""

    def __init__(self, url: str, allow_loopback: bool) -> None:
        self.document: Document | None = None
        self.reason = ""
        self._url = url
        self._allow_loopback = allow_loopback
        self._deadline = monotonic() + TIMEOUT_SECONDS
        self._socket: socket.socket | None = None

    def run(self) -> None:
        try:
            self.document = self._get()
        except FetchError as error:
            self.reason = str(error)
        except TimeoutError:
            self.reason = LATE
        except (OSError, HTTPException, ValueError) as error:
            self.reason = f"{type(error).__name__}: {error}"

    def abandon(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _get(self) -> Document:
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise FetchError("not an https URL")
        connection = HTTPConnection(parts.hostname, parts.port)
        self._socket = connection.sock = self._connect(parts)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"accept": "application/json", "accept-encoding": "identity"})
            response = connection.getresponse()
            if response.status != 200:  # a redirect among others: it could lead anywhere
                raise FetchError(f"status {response.status}")
            if response.getheader("content-encoding", "identity") != "identity":
                raise FetchError("an encoded body")
            content = response.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise FetchError(f"more than {MAX_BYTES} bytes")
            if response.length:  # what was declared and has not come
                raise FetchError("a body shorter than declared")
            return Document(content, _max_age(response.getheader("cache-control", "")))
        finally:
            connection.close()

    def _connect(self, parts: SplitResult) -> socket.socket:
        """Connect to an address that was checked: resolved once, so that a second answer cannot differ."""
        host = str(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        addresses = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        is_own = self._allow_loopback and all(ip_address(one.partition("%")[0]).is_loopback for one in addresses)
        if not is_own and parts.scheme != "https":
            raise FetchError("neither https nor this machine")
        if not is_own and not all(is_public(one) for one in addresses):
            raise FetchError("an address inside a network")
        plain = _first(addresses, port, self._deadline)
        if parts.scheme != "https":
            return plain
        from ssl import create_default_context

        self._socket = plain  # so that a slow handshake can be broken as well
        return create_default_context().wrap_socket(plain, server_hostname=host)


def _first(addresses: list[str], port: int, deadline: float) -> socket.socket:
    """Return a connection to the first address that takes one."""
    failure: OSError | None = None
    for address in dict.fromkeys(addresses):
        try:
            return socket.create_connection((address, port), max(0.05, deadline - monotonic()))
        except OSError as error:
            failure = error
    raise failure or FetchError("no address")


def is_public(address: str) -> bool:
    """Tell whether an address is one of the internet: not private, not link-local, not what stands for such a one."""
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
        if parsed in TRANSLATED:
            inner = IPv4Address(int(parsed) & 0xFFFFFFFF)
        parsed = inner or parsed
    is_special = parsed.is_multicast or parsed.is_reserved or any(parsed in network for network in NOT_PUBLIC)
    return parsed.is_global and not is_special


def _max_age(cache_control: str) -> int | None:
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name == "max-age" and value.isdecimal():
            return int(value[:9])
    return None
