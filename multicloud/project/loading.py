"""The user's module, imported: the project's folder first on ``sys.path``, and a mistake in it told in one sentence.

Every project may call its module ``app``. One process, a test suite for instance, may still load several projects: the
modules that one brought in are forgotten when another is loaded.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

import attrs

from multicloud.errors import DefinitionError, Problem, UsageError
from multicloud.model.checks import nearest
from multicloud.runtime.recorder import Api

_brought_in: dict[str, Path] = {}
"""The modules that projects brought into this process, each with its project's folder."""

_added: set[str] = set()
"""The folders that were put on ``sys.path`` here."""


@contextmanager
def _importing_from(root: Path) -> Iterator[None]:
    """Import from a project's folder first. It stays on ``sys.path``: handlers import when they are called, too."""
    for name in [name for name, other in _brought_in.items() if other != root]:
        sys.modules.pop(name, None)
        del _brought_in[name]
    if str(root) not in sys.path:
        _added.add(str(root))
    sys.path[:] = [str(root), *(path for path in sys.path if path != str(root) and path not in _added)]
    importlib.invalidate_caches()
    known = set(sys.modules)
    try:
        yield
    finally:
        _brought_in.update((name, root) for name in set(sys.modules) - known if _comes_from(name, root))


def load_object(root: Path, reference: str, place: str) -> object:
    """Import ``module:attribute`` from a project's folder.

    place: where the reference stands, for messages. Raises DefinitionError with the file and line of the mistake.
    """
    module_name, _, attribute = reference.partition(":")
    with _importing_from(root):
        try:
            found: object = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # a script that ends itself must not end this process
            raise DefinitionError(_import_problems(root, module_name, place, error)) from error
    _check_origin(root, module_name, place)
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise DefinitionError([_absent(found, name, reference, place)])
        found = getattr(found, name)
    return found


def _import_problems(root: Path, module_name: str, place: str, error: BaseException) -> list[Problem]:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing and f"{module_name}.".startswith(f"{missing}.") and not _user_frames(root, error):
        hint = nearest(missing, _module_names(root))
        return [Problem(place, f"a module in {root}", f"{module_name!r}, which is not there", hint)]
    where = _location(root, error)
    if isinstance(error, UsageError):  # a policy that is wrong by itself: Throttle(rate=-1)
        return [attrs.evolve(problem, place=f"{where}: {problem.place}") for problem in error.problems]
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    hint = f"install what provides {missing!r}, or correct the import" if missing else ""
    return [Problem(where, f"the module {module_name!r} to import", f"{type(error).__name__}: {message}", hint)]


def _location(root: Path, error: BaseException) -> str:
    """Return ``file:line`` of the deepest line in the user's own code that led to the error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(root, error.filename)}:{error.lineno or 1}"
    frames = _user_frames(root, error) or [(root.name, 0)]
    return ":".join((_shown(root, frames[-1][0]), str(frames[-1][1])))


def located(root: Path, problems: Iterable[Problem]) -> list[Problem]:
    """Return problems of a value that the user's code is making, each with the file and line of that code."""
    frame = sys._getframe(1)
    while frame.f_back is not None and not _is_own(root, Path(frame.f_code.co_filename)):
        frame = frame.f_back
    where = f"{_shown(root, frame.f_code.co_filename)}:{frame.f_lineno}"
    return [attrs.evolve(problem, place=f"{where}: {problem.place}") for problem in problems]


def _user_frames(root: Path, error: BaseException) -> list[tuple[str, int]]:
    frames = [(frame.filename, frame.lineno or 0) for frame in extract_tb(error.__traceback__)]
    return [(name, line) for name, line in frames if _is_own(root, Path(name))]


def _is_own(root: Path, file: Path) -> bool:
    return file.is_relative_to(root) and "site-packages" not in file.relative_to(root).parts


def _shown(root: Path, name: str) -> str:
    return str(Path(name).relative_to(root)) if Path(name).is_relative_to(root) else name


def _module_names(root: Path) -> list[str]:
    modules = [path.stem for path in root.glob("*.py")]
    return sorted([*modules, *(path.parent.name for path in root.glob("*/__init__.py"))])


def _comes_from(name: str, root: Path) -> bool:
    """Return whether a module was found in the folder itself, not in a virtual environment that lies in it."""
    file, top = getattr(sys.modules.get(name), "__file__", None), name.partition(".")[0]
    if not file or top == "multicloud":  # which lies in the folder, too, when the folder is its checkout
        return False
    found = Path(file).resolve()
    return found == root / f"{top}.py" or found.is_relative_to(root / top)


def _check_origin(root: Path, module_name: str, place: str) -> None:
    """Refuse a module of the same name that was there before, the standard library's for instance."""
    top = module_name.partition(".")[0]
    if top in _module_names(root) and not _comes_from(top, root):
        got = getattr(sys.modules[top], "__file__", None) or "one that Python itself holds"
        problem = Problem(place, f"the module {top!r} of {root}", f"another of that name, {got}", "rename yours")
        raise DefinitionError([problem])


def _absent(owner: object, name: str, reference: str, place: str) -> Problem:
    public = [key for key in dir(owner) if not key.startswith("_")]
    apis = [key for key in public if isinstance(getattr(owner, key), Api)]
    hint = f"did you mean {apis[0]!r}?" if len(apis) == 1 else nearest(name, apis or public)
    owner_name = getattr(owner, "__name__", type(owner).__name__)
    return Problem(place, f"an attribute of {owner_name}", f"{name!r} in {reference!r}, which is not there", hint)
