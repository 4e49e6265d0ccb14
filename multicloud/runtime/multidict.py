"""Multi-dicts of a request: dicts of the last value for each name, which remember every pair.

They are dicts so that a look-up runs at a dict's speed, and they refuse to be changed: a request is what was sent.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, NoReturn


class MultiDict(dict[str, str]):
    """Names to their last values. Order and repeats stay in ``multi_items``. Made by ``from_pairs``."""

    __slots__ = ("_pairs",)

    _pairs: Sequence[tuple[str, str]]

    @classmethod
    def from_pairs(cls, pairs: Sequence[tuple[str, str]]) -> MultiDict:
        """Return the multi-dict of pairs in order. In place of __init__, whose frame costs half a microsecond."""
        made = cls(pairs)
        made._pairs = pairs
        return made

    def get_list(self, name: str) -> list[str]:
        """Return every value of a name in the order sent, an empty list if there is none."""
        return [value for key, value in self._pairs if key == name]

    def multi_items(self) -> list[tuple[str, str]]:
        """Return every pair in the order sent."""
        return list(self._pairs)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds what was sent and cannot be changed")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_pairs, (self._pairs,)


class Headers(MultiDict):
    """Header fields by case-insensitive name. Repeats were joined with ``,`` on the way, so each name has one value.

    Made from a dict whose names are in lower case.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return dict.__getitem__(self, name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and dict.__contains__(self, name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a header, or the default."""
        return dict.get(self, name.lower(), default)

    def get_list(self, name: str) -> list[str]:
        """Return the header's value as a list of one, or an empty list."""
        return [self[name]] if name in self else []

    def multi_items(self) -> list[tuple[str, str]]:
        """Return every pair."""
        return list(self.items())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def join_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return lower-case names to values; repeats joined with ``,``, those of Cookie with ``; ``.

    Managed gateways deliver repeats joined, and what is joined cannot be split again; so it is joined everywhere.
    """
    joined: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        if name in joined:
            value = joined[name] + ("; " if name == "cookie" else ",") + value
        joined[name] = value
    return joined
