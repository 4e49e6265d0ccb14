"""Token buckets and counters against a clock of the test's own, and under many threads against the real one."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.runtime import throttles
from multicloud.runtime.gate import network
from multicloud.runtime.throttles import Counters, TokenBuckets, period_bounds


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_lets_the_burst_in_and_then_the_rate():
    clock = Clock()
    buckets = TokenBuckets(2, 5, clock)
    assert [buckets.take("a").wait_seconds for _ in range(7)] == [0, 0, 0, 0, 0, 1, 1]
    clock.now += 0.5
    assert [buckets.take("a").wait_seconds for _ in range(2)] == [0, 1]
    clock.now += 3600
    assert sum(buckets.take("a").wait_seconds == 0 for _ in range(20)) == 5, "more than the burst was saved up"


def test_what_remains_and_how_long_to_wait_is_told():
    clock = Clock()
    buckets = TokenBuckets(0.1, 2, clock)
    standings = [buckets.take("a") for _ in range(3)]
    told = [(one.remaining, one.reset_seconds, one.wait_seconds) for one in standings]
    assert told == [(1, 10, 0), (0, 20, 0), (0, 20, 10)]
    clock.now += 4
    late = buckets.take("a")
    assert (late.remaining, late.reset_seconds, late.wait_seconds) == (0, 16, 6)


def test_who_waits_as_told_is_let_in():
    clock = Clock()
    buckets = TokenBuckets(0.3, 1, clock)
    for _ in range(50):
        assert buckets.take("a").wait_seconds == 0
        clock.now += buckets.take("a").wait_seconds


def test_clients_do_not_take_from_one_another():
    buckets = TokenBuckets(1, 1, Clock())
    assert [buckets.take(key).wait_seconds for key in "aabbc"] == [0, 1, 0, 1, 0]


def test_a_clock_that_runs_backwards_gives_nothing_away():
    clock = Clock()
    buckets = TokenBuckets(1, 1, clock)
    buckets.take("a")
    for now in (0.0, 999.0, 1000.0, 1000.5):
        clock.now = now
        assert buckets.take("a").wait_seconds > 0
    clock.now = 1001.0
    assert buckets.take("a").wait_seconds == 0


@given(st.floats(0.001, 100_000), st.integers(1, 1000), st.lists(st.floats(0, 50), max_size=60))
def test_never_more_than_the_burst_and_what_the_rate_brings(rate, burst, steps):
    clock = Clock()
    buckets = TokenBuckets(rate, burst, clock)
    let_in = 0
    for step in steps:
        clock.now += step
        let_in += sum(buckets.take("a").wait_seconds == 0 for _ in range(3))
    assert let_in <= burst + rate * (clock.now - 1000) + 1e-6 * (1 + len(steps))


def test_the_policy_is_one_that_a_client_can_keep():
    """A client that sends q requests in w seconds, evenly or at once, is never refused."""
    for rate, burst in ((100, 200), (100, 10), (0.1, 5), (3, 7)):
        buckets = TokenBuckets(rate, burst, clock := Clock())
        quantity, window = (int(part.partition("=")[2]) for part in buckets.policy.split(";")[1:])
        for _ in range(5):
            assert all(buckets.take("a").wait_seconds == 0 for _ in range(quantity)), buckets.policy
            clock.now += window


def test_memory_is_bounded_and_the_longest_absent_is_forgotten(monkeypatch):
    monkeypatch.setattr(throttles, "MAX_KEYS", 100)
    for limit in (TokenBuckets(0.001, 1, Clock()), Counters(1, "day", Clock())):
        limit.take("kept")
        for number in range(1000):
            limit.take(f"other {number}")
            assert limit.take("kept").wait_seconds > 0, "a client that keeps asking was forgotten"
        table = getattr(limit, "_buckets", None) or limit._counts
        assert len(table) == 100
        assert limit.take("other 1").wait_seconds == 0


def test_a_hundred_thousand_clients_and_no_more_are_remembered():
    buckets = TokenBuckets(1, 1, Clock())
    for number in range(throttles.MAX_KEYS + 500):
        buckets.take(str(number))
    assert len(buckets._buckets) == 100_000


@pytest.fixture
def hasty_threads():
    """Threads that are switched at nearly every instruction, so that what is not locked goes wrong."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def ask_from_threads(limit, times):
    def ask(_):
        return sum(limit.take("a").wait_seconds == 0 for _ in range(times // 16))

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(ask, range(16)))


@pytest.mark.usefixtures("hasty_threads")
def test_threads_share_a_bucket_exactly():
    assert [ask_from_threads(TokenBuckets(0.001, 9000), 16_000) for _ in range(3)] == [9000] * 3


@pytest.mark.usefixtures("hasty_threads")
def test_threads_share_a_counter_exactly():
    assert [ask_from_threads(Counters(9000, "month"), 16_000) for _ in range(3)] == [9000] * 3


def test_under_threads_the_rate_is_kept_over_time():
    rate, burst, seconds = 200, 200, 1.0
    buckets = TokenBuckets(rate, burst)
    begun = time.monotonic()

    def ask(_: int) -> tuple[int, float]:
        let_in = 0
        while (now := time.monotonic()) < begun + seconds:
            let_in += buckets.take("a").wait_seconds == 0
            time.sleep(0.0005)
        return let_in, now

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    elapsed = max(end for _, end in found) - begun
    assert sum(one for one, _ in found) == pytest.approx(burst + rate * elapsed, rel=0.05)


# Quotas.


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "begin", "end"),
    [
        ("day", "2024-02-28T23:59:59", "2024-02-28", "2024-02-29"),
        ("day", "2024-02-29T00:00:00", "2024-02-29", "2024-03-01"),
        ("week", "2024-02-29T12:00:00", "2024-02-26", "2024-03-04"),
        ("week", "2024-03-03T23:59:59", "2024-02-26", "2024-03-04"),
        ("week", "2024-03-04T00:00:00", "2024-03-04", "2024-03-11"),
        ("week", "1970-01-01T00:00:00", "1969-12-29", "1970-01-05"),
        ("month", "2024-02-29T12:00:00", "2024-02-01", "2024-03-01"),
        ("month", "2023-12-31T23:59:59", "2023-12-01", "2024-01-01"),
        ("month", "2024-01-01T00:00:00", "2024-01-01", "2024-02-01"),
    ],
)
def test_periods_are_those_of_the_calendar_in_utc(period, now, begin, end):
    assert period_bounds(period, moment(now)) == (moment(begin), moment(end))


def test_a_quota_begins_anew_with_each_period():
    clock = Clock(moment("2024-02-28T23:59:50"))
    counters = Counters(2, "day", clock)
    standings = [counters.take("a") for _ in range(3)]
    assert [(one.remaining, one.reset_seconds, one.wait_seconds) for one in standings] == [
        (1, 10, 0),
        (0, 10, 0),
        (0, 10, 10),
    ]
    assert counters.policy == '"quota";q=2;w=86400'
    clock.now = moment("2024-02-29T00:00:00")
    assert [counters.take("a").wait_seconds for _ in range(3)] == [0, 0, 86_400]


def test_a_month_s_policy_tells_how_long_this_month_is():
    counters = Counters(5, "month", Clock(moment("2024-02-10")))
    counters.take("a")
    assert counters.policy == f'"quota";q=5;w={29 * 86_400}'


def test_a_clock_that_steps_back_over_midnight_gives_no_second_quota():
    clock = Clock(moment("2024-02-29T00:00:01"))
    counters = Counters(1, "day", clock)
    assert counters.take("a").wait_seconds == 0
    clock.now = moment("2024-02-28T23:59:59")
    assert counters.take("a").wait_seconds > 0
    clock.now = moment("2024-02-29T00:00:02")
    assert counters.take("a").wait_seconds > 0


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002"),
        ("2001:db8:1:2::", "20010db800010002"),
        ("2001:db8:1:3::", "20010db800010003"),
        ("fe80::1%eth0", "fe80000000000000"),
        ("", ""),
        ("::g", "::g"),
        ("x" * 500, "x" * 64),
    ],
)
def test_an_ipv6_network_is_one_client(address, client):
    assert network(address) == client
