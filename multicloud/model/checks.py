"""How a value of the model checks itself, and how many values report their problems together.

A class of the model is ``@attrs.frozen`` and inherits ``Checked``; each field lists its checks in its metadata
(``attrs.field(metadata=expects(whole(1, 29)))``). attrs' own validators stop at the first failure, which would show a
user one mistake per run; these yield every one. Made directly, a wrong value raises ``DefinitionError`` with all of
its problems. Inside ``report_together`` it adds them to the list instead, and the error comes at the end, once.

A check takes the field's value and yields a ``Problem`` for each fault, with the place inside the value (``""``,
``"[2]"``, ``"[NAME]"``); the owner puts its own place before it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem

Check = Callable[[Any], Iterable[Problem]]

OBJECT_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9@/][A-Za-z0-9_./:@+=,()-]{0,511}")
_SHOWN_CHARACTERS = 80
_LONGEST_PLACE = 1024
_open_report: ContextVar[Callable[[Collection[Problem]], object] | None] = ContextVar("open_report", default=None)


@contextmanager
def report_together() -> Iterator[list[Problem]]:
    """Let values made inside add their problems to one list; raise DefinitionError at the end if there is any.

    A value made inside may be wrong, so code that reads it must bear with what its checks refuse.
    """
    problems: list[Problem] = []
    with collecting(problems.extend):
        yield problems
    if problems:
        raise DefinitionError(problems)


@contextmanager
def collecting(collect: Callable[[Collection[Problem]], object]) -> Iterator[None]:
    """Hand the problems of values made inside to a function, in place of raising them."""
    token = _open_report.set(collect)
    try:
        yield
    finally:
        _open_report.reset(token)


def report(problems: Collection[Problem]) -> None:
    """Add problems to the open report; without one, raise them as a DefinitionError."""
    collect = _open_report.get()
    if collect is not None:
        collect(problems)
    elif problems:
        raise DefinitionError(tuple(problems))


class Checked:
    """A value that checks itself when it is made."""

    __slots__ = ()

    @property
    def place(self) -> str:
        """Where the value stands, in the user's words. Default: the name of its class."""
        return type(self).__name__

    def relations(self, wrong: Set[str]) -> Iterable[Problem]:
        """Yield problems that lie between fields; wrong: the fields that are already wrong by themselves."""
        return ()

    def at(self, inside: str) -> str:
        """Return the place of something inside this value."""
        return f"{self.place}: {inside}"

    def __attrs_post_init__(self) -> None:
        """Check each field, then how they fit together, and report."""
        found: list[Problem] = []
        wrong: set[str] = set()
        cls: Any = type(self)
        for name, checks in _checks_of(cls):
            for check in checks:
                for problem in check(getattr(self, name)):
                    wrong.add(name)
                    found.append(attrs.evolve(problem, place=self.at(f"{name}{problem.place}")))
        found.extend(self.relations(wrong))
        report(found)


@cache
def _checks_of(cls: type) -> tuple[tuple[str, tuple[Check, ...]], ...]:
    return tuple((field.name, field.metadata["checks"]) for field in attrs.fields(cls) if "checks" in field.metadata)


def expects(*checks: Check) -> dict[str, tuple[Check, ...]]:
    """Return the metadata of a field with these checks."""
    return {"checks": checks}


def listed(value: Iterable[Any]) -> tuple[Any, ...]:
    """Convert a field: any iterable becomes a tuple; a string or mapping is left for ``each`` to refuse."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return value  # type: ignore[return-value]  # not a tuple: the check says so, with the field's place
    return tuple(sorted(value, key=str) if isinstance(value, Set) else value)


def frozen(value: Mapping[str, str]) -> Mapping[str, str]:
    """Convert a field: a mapping becomes a read-only copy; anything else is left for ``mapping`` to refuse."""
    return MappingProxyType(dict(value)) if isinstance(value, Mapping) else value


def show(value: object) -> str:
    """Return a value as a message shows it: its repr or qualified name, cut to 80 characters."""
    text = getattr(value, "__qualname__", None) if callable(value) else None
    text = text if isinstance(text, str) else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def bare(value: object) -> str:
    """Return a name as it stands in a place: text as it is, anything else as ``show`` shows it."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_PLACE else show(value)


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the hint ``did you mean 'x'?`` for a misspelt name, or ``""`` if nothing is near."""
    if not isinstance(name, str):
        return ""
    folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"did you mean {folded[close[0]]!r}?" if close else ""


def unknown_names(place: str, given: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each given name that is not known, with the nearest one that is."""
    for name in given:
        if name not in known:
            hint = nearest(name, known) or f"known are {', '.join(sorted(known))}"
            yield Problem(f"{place}: {name}", "a known setting", show(name), hint)


def whole(low: int, high: int, unit: str = "", hint: str = "") -> Check:
    """Check for a whole number from low to high, both included."""
    expected = f"a whole number{f' of {unit}' if unit else ''} from {low} to {high}"

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            yield Problem("", expected, show(value), hint)

    return check


def number(expected: str, *, above: float = -math.inf, at_least: float = -math.inf, at_most: float = math.inf) -> Check:
    """Check for a finite number within bounds; expected says them in words."""

    def check(value: Any) -> Iterator[Problem]:
        numeric = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not numeric or not above < value <= at_most or value < at_least:
            yield Problem("", expected, show(value))

    return check


def flag(value: Any) -> Iterator[Problem]:
    """Check for True or False."""
    if not isinstance(value, bool):
        yield Problem("", "True or False", show(value))


def text(longest: int) -> Check:
    """Check for a string of 1 to longest characters on one line."""

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            yield Problem("", f"one line of 1 to {longest} printable characters", show(value))

    return check


def prose(longest: int) -> Check:
    """Check for a string of at most longest characters; it may be empty and may have several lines."""

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, str) or len(value) > longest:
            yield Problem("", f"text of at most {longest} characters", show(value))

    return check


def matching(pattern: str, expected: str, hint: str = "") -> Check:
    """Check for a string that a regular expression matches from end to end."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield Problem("", expected, show(value), hint)

    return check


def one_of(*known: object) -> Check:
    """Check for one of the known values, with the nearest one as the hint."""
    expected = "one of " + ", ".join(map(repr, known))
    names = [name for name in known if isinstance(name, str)]

    def check(value: Any) -> Iterator[Problem]:
        if not any(type(value) is type(item) and value == item for item in known):
            yield Problem("", expected, show(value), nearest(value, names))

    return check


def instance(*classes: type) -> Check:
    """Check for an instance of one of the classes."""
    expected = " or ".join(f"a value of {cls.__name__}" for cls in classes)

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, classes):
            yield Problem("", expected, show(value))

    return check


def optional(check: Check) -> Check:
    """Check only what is not None."""
    return lambda value: () if value is None else check(value)


def each(check: Check, *, at_least: int = 0) -> Check:
    """Check every item of a list; strings in it may not repeat."""

    def check_items(value: Any) -> Iterator[Problem]:
        if not isinstance(value, tuple):
            hint = f"write [{value!r}]" if isinstance(value, str) and len(value) <= _SHOWN_CHARACTERS else ""
            yield Problem("", "a list", show(value), hint)
            return
        if len(value) < at_least:
            yield Problem("", f"at least {at_least} item{'s'[: at_least > 1]}", "an empty list")
        seen: set[str] = set()
        for index, item in enumerate(value):
            for problem in check(item):
                yield attrs.evolve(problem, place=f"[{index}]{problem.place}")
            if isinstance(item, str) and item in seen:
                yield Problem(f"[{index}]", "each item once", f"{show(item)} again")
            elif isinstance(item, str):
                seen.add(item)

    return check_items


def mapping(key: Check, value: Check) -> Check:
    """Check every key and value of a mapping."""

    def check(items: Any) -> Iterator[Problem]:
        if not isinstance(items, Mapping):
            yield Problem("", "a mapping", show(items))
            return
        for name, item in items.items():
            for problem in (*key(name), *value(item)):
                yield attrs.evolve(problem, place=f"[{name}]{problem.place}")

    return check


def reference(value: Any) -> Iterator[Problem]:
    """Check for the name or id under which a cloud keeps a secret, key or certificate.

    Never shows what it got: a user who mistook a reference for the secret itself must not find it in a log.
    """
    if not isinstance(value, str):
        yield Problem("", "the name or id of a stored secret, key or certificate", f"a {type(value).__name__}")
    elif not _REFERENCE.fullmatch(value):
        got = f"a string of {len(value)} characters, not shown"
        hint = "store the value in the cloud's own store and name it here: letters, digits and _./:@+=,()- only"
        yield Problem("", "the name or id of a stored secret, key or certificate", got, hint)


def callable_or_name(value: Any) -> Iterator[Problem]:
    """Check for a callable, or for the name of one as ``module:qualname``."""
    if not callable(value) and not (isinstance(value, str) and OBJECT_NAME.fullmatch(value)):
        yield Problem("", "a callable or its name as 'module:qualname'", show(value))
