"""A throttled route of the local gateway under far more requests than it may take."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from multicloud import Throttle
from multicloud.model import define
from multicloud.runtime.recorder import Api
from multicloud_local.gateway import create_application
from multicloud_local.server import background

RATE, BURST, CLIENTS, SECONDS = 40, 40, 6, 2.5
SENT_AT_LEAST = 10 * RATE  # within the first second


def handler(request):
    return {"ok": True}


def test_a_surge_is_let_in_at_the_stated_rate_and_the_rest_is_429():
    api = Api("busy", throttle=Throttle(rate=RATE, burst=BURST))
    api.get("/")(handler)
    definition = define(api)
    with background(create_application(lambda: definition, "test", None)) as running:
        begun = time.monotonic()

        def ask(_: int) -> list[tuple[float, int, float, str | None]]:
            connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
            found = []
            while (sent := time.monotonic()) < begun + SECONDS:
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                now = time.monotonic()
                found.append((sent - begun, answer.status, now - sent, answer.headers["retry-after"]))
                if sent > begun + 1:
                    time.sleep(0.005)  # the surge is over; what stays is still three times the rate and more
            return found

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = [answer for found in pool.map(ask, range(CLIENTS)) for answer in found]
        elapsed = time.monotonic() - begun
    assert sum(sent < 1 for sent, *_ in answers) >= SENT_AT_LEAST, "no surge"
    statuses = Counter(status for _, status, _, _ in answers)
    assert statuses.keys() == {200, 429}
    allowed = BURST + RATE * elapsed
    assert abs(statuses[200] - allowed) <= 0.05 * allowed, (statuses, allowed)
    assert {wait for _, status, _, wait in answers if status == 429} == {"1"}
    waits = sorted(seconds for _, status, seconds, _ in answers if status == 200)
    assert waits[int(len(waits) * 0.99)] < 0.5, "an accepted request waited behind refused ones"
