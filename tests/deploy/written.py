"""Modules as a user writes them, imported for one test and forgotten after it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType


@contextmanager
def modules(folder: Path, **sources: str) -> Iterator[list[ModuleType]]:
    """Write modules into a folder (``a__b`` is ``a/b.py``), import them in order, and remove them from Python after."""
    names = []
    for key, source in sources.items():
        path = folder.joinpath(*key.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
        names.append(key.replace("__", "."))
    tops = {name.partition(".")[0] for name in names}
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in tops}
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")) or name.partition(".")[0] in names:
                del sys.modules[name]
        sys.modules.update(hidden)
