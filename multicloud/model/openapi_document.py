"""The definition as an OpenAPI 3.1 document, for whoever calls the API.

It says what the gateway promises and no more: paths, operation ids, who may call, the problem document of every error,
and of typed handlers what they take and answer. It names no handler, no secret and no cloud.

A greedy ``{rest+}``, which OpenAPI cannot express, is written ``{rest}`` with ``x-multicloud-greedy: true`` on its path
item.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from multicloud.model.definition import ApiDefinition
from multicloud.model.openapi_operations import OperationWriter
from multicloud.model.templates import PathTemplate, is_greedy, is_parameter

GREEDY = "x-multicloud-greedy"
_SEGMENT_CHARACTERS = "!$&'()*+,;=:@"  # what RFC 3986 lets stand in a segment besides letters, digits and -._~

_PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
    },
}


def to_openapi(definition: ApiDefinition) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document of plain dicts, lists and scalars, in the order of definition.

    Mounted applications are not in it: what they answer is theirs to document.
    """
    document: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": definition.name, "version": definition.version}}
    if definition.description:
        document["info"]["description"] = definition.description
    if definition.domain is not None:
        document["servers"] = [{"url": f"https://{definition.domain.name}"}]
    document["tags"] = [{"name": function.name} for function in definition.functions]
    components: dict[str, Any] = {
        "schemas": {"Problem": _PROBLEM},
        "responses": {
            "Problem": {
                "description": "A problem.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
    }
    document["paths"] = _paths(definition, OperationWriter(definition, components))
    document["components"] = components
    return document


def _paths(definition: ApiDefinition, operations: OperationWriter) -> dict[str, Any]:
    plain = {str(route.template) for _, route in definition.routes if not route.template.greedy}
    paths: dict[str, Any] = {}
    for function, route in definition.routes:
        segments = _segments(route.template, plain)
        item = paths.setdefault("/" + "/".join(segments), _path_item(route.template, segments))
        written = [part[1:-1] for part in segments if is_parameter(part)]
        names = dict(zip(route.template.parameters, written, strict=True))
        item[route.method.lower()] = operations.write(function, route, names)
    return paths


def _segments(template: PathTemplate, plain: set[str]) -> list[str]:
    """Return a template's segments as OpenAPI writes them, told apart from a plain template of the same names."""
    segments = [part if is_parameter(part) else quote(part, safe=_SEGMENT_CHARACTERS) for part in template.segments]
    if is_greedy(segments[-1]):
        name = segments[-1][1:-2]
        while "/".join(["", *template.segments[:-1], f"{{{name}}}"]) in plain or name in template.parameters[:-1]:
            name += "_"
        segments[-1] = f"{{{name}}}"
    return segments


def _path_item(template: PathTemplate, segments: Iterable[str]) -> dict[str, Any]:
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for part in segments
        if is_parameter(part)
    ]
    item: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if template.greedy:
        parameters[-1]["description"] = "Takes the rest of the path: one segment or more, slashes included."
        item[GREEDY] = True
    return item
