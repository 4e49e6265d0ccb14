"""The process that ``cold`` measures: the cloud's runtime imported, then the entry point's module and its first answer.

Started with ``-I -S``; the plan comes on standard input, because reading it must import nothing.
"""

import marshal
import os
import sys
import time


def clocks():
    return time.perf_counter_ns(), time.process_time_ns()


plan = marshal.load(sys.stdin.buffer)
sys.path[:0] = plan["path"]
sys.dont_write_bytecode = True
for name in plan["runtime"]:
    __import__(name)

before = len(sys.modules)
started = clocks()
entry = getattr(__import__(plan["module"]), plan["attribute"])
imported = clocks()
modules = len(sys.modules) - before

sys.path.append(plan["here"])
import calling  # noqa: E402

prepare, call = calling.caller(plan["kind"], entry)
argument = prepare(plan["event"])
unrelated = len(sys.modules)
asked = clocks()
answer = call(argument)
answered = clocks()
modules += len(sys.modules) - unrelated

status, _ = calling.status_and_body(plan["kind"], answer)
wall, processor = (imported[one] - started[one] + answered[one] - asked[one] for one in (0, 1))
sys.stdout.buffer.write(marshal.dumps((status, wall, processor, modules)))
sys.stdout.flush()
os._exit(0)
