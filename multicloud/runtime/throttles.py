"""Throttles and quotas: who has asked how often, in this process. Imported by routes that have one.

Memory is bounded: of more than ``MAX_KEYS`` clients the one that has been away longest is forgotten, and begins anew.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil
from threading import Lock
from time import monotonic, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_KEYS = 100_000
"""Clients remembered by each throttle and quota (CONTRACT.md, R41): some 20 MB at most."""

SECONDS_A_DAY = 86_400


class Standing:
    """Where a client stands after a request.

    remaining: requests that would be let in at once. reset_seconds: until it is as if the client had never asked.
    wait_seconds: 0 if the request is let in, else how long the client should wait.
    """

    __slots__ = ("remaining", "reset_seconds", "wait_seconds")

    def __init__(self, remaining: int, reset_seconds: int, wait_seconds: int) -> None:
        self.remaining = remaining
        self.reset_seconds = reset_seconds
        self.wait_seconds = wait_seconds


class TokenBuckets:
    """A bucket of tokens for each client: a request takes one, ``rate`` a second come back, ``burst`` is the most.

    clock: seconds that never run backwards.
    """

    __slots__ = ("_buckets", "_burst", "_clock", "_lock", "_rate", "policy")

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._lock = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        # What the fields can say is a quota in a window. A client that keeps to this one is never refused.
        self.policy = f'"throttle";q={burst};w={max(1, ceil(burst / rate))}'

    def take(self, key: str) -> Standing:
        """Take a token of a client, if there is one."""
        with self._lock:
            now = self._clock()
            tokens, then = self._buckets.get(key, (self._burst, now))
            tokens = min(self._burst, tokens + max(0.0, now - then) * self._rate)
            is_allowed = tokens > 1 - 1e-9  # what floating point loses must not cost a request
            if is_allowed:
                tokens = max(0.0, tokens - 1)
            self._buckets[key] = tokens, max(now, then)
            self._buckets.move_to_end(key)
            if len(self._buckets) > MAX_KEYS:
                self._buckets.popitem(last=False)
        wait_seconds = 0 if is_allowed else max(1, ceil((1 - tokens) / self._rate))
        return Standing(int(tokens + 1e-9), ceil((self._burst - tokens) / self._rate), wait_seconds)


class Counters:
    """A count for each client in a calendar period of UTC.

    period: ``day``, ``week`` (from Monday) or ``month``. clock: UNIX time, seconds; where it steps back over the
    beginning of a period, the later period goes on.
    """

    __slots__ = ("_clock", "_counts", "_end", "_limit", "_lock", "_period", "policy")

    def __init__(self, limit: int, period: str, clock: Callable[[], float] = time) -> None:
        self._limit = limit
        self._period = period
        self._clock = clock
        self._lock = Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._end = 0
        self.policy = ""

    def take(self, key: str) -> Standing:
        """Count a request of a client, if it is within the limit."""
        with self._lock:
            now = self._clock()
            if now >= self._end:
                begin, self._end = period_bounds(self._period, now)
                self.policy = f'"quota";q={self._limit};w={self._end - begin}'
                self._counts.clear()
            count = self._counts.get(key, 0)
            is_allowed = count < self._limit
            if is_allowed:
                count += 1
            self._counts[key] = count
            self._counts.move_to_end(key)
            if len(self._counts) > MAX_KEYS:
                self._counts.popitem(last=False)
            reset_seconds = max(1, ceil(self._end - now))
        return Standing(self._limit - count, reset_seconds, 0 if is_allowed else reset_seconds)


def period_bounds(period: str, now: float) -> tuple[int, int]:
    """Return when the calendar period around a time begins and ends, in UNIX time. period: as ``Counters`` says."""
    day = int(now // SECONDS_A_DAY)
    if period == "day":
        return day * SECONDS_A_DAY, (day + 1) * SECONDS_A_DAY
    if period == "week":
        monday = day - (day + 3) % 7  # 1 January 1970 was a Thursday
        return monday * SECONDS_A_DAY, (monday + 7) * SECONDS_A_DAY
    from datetime import UTC, datetime

    begin = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return int(begin.timestamp()), int(end.timestamp())
