"""A surge: ten times a throttle's rate within one second, then half as much again as the rate, at the local gateway.

The server is a process of its own; the client sends over kept connections and notes when each answer came.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

from benchmarks.bundles import project_of
from benchmarks.report import Table
from benchmarks.server import running

TITLE = "a surge at a throttled route"
RATE, BURST, SECONDS, CONNECTIONS = 100, 100, 10, 16
APPLICATION = f"""
from multicloud import Api, Throttle

api = Api("bare")

@api.get("/hello", throttle=Throttle(rate={RATE}, burst={BURST}))
async def hello(request):
    return {{"message": "hello"}}

@api.get("/ready")
async def ready(request):
    return {{}}
"""
REQUEST = b"GET /hello HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"

Answer = tuple[int, float]


def measure() -> list[Table]:
    """Return the table."""
    command = [sys.executable, "-m", "multicloud.cli", "run", "--port", "{port}"]
    with running(command, project_of(APPLICATION)) as (port, _):
        answers, elapsed = asyncio.run(_surge(port))
    counts = Counter(status for status, _ in answers)
    # The request that told that the server was ready took one token, which the bucket had back within 10 ms.
    allowed = BURST + RATE * elapsed
    waits = sorted(milliseconds for status, milliseconds in answers if status == 200)
    rows = [
        ("answered 200", float(counts[200])),
        ("allowed by the throttle", allowed),
        ("answered 429", float(counts[429])),
        ("answered otherwise", float(len(answers) - counts[200] - counts[429])),
        ("p50 of 200, ms", waits[len(waits) // 2]),
        ("p99 of 200, ms", waits[int(len(waits) * 0.99)]),
    ]
    note = f"{RATE} a second, burst {BURST}; {10 * RATE} requests in the first second, {SECONDS} s in all"
    return [Table(note, ("", "requests or ms"), rows)]


async def _surge(port: int) -> tuple[list[Answer], float]:
    begun = time.monotonic()
    found = await asyncio.gather(*(_client(port, begun) for _ in range(CONNECTIONS)))
    return [answer for answers in found for answer in answers], time.monotonic() - begun


async def _client(port: int, begun: float) -> list[Answer]:
    """Send this connection's share: of ten times the rate in the first second, of one and a half times later."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    while (now := time.monotonic() - begun) < SECONDS:
        sent = time.monotonic()
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:")
        await reader.readexactly(length)
        answers.append((int(head[9:12]), (time.monotonic() - sent) * 1000))
        pace = CONNECTIONS / (RATE * (10 if now < 1 else 1.5))
        await asyncio.sleep(max(0.0, pace - (time.monotonic() - sent)))
    writer.close()
    return answers
