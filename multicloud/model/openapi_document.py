"""The definition as an OpenAPI 3.1 document, for whoever calls the API.

It says what the gateway promises and no more: paths, parameters, operation ids, who may call, and the problem
document of every error. It names no handler, no secret and no cloud.

A greedy ``{rest+}``, which OpenAPI cannot express, is written ``{rest}`` with ``x-multicloud-greedy: true`` on its path
item.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from multicloud.model.authorizers import ApiKeyAuthorizer, Authorizer, FunctionAuthorizer, JwtAuthorizer
from multicloud.model.definition import ApiDefinition
from multicloud.model.functions import FunctionDefinition
from multicloud.model.routes import RouteDefinition
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
_RESPONSES = {
    "2XX": {"description": "What the handler answers."},
    "default": {"$ref": "#/components/responses/Problem"},
}


def to_openapi(definition: ApiDefinition) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document of plain dicts, lists and scalars, in the order of definition.

    Mounted applications are not in it: what they answer is theirs to document.
    """
    schemes: dict[str, dict[str, Any]] = {}
    document: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": definition.name, "version": definition.version}}
    if definition.description:
        document["info"]["description"] = definition.description
    if definition.domain is not None:
        document["servers"] = [{"url": f"https://{definition.domain.name}"}]
    document["tags"] = [{"name": function.name} for function in definition.functions]
    document["paths"] = _paths(definition, schemes)
    document["components"] = {
        "schemas": {"Problem": _PROBLEM},
        "responses": {
            "Problem": {
                "description": "A problem.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
    }
    if schemes:
        document["components"]["securitySchemes"] = schemes
    return document


def _paths(definition: ApiDefinition, schemes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    plain = {str(route.template) for _, route in definition.routes if not route.template.greedy}
    paths: dict[str, Any] = {}
    for function, route in definition.routes:
        segments = _segments(route.template, plain)
        item = paths.setdefault("/" + "/".join(segments), _path_item(route.template, segments))
        item[route.method.lower()] = _operation(definition, function, route, schemes)
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


def _operation(
    definition: ApiDefinition, function: FunctionDefinition, route: RouteDefinition, schemes: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    summary, description = route.summary, route.description
    if not summary and not isinstance(route.handler, str):
        summary = (inspect.getdoc(route.handler) or "").partition("\n")[0][:200] if _has_own_doc(route.handler) else ""
    operation: dict[str, Any] = {"operationId": route.operation_id, "tags": [function.name, *_others(function, route)]}
    if summary:
        operation["summary"] = summary
    if description:
        operation["description"] = description
    if route.deprecated:
        operation["deprecated"] = True
    operation["responses"] = dict(_RESPONSES)
    allowed = definition.authorizers(function, route)
    if allowed:
        operation["security"] = [{_scheme(item, schemes): list(route.scopes)} for item in allowed]
    return operation


def _others(function: FunctionDefinition, route: RouteDefinition) -> list[str]:
    return [tag for tag in route.tags if tag != function.name]


def _has_own_doc(handler: object) -> bool:
    """Return whether a docstring is the handler's, not that of the class of a partial or a callable instance."""
    return inspect.isfunction(handler) or inspect.ismethod(handler)


def _scheme(authorizer: Authorizer, schemes: dict[str, dict[str, Any]]) -> str:
    """Return the name of an authorizer's security scheme, adding it if it is new."""
    scheme = _scheme_of(authorizer)
    kind = type(authorizer).__name__.removesuffix("Authorizer")
    number = 1
    while schemes.setdefault(name := kind if number == 1 else f"{kind}{number}", scheme) != scheme:
        number += 1
    return name


def _scheme_of(authorizer: Authorizer) -> dict[str, Any]:
    match authorizer:
        case JwtAuthorizer():
            description = f"A token of {authorizer.issuer} for {' or '.join(authorizer.audience)}."
            return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}
        case ApiKeyAuthorizer():
            return {"type": "apiKey", "in": "header", "name": authorizer.header}
        case FunctionAuthorizer():
            headers = ", ".join(authorizer.identity_headers)
            name = authorizer.identity_headers[0]
            return {"type": "apiKey", "in": "header", "name": name, "description": f"Decided by {headers}."}
        case _:
            return {
                "type": "apiKey",
                "in": "header",
                "name": "authorization",
                "description": "The cloud's own identities.",
            }
