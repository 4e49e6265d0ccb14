"""Multi-dicts of a request, and how queries and headers become pairs.

They are dicts of the last value for each name, so that a look-up runs at a dict's speed, which remember every pair.
They refuse to be changed: a request is what was sent. urllib.parse is not used: importing it costs 2 ms.
"""

from __future__ import annotations

from codecs import escape_decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, NoReturn

HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")


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

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_pairs, (self._pairs,)


class Headers(MultiDict):
    """Header fields by case-insensitive name. Repeats were joined with ``,`` on the way, so each name has one value.

    Made from a dict whose names are in lower case.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> str:
        lower = name.lower()
        if lower == name:
            raise KeyError(name)
        return self[lower]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and dict.__contains__(self, name.lower())

    if not TYPE_CHECKING:  # to a type checker this is dict's own, whose overloads say more

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


def unquote_to_bytes(text: str) -> bytes:
    """Undo percent-encoding once. What is no valid escape stays as it is."""
    if "\\" not in text:
        try:
            # pickle's reader of string literals takes ``\\x41``, in a fifth of the time of the loop below.
            return escape_decode(text.replace("%", "\\x"))[0]
        except ValueError:
            pass  # a percent sign that begins no escape, or a lone surrogate
    done, *rest = text.encode("utf-8", "replace").split(b"%")
    for part in rest:
        escape = part[:2]
        is_valid = len(escape) == 2 and HEX_DIGITS.issuperset(escape)
        done += bytes((int(escape, 16),)) + part[2:] if is_valid else b"%" + part
    return done


def unquote(text: str) -> str:
    """Undo percent-encoding once; bytes that are not UTF-8 become U+FFFD."""
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def parse_query(raw: str) -> list[tuple[str, str]]:
    """Split a raw query string into pairs, in order: blanks kept, ``+`` is a space, empty parts skipped."""
    pairs = []
    for part in raw.replace("+", " ").split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in part:
                name, value = unquote(name), unquote(value)
            pairs.append((name, value))
    return pairs
