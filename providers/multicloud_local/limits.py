"""What the local gateway's edge tolerates. Read by every module of the edge, decided by ``server.serve``."""

from __future__ import annotations

import attrs


@attrs.frozen
class Limits:
    """Sizes in bytes, durations in seconds.

    The sizes are the portable limits that hold on every cloud: what passes here passes there. header_bytes counts
    the header lines with their line ends, without the request line; url_bytes counts the request target.
    head_seconds: from the first byte of a request to the end of its headers. body_seconds: from there to the end of
    its body. idle_seconds: a kept-alive connection without a request. linger_seconds: how long a refused client may
    go on sending before the connection is cut, so that it gets to read why. connections: open at a time.
    """

    url_bytes: int = 4 * 1024
    header_bytes: int = 8 * 1024
    header_count: int = 100
    body_bytes: int = 4 * 1024 * 1024
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 5.0
    linger_seconds: float = 1.0
    connections: int = 512
