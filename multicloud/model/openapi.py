"""An OpenAPI 3.0 or 3.1 document as the definition: contract first, handlers named in it.

What the SDK reads, beside paths and operations:

- ``x-multicloud-handler: "module:function"`` on every operation;
- ``x-multicloud-function: orders`` on an operation, or on the declaration of the first of its tags that has one: the
  function that the route belongs to; without it the default function;
- ``x-multicloud-greedy: true`` on a path item whose last parameter takes the rest of the path;
- ``x-multicloud-name`` in ``info``: the API's name; without it the title in lower case with hyphens;
- ``x-multicloud-authorizer`` on a security scheme: the fields of a ``JwtAuthorizer`` (for ``http`` bearer, ``oauth2``
  and ``openIdConnect``) or ``ApiKeyAuthorizer`` (for ``apiKey``). ``security: []`` means PUBLIC.

``requestBody``, ``responses`` and parameters outside of the path are documentation here and are not kept. What would
change who may call or what is called is never skipped: it is understood or refused. A parameter ``{order-id}`` becomes
``order_id``.

Every problem is reported with its JSON pointer (RFC 6901), all of them together.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs
import yaml

from multicloud.errors import DefinitionError, Problem
from multicloud.model.checks import bare, report, report_together, show, unknown_names
from multicloud.model.definition import ApiDefinition
from multicloud.model.openapi_document import GREEDY, to_openapi
from multicloud.model.openapi_node import Node
from multicloud.model.openapi_security import SecurityReader
from multicloud.model.policies import METHODS
from multicloud.model.recording import definition_of
from multicloud.runtime.recorder import Api, Function, Route, Router

__all__ = ["from_openapi", "load_openapi", "to_openapi"]

HANDLER = "x-multicloud-handler"
FUNCTION = "x-multicloud-function"
NAME = "x-multicloud-name"

_ITEM_KEYS = {"$ref", "summary", "description", "servers", "parameters", GREEDY}
_VERSION = re.compile(r"3\.[01]\.\d+")


def load_openapi(path: str | os.PathLike[str]) -> ApiDefinition:
    """Return the definition in a JSON or YAML file. Raises DefinitionError, also for a file that cannot be read."""
    name = Path(path).name
    try:
        text = Path(path).read_text(encoding="utf-8")
        document = json.loads(text) if Path(path).suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        got = " ".join(str(error).split())
        raise DefinitionError([Problem(name, "an OpenAPI document in JSON or YAML", got)]) from None
    return _read(document, name)


def from_openapi(document: Mapping[str, Any]) -> ApiDefinition:
    """Return the definition in a document that is read already. Raises DefinitionError with every problem in it."""
    return _read(document, "")


def _read(document: Any, source: str) -> ApiDefinition:
    root = Node(document, f"{source}#", document)
    places: dict[str, str] = {}
    try:
        with report_together():
            definition = definition_of(_Reader(root, places).api())
    except DefinitionError as error:
        raise DefinitionError([_placed(problem, root, places) for problem in error.problems]) from None
    functions = [attrs.evolve(function, recorder=None) for function in definition.functions]
    return attrs.evolve(definition, functions=functions, recorder=None)


def _placed(problem: Problem, root: Node, places: Mapping[str, str]) -> Problem:
    """Return a problem with its JSON pointer: found in the document itself, or by the route's place."""
    if problem.place.startswith(root.pointer):
        return problem
    known = [place for place in (problem.place, problem.place.partition(": ")[0]) if place in places]
    pointer = places[known[0]] if known else root.at("info").pointer
    return attrs.evolve(problem, place=f"{pointer} ({problem.place})")


class _Reader:
    """Turns a document into recorders, so that both ways to define an API are validated by the same code."""

    def __init__(self, root: Node, places: dict[str, str]) -> None:
        self._root = root
        self._places = places
        self._security = SecurityReader(root.at("components").at("securitySchemes"))
        self._functions: dict[str, Function] = {}
        self._tag_functions = {
            tag.at("name").text(): tag.at(FUNCTION).text() for tag in root.at("tags").elements() if tag.has(FUNCTION)
        }

    def api(self) -> Api:
        """Return the recorded API; problems go to the open report."""
        root = self._root
        version = root.at("openapi")
        if not isinstance(version.value, str) or not _VERSION.fullmatch(version.value):
            version.refuse("an OpenAPI version 3.0.x or 3.1.x")
        info = root.at("info")
        api = Api(info.at(NAME).text() or _slug(info.at("title").text()), **_settings(info))
        security = self._security.read(root)
        if security.authorizer is not None:
            api.settings["authorizer"] = security.authorizer
        for key, item in root.at("paths").items():
            self._item(api, key, item, security.scopes)
        api.functions.extend(self._functions.values())
        return api

    def _item(self, api: Api, key: str, item: Node, scopes: tuple[str, ...]) -> None:
        """Record the operations of one path item."""
        if item.has("$ref") and len(item.value) > 1:
            item.refuse("$ref alone", f"{len(item.value) - 1} keys beside it", "what they mean beside it is undefined")
        target = item.resolved()
        path = self._path(key, target)
        for name, node in target.items():
            if name.upper() in METHODS and name.islower():
                self._operation(api, path, name.upper(), node, scopes)
                self._parameters(key, [*target.at("parameters").elements(), *node.at("parameters").elements()])
            elif name not in _ITEM_KEYS and (not name.startswith("x-") or name.startswith("x-multicloud-")):
                known = [*(method.lower() for method in METHODS), *sorted(_ITEM_KEYS)]
                report([*unknown_names(target.pointer, [name], known)])

    def _path(self, key: str, item: Node) -> str:
        """Return a path of the document as a template of ours."""
        place = Node(key, item.pointer, self._root.value)
        segments = [_segment(segment, place) for segment in key.split("/")]
        greedy = item.at(GREEDY)
        if greedy.value not in (None, True):
            greedy.refuse("true")
        elif greedy.value and not segments[-1].startswith("{"):
            greedy.refuse("a path whose last segment is a parameter", show(key))
        elif greedy.value:
            segments[-1] = segments[-1].removesuffix("}").removesuffix("+") + "+}"
        return "/".join(segments)

    def _operation(self, api: Api, path: str, method: str, node: Node, inherited: tuple[str, ...]) -> None:
        """Record one operation."""
        self._places.setdefault(f"route {method} {bare(path)}", node.pointer)
        known = [HANDLER, FUNCTION]
        strange = [name for name, _ in node.items() if name.startswith("x-multicloud-") and name not in known]
        report([*unknown_names(node.pointer, strange, known)])
        handler = node.at(HANDLER)
        if handler.value is None:
            handler.refuse("the operation's handler as 'module:function'", "none")
            return
        security = self._security.read(node)
        options: dict[str, Any] = {
            name: value
            for name, key in (("operation_id", "operationId"), ("summary", "summary"), ("description", "description"))
            if (value := node.at(key).text())
        }
        options["tags"] = [tag.text() for tag in node.at("tags").elements()]
        options["deprecated"] = node.at("deprecated").value or False
        options["authorizer"] = security.authorizer
        options["scopes"] = inherited if security.authorizer is None else security.scopes
        self._router(api, node).routes.append(Route(method, path, handler.value, options))

    def _router(self, api: Api, node: Node) -> Router:
        """Return what an operation is recorded on."""
        named = [self._tag_functions.get(tag.text(), "") for tag in node.at("tags").elements()]
        name = node.at(FUNCTION).text() or next(filter(None, named), "") or api.name
        return api if name == api.name else self._functions.setdefault(name, Function(name))

    def _parameters(self, key: str, parameters: list[Node]) -> None:
        """Report path parameters that the path does not have, and styles that the router does not read."""
        for node in map(Node.resolved, parameters):
            name = node.at("name").text()
            if node.at("in").value != "path":
                continue
            if f"{{{name}}}" not in key.split("/"):
                node.at("name").refuse(f"a parameter of {key}", show(name))
            if node.at("style").text("simple") != "simple":
                node.at("style").refuse("'simple'")


def _segment(segment: str, place: Node) -> str:
    """Return a segment of OpenAPI's as one of ours: parameters are identifiers, literals are decoded."""
    if segment.startswith("{") and segment.endswith("}"):
        name, plus = segment[1:-1].removesuffix("+"), "+" * segment.endswith("+}")
        name = re.sub(r"[^A-Za-z0-9_{}]", "_", name)
        return f"{{{'_' * name[:1].isdigit()}{name}{plus}}}"
    try:
        decoded = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        place.refuse("percent-encoded UTF-8", show(segment))
        return segment
    if "/" in decoded:
        place.refuse("segments without an encoded '/'", show(segment), "no gateway tells it from a plain one")
    return decoded


def _settings(info: Node) -> dict[str, Any]:
    return {key: value for key in ("description", "version") if (value := info.at(key).text())}


def _slug(title: str) -> str:
    """Return a title as an API's name: ``Pet Store (v2)`` is ``pet-store-v2``."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
