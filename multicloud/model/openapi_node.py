"""A place in an OpenAPI document: its value, its JSON pointer (RFC 6901) and how to get from it to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import attrs

from multicloud.errors import Problem
from multicloud.model.checks import report, show

_MISSING = object()


@attrs.frozen
class Node:
    """value: what stands there. pointer: where, as ``openapi.yaml#/paths/~1orders``. root: the whole document."""

    value: Any
    pointer: str
    root: Any

    def refuse(self, expected: str, got: str = "", hint: str = "") -> None:
        """Report that the value is not what was expected. got: default the value."""
        report([Problem(self.pointer, expected, got or show(self.value), hint)])

    def has(self, key: str) -> bool:
        """Return whether this is a mapping that has the key."""
        return isinstance(self.value, Mapping) and key in self.value

    def at(self, key: str | int) -> Node:
        """Return the place below; its value is None where there is none."""
        step = str(key).replace("~", "~0").replace("/", "~1")
        return Node(_step(self.value, key, None), f"{self.pointer}/{step}", self.root)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield key and place of each entry of a mapping; anything but a mapping or nothing is reported."""
        if isinstance(self.value, Mapping):
            for key in self.value:
                yield str(key), self.at(key)
        elif self.value is not None:
            self.refuse("a mapping")

    def elements(self) -> Iterator[Node]:
        """Yield the place of each item of a list; anything but a list or nothing is reported."""
        if isinstance(self.value, list | tuple):
            for index in range(len(self.value)):
                yield self.at(index)
        elif self.value is not None:
            self.refuse("a list")

    def text(self, default: str = "") -> str:
        """Return a string; anything else is reported, and the default returned."""
        if self.value is not None and not isinstance(self.value, str):
            self.refuse("a string")
        return self.value if isinstance(self.value, str) else default

    def resolved(self) -> Node:
        """Follow ``$ref`` inside the document; what leads nowhere is reported, and an empty mapping stands for it."""
        node, seen = self, {id(self.value)}
        while node.has("$ref"):
            target = node._target()
            if target is None or id(target.value) in seen:
                hint = "bundle the document into one file" if target is None else "it refers to itself"
                node.at("$ref").refuse("a place in this document, such as '#/components/pathItems/Orders'", hint=hint)
                return attrs.evolve(node, value={})
            seen.add(id(target.value))
            node = target
        return node

    def _target(self) -> Node | None:
        reference = self.value["$ref"]
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        value = self.root
        for step in reference[2:].split("/"):
            value = _step(value, unquote(step).replace("~1", "/").replace("~0", "~"), _MISSING)
            if value is _MISSING:
                return None
        return Node(value, f"{self.pointer.partition('#')[0]}{reference}", self.root)


def _step(value: Any, key: str | int, default: Any) -> Any:
    """Return what stands under a key or index; the default where nothing does."""
    if isinstance(value, Mapping):
        return value.get(key, default)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and str(key).isdecimal():
        return value[int(key)] if int(key) < len(value) else default
    return default
