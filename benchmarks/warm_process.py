"""The process that ``warm`` and ``routing`` measure: one entry point, called many times, each on an event of its own.

Reads marshalled messages from standard input: first the plan, then ``(name, calls)``, answered with nanoseconds; with
0 calls, answered with the status and body. The time is the processor's: other processes disturb it less.
"""

import gc
import marshal
import os
import sys
import time

import calling

CHUNK = 300  # events alive at a time


def load(plan):
    """Return the entry point: an attribute of a module, or what the module's ``make`` returns for templates."""
    sys.path[:0] = plan["path"]
    module = __import__(plan["module"])
    return module.make(plan["templates"]) if plan["templates"] else getattr(module, plan["attribute"])


def measure(call, prepare, blob, calls):
    spent = 0
    while calls > 0:
        arguments = [prepare(marshal.loads(blob)) for _ in range(min(calls, CHUNK))]
        gc.collect()
        gc.freeze()  # the events are the benchmark's; the peer's collections must not visit them
        begun = time.process_time_ns()
        for argument in arguments:
            call(argument)
        spent += time.process_time_ns() - begun
        gc.unfreeze()
        calls -= CHUNK
    return spent


def main():
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a peer prints must not reach the pipe
    plan = marshal.load(sys.stdin.buffer)
    prepare, call = calling.caller(plan["kind"], load(plan))
    blobs = {name: marshal.dumps(event) for name, event in plan["events"].items()}
    while True:
        try:
            name, calls = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        if calls:
            answer = measure(call, prepare, blobs[name], calls)
        else:
            answer = calling.status_and_body(plan["kind"], call(prepare(marshal.loads(blobs[name]))))
        answers.write(marshal.dumps(answer))
        answers.flush()


main()
