"""The process that ``cold`` measures: the cloud's runtime imported, then the entry point's module and its first answer.

Started with ``-I -S``; the plan comes on standard input, because reading it must import nothing.
"""

import marshal
import os
import sys
import time

clock = time.perf_counter_ns
plan = marshal.load(sys.stdin.buffer)
sys.path[:0] = plan["path"]
sys.dont_write_bytecode = True
for name in plan["runtime"]:
    __import__(name)

before = len(sys.modules)
begun = clock()
entry = getattr(__import__(plan["module"]), plan["attribute"])
imported = clock() - begun
modules = len(sys.modules) - before

sys.path.append(plan["here"])
import calling  # noqa: E402

prepare, call = calling.caller(plan["kind"], entry)
argument = prepare(plan["event"])
unrelated = len(sys.modules)
begun = clock()
answer = call(argument)
answered = clock() - begun
modules += len(sys.modules) - unrelated

status, _ = calling.status_and_body(plan["kind"], answer)
sys.stdout.buffer.write(marshal.dumps((status, imported + answered, modules)))
sys.stdout.flush()
os._exit(0)
