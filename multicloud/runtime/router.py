"""The router: decodes the path, and finds the route of a method and path in time that does not grow with the routes.

``build`` turns templates into plain dicts at deploy time; they are written into the entry module as literals, so that
a function starts without compiling anything. ``Router`` walks them.

Templates without parameters are keys of ``static``. The others form ``tree``: each node maps a literal segment to its
child, and the keys 0, 1 and 2, which no segment equals, to the leaf that ends here, the child for a parameter and the
leaf of a greedy parameter. A leaf maps methods to route numbers, and RANK, which no method equals, to the template's
precedence.
"""

from __future__ import annotations

from multicloud.runtime.errors import HttpError
from multicloud.runtime.multidict import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Leaf = dict[Any, Any]
    Node = dict[Any, Any]

END, PARAMETER, GREEDY = 0, 1, 2
RANK = 3


def build(routes: Iterable[tuple[str, str]]) -> tuple[dict[str, Leaf], Node]:
    """Return ``(static, tree)`` for (method, template) pairs; a route's number is its place among them."""
    static: dict[str, Leaf] = {}
    tree: Node = {}
    for number, (method, template) in enumerate(routes):
        leaf = _leaf(tree, template) if "{" in template else static.setdefault(template, {})
        leaf[method] = number
    return static, tree


def _leaf(tree: Node, template: str) -> Leaf:
    """Return the leaf of a template with parameters, adding what is missing on the way."""
    node, end, shape = tree, END, ""
    for segment in template.split("/")[1:]:
        if segment[-2:] == "+}":
            end, shape = GREEDY, shape + "2"
        elif segment[:1] == "{":
            node, shape = node.setdefault(PARAMETER, {}), shape + "1"
        else:
            node, shape = node.setdefault(segment, {}), shape + "0"
    leaf: Leaf = node.setdefault(end, {})
    leaf[RANK] = (end == GREEDY, -shape.count("0"), shape)
    return leaf


class Router:
    """Finds routes and mounts. static, tree: what ``build`` returned.

    routes, shared, mounts: as ``multicloud.deploy.entry`` compiles them; needed for all but ``match`` and ``leaves``.
    """

    __slots__ = ("_mounts", "_routes", "_shared", "static", "tree")

    def __init__(
        self,
        static: dict[str, Leaf],
        tree: Node,
        routes: Sequence[Mapping[str, Any]] = (),
        shared: Mapping[str, Sequence[str]] | None = None,
        mounts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.static = static
        self.tree = tree
        self._routes = routes
        self._shared = shared or {}
        self._mounts = mounts

    def match(self, method: str, path: str) -> tuple[int, Sequence[str]] | None:
        """Return (route number, parameter values) of the most specific template that has the method, or None.

        Literal segments beat parameters, parameters beat a greedy one, more literal segments win; of equals, the one
        whose literal comes first. HEAD falls back to GET.
        """
        leaf = self.static.get(path)
        if leaf is not None and method in leaf:
            return leaf[method], ()
        if self.tree:
            found = self._only_leaf(path) or self._best_leaf(method, path)
            if found is not None and method in found[0]:
                return found[0][method], found[1]
        return self.match("GET", path) if method == "HEAD" else None

    def methods(self, path: str) -> set[str]:
        """Return the methods that a path takes in the whole API; empty if the path is unknown."""
        methods: set[Any] = set()
        for leaf in self.leaves(path):
            number = next(number for method, number in leaf.items() if method != RANK)
            methods.update(leaf)
            methods.update(self._shared.get(self._routes[number]["path"], ()))
        methods.discard(RANK)
        if "GET" in methods:
            methods.add("HEAD")
        if methods:
            methods.add("OPTIONS")
        return methods

    def mount(self, path: str) -> int | None:
        """Return the number of the mounted application with the longest prefix of a path, None if there is none."""
        for number, mount in enumerate(self._mounts):  # longest prefix first
            prefix = mount["prefix"]
            if path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/"):
                return number
        return None

    def leaves(self, path: str) -> list[Leaf]:
        """Return the leaf of every template that matches a path; empty if none does."""
        static = self.static.get(path)
        found = [] if static is None else [static]
        return found + [leaf for leaf, _ in self._leaves(path)]

    def _only_leaf(self, path: str) -> tuple[Leaf, Sequence[str]] | None:
        """Return the match of a path along which each node offers one way on, as nearly all do; else None."""
        node, values = self.tree, []
        for segment in path.split("/")[1:]:
            child = node.get(segment)
            if child is None:
                if not segment or GREEDY in node or PARAMETER not in node:
                    return None
                values.append(segment)
                node = node[PARAMETER]
            elif PARAMETER in node or GREEDY in node:
                return None
            else:
                node = child
        return (node[END], values) if END in node else None

    def _best_leaf(self, method: str, path: str) -> tuple[Leaf, Sequence[str]] | None:
        found = [match for match in self._leaves(path) if method in match[0]]
        return min(found, key=_rank) if found else None

    def _leaves(self, path: str) -> list[tuple[Leaf, tuple[str, ...]]]:
        """Return every templated leaf that matches, with the values of its parameters."""
        found: list[tuple[Leaf, tuple[str, ...]]] = []
        segments = path.split("/")
        _walk(self.tree, segments, 1, (), found)
        return found


def _walk(
    node: Node, segments: list[str], index: int, values: tuple[str, ...], found: list[tuple[Leaf, tuple[str, ...]]]
) -> None:
    """Collect matching leaves below a node. Visits a node at most once: its depth is bounded by the templates'."""
    if index == len(segments):
        if END in node:
            found.append((node[END], values))
        return
    segment = segments[index]
    child = node.get(segment)
    if child is not None:
        _walk(child, segments, index + 1, values, found)
    if segment:
        child = node.get(PARAMETER)
        if child is not None:
            _walk(child, segments, index + 1, (*values, segment), found)
    if GREEDY in node:
        rest = "/".join(segments[index:])
        if rest:
            found.append((node[GREEDY], (*values, rest)))


def _rank(match: tuple[Leaf, tuple[str, ...]]) -> Any:
    return match[0][RANK]


def decode_path(raw: str, encoded: bool) -> str:
    """Return the path decoded exactly once. encoded: whether the platform left that to us.

    Raises HttpError 400 for what no provider can route alike: bytes that are not UTF-8 (an HTTP API of AWS delivers
    them as U+FFFD, so that character is refused too), control characters, and ``.`` or ``..`` segments.
    """
    path = unquote(raw) if encoded else raw
    if path.isascii() and path.isprintable() and "/." not in path:
        return path
    return check_path(path)


def check_path(path: str) -> str:
    """Return the decoded path, or raise HttpError 400 as ``decode_path`` says."""
    if any(char < " " or char == "\x7f" for char in path):
        raise HttpError(400, "The path holds a control character.")
    if any(char == "\ufffd" or "\ud800" <= char <= "\udfff" for char in path):
        raise HttpError(400, "The path is not valid UTF-8.")
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise HttpError(400, "The path holds a '.' or '..' segment.")
    return path
