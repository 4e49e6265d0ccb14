from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from multicloud.runtime.loops import HostLoop, InlineLoop, ThreadLoop, drive


async def give(value):
    return value


async def suspend():
    await asyncio.sleep(0)


def test_a_coroutine_that_never_suspends_is_driven_to_its_value():
    assert drive(give(5)) == 5


def test_a_coroutine_that_fails_raises_what_it_raised():
    async def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        drive(fail())


def test_a_coroutine_that_waits_for_a_loop_nobody_has_is_closed_and_told_of():
    closed = []

    async def waiting():
        try:
            await suspend()
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match="nothing in the bundle imports asyncio"):
        drive(waiting())
    assert closed == [True]


def test_driving_needs_no_asyncio():
    code = """
import sys
from multicloud.runtime.loops import InlineLoop
async def inner(): return 5
async def outer(): return await inner() + 1
loop = InlineLoop(needed=False)
async def nested(): return await loop.run_sync(lambda: loop.block_on(outer()))
print(loop.block_on(outer()), loop.block_on(nested()), "asyncio" in sys.modules, "threading" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["6", "6", "False", "False"]


def test_where_something_imported_asyncio_there_is_a_loop():
    async def running():
        await suspend()
        return asyncio.get_running_loop()

    loop = InlineLoop(needed=False)
    assert loop.block_on(running()) is loop.block_on(running())


def test_one_loop_serves_an_instance_for_its_life():
    async def running():
        return asyncio.get_running_loop()

    for loop in (InlineLoop(needed=True), ThreadLoop()):
        found = {loop.block_on(running()) for _ in range(3)}
        assert len(found) == 1


def test_threads_that_ask_at_once_share_one_loop():
    loop, found, start = ThreadLoop(), [], threading.Barrier(8)

    async def running():
        await suspend()
        return asyncio.get_running_loop()

    def ask():
        start.wait()
        found.append(loop.block_on(running()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(found), len(set(found))) == (8, 1)


def test_plain_code_runs_beside_the_loop_and_not_on_it():
    for loop in (InlineLoop(needed=True), ThreadLoop()):

        async def ask(loop=loop):
            on = threading.get_ident()
            return on != await loop.run_sync(threading.get_ident)

        assert loop.block_on(ask())


def test_blocking_calls_of_many_coroutines_overlap():
    loop, meeting = HostLoop(4), threading.Barrier(4)

    async def all_four():
        await asyncio.gather(*(loop.run_sync(meeting.wait, 10) for _ in range(4)))

    asyncio.run(asyncio.wait_for(all_four(), 10))


def test_what_plain_code_raises_reaches_its_coroutine():
    def fail():
        raise KeyError("x")

    loop = ThreadLoop()
    with pytest.raises(KeyError):
        loop.block_on(loop.run_sync(fail))


def test_a_platform_s_loop_is_known_from_its_first_call():
    async def ask(loop):
        here = asyncio.get_running_loop()

        async def running():
            return asyncio.get_running_loop()

        return here is await loop.run_sync(lambda: loop.block_on(running()))

    loop = HostLoop(2)
    coroutine = suspend()
    with pytest.raises(RuntimeError, match="no request"):
        loop.block_on(coroutine)
    coroutine.close()
    assert asyncio.run(asyncio.wait_for(ask(loop), 10))


def test_levels_take_their_threads_from_pools_of_their_own():
    loop = HostLoop(1)

    async def nested():
        return await loop.run_sync(lambda: loop.block_on(loop.run_sync(threading.get_ident)), level=1)

    started = time.monotonic()
    assert asyncio.run(asyncio.wait_for(nested(), 10)) != threading.get_ident()
    assert time.monotonic() - started < 5
