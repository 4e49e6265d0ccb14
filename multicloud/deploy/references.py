"""How an entry module names the user's objects: by import where the name leads back to the object, else by recorder.

A handler that was recorded and then lost its name (two handlers called ``_``, a lambda) is still found through the
``Api`` or ``Function`` that recorded it, which has a name.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem
from multicloud.runtime.recorder import Router


@attrs.frozen
class Reference:
    """Where an object is found. attributes: dotted names in the module. path: what follows in a recorder."""

    module: str
    attributes: str
    path: str = ""

    def expression(self, alias: str) -> str:
        """Return the Python expression of the object, given the module's alias."""
        found = f"{alias}.{self.attributes}"
        if self.path.startswith('["'):
            return f"{found}.handlers{self.path}"
        return found + self.path


def load(value: Any) -> Any:
    """Return the object that ``module:qualname`` names, or the value itself. Raises DefinitionError without one."""
    if not isinstance(value, str):
        return value
    module, _, name = value.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise DefinitionError([Problem(f"handler {value}", "a name that can be imported", str(error))]) from error
    return found


def find_reference(value: Any, recorder: Router | None, path: str) -> Reference | None:
    """Return how to name an object, None if it has no name. recorder, path: where it was recorded, if it was."""
    own = _by_own_name(value) or _by_search(value)
    if own is not None or recorder is None:
        return own
    holder = _by_search(recorder)
    return None if holder is None else attrs.evolve(holder, path=path)


def _by_own_name(value: Any) -> Reference | None:
    """Return the reference that ``__module__`` and ``__qualname__`` state, if it leads back to the object."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name or module not in sys.modules:
        return None
    if module == "__main__":  # in the function that is another program
        return None
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return Reference(module, name) if found is value else None


def _by_search(value: Any) -> Reference | None:
    """Return the first module of the user's that holds the object under some name.

    Of several, the one that imports least of the others: a function's own module rather than the API's.
    """
    found = []
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or name == "__main__" or not getattr(module, "__file__", None):
            continue
        for attribute, held in list(vars(module).items()):
            if held is value and attribute.isidentifier():
                found.append((_weight(module), name, attribute))
    return Reference(*min(found)[1:]) if found else None


def _weight(module: ModuleType) -> int:
    """Return how many recorders a module holds."""
    return sum(isinstance(held, Router) for held in vars(module).values())
