"""The first thing that runs inside a runtime's process: it takes away what the cloud would not have either.

Started as ``python -I alone.py <bundle> <visible,names> <module or file.py> <arguments>``. The bundle's folder is put
first on the path. Of the interpreter's site-packages only the named packages, those of the vendor's own runtime, can be
imported; what a ``.pth`` file or an editable install added cannot. So a bundle that forgot a dependency, or that would
lean on this checkout, fails here as it would in the cloud.
"""

from __future__ import annotations

import os
import runpy
import sys
import sysconfig
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder

_SITE = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}


class OnlyOwnPackages:
    """The meta path finder in place of the ordinary one: top-level modules come from the bundle or the stdlib.

    What is hidden is not found, rather than an error: libraries ask whether another one is there.
    """

    def __init__(self, visible: frozenset[str]) -> None:
        self._visible = visible

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the spec of a submodule or of a visible package, else that of a module outside site-packages."""
        if path is not None or name in self._visible:
            return PathFinder.find_spec(name, path)  # type: ignore[arg-type] # the protocol's own name for it
        return PathFinder.find_spec(name, [entry for entry in sys.path if entry not in _SITE])


def main(bundle: str, visible: str, program: str, *arguments: str) -> None:
    """Close the doors, then run the program as ``__main__``."""
    stdlib = os.path.realpath(sys.base_prefix) + os.sep
    kept = [entry for entry in sys.path if entry in _SITE or os.path.realpath(entry).startswith(stdlib)]
    sys.path[:] = [bundle, *kept]
    finder = OnlyOwnPackages(frozenset(visible.split(",")))
    # An editable install adds a finder of its own, which would find the checkout's submodules in the bundle's packages.
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, finder]
    sys.argv[:] = [program, *arguments]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
