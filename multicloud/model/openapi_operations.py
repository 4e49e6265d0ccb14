"""One route as an OpenAPI operation: what it takes, what it answers, who may call it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from multicloud.model.arguments import Argument
from multicloud.model.authorizers import ApiKeyAuthorizer, Authorizer, FunctionAuthorizer, JwtAuthorizer
from multicloud.model.calls import CallPlan, read_call
from multicloud.model.definition import ApiDefinition
from multicloud.model.functions import FunctionDefinition
from multicloud.model.openapi_schemas import SchemaWriter, default_of
from multicloud.model.routes import RouteDefinition
from multicloud.model.shapes import Either, Scalar, Shape, without_none

Object = dict[str, Any]

PROBLEM = "#/components/responses/Problem"
_DISCOVERY = "/.well-known/openid-configuration"
_REASONS = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "413": "ContentTooLarge",
    "415": "UnsupportedMediaType",
    "422": "UnprocessableContent",
    "429": "TooManyRequests",
}
_DESCRIPTIONS = {
    "400": "The request is malformed.",
    "401": "The caller is not known: no credential, or none that is valid.",
    "403": "The caller is known but may not do this.",
    "413": "The body is too large.",
    "415": "The body is of another media type.",
    "422": "The request does not fit what the route takes; every fault is listed.",
    "429": "There were too many requests.",
}


class OperationWriter:
    """Writes operations. components: of the document, filled with what the operations refer to."""

    def __init__(self, definition: ApiDefinition, components: Object) -> None:
        self._definition = definition
        self._components = components
        self._schemas = SchemaWriter(components["schemas"])

    def write(self, function: FunctionDefinition, route: RouteDefinition, names: Mapping[str, str]) -> Object:
        """Return the operation of a route. names: of its path parameters, to what the document calls them."""
        plan = CallPlan(False, (), False)
        if not isinstance(route.handler, str):
            plan = read_call(route.handler, route.template)[0]
        allowed = self._definition.authorizers(function, route)
        tags = [function.name, *(tag for tag in route.tags if tag != function.name)]
        operation: Object = {"operationId": route.operation_id, "tags": tags}
        summary = route.summary or _first_line(route.handler)
        operation |= {"summary": summary} if summary else {}
        operation |= {"description": route.description} if route.description else {}
        operation |= {"deprecated": True} if route.deprecated else {}
        parameters = [self._parameter(argument, names) for argument in plan.arguments if argument.source != "body"]
        operation |= {"parameters": parameters} if parameters else {}
        operation |= {} if plan.body is None else {"requestBody": self._body(plan.body)}
        operation["responses"] = self._responses(function, route, plan, bool(allowed))
        if allowed:
            operation["security"] = [{self._scheme(item): list(route.scopes)} for item in allowed]
        return operation

    def _parameter(self, argument: Argument, names: Mapping[str, str]) -> Object:
        schema = self._schemas.parameter(
            without_none(argument.shape), default_of(argument.has_default, argument.default)
        )
        if argument.source == "path":
            return {"name": names[argument.name], "in": "path", "required": True, "schema": schema}
        parameter = {"name": argument.name, "in": "query", "schema": schema}
        return {**parameter, "required": True} if argument.required else parameter

    def _body(self, body: Argument) -> Object:
        return {"required": body.required, "content": {"application/json": {"schema": self._schemas.write(body.shape)}}}

    def _responses(
        self, function: FunctionDefinition, route: RouteDefinition, plan: CallPlan, is_guarded: bool
    ) -> Object:
        responses = self._answers(plan.returns)
        if plan.varies:
            responses.setdefault("2XX", {"description": "What the handler answers."})
        statuses = ["400", "413", "415"] if plan.body is not None else []
        statuses += ["422"] if plan.arguments else []
        statuses += ["401"] if is_guarded else []
        statuses += ["403"] if is_guarded and route.scopes else []
        definition = self._definition
        is_counted = definition.throttle_of(function, route) or definition.quota_of(function, route)
        statuses += ["429"] if is_counted else []
        responses |= {status: self._problem(status) for status in sorted(statuses)}
        responses["default"] = {"$ref": PROBLEM}
        return responses

    def _answers(self, shape: Shape | None) -> Object:
        """Return the responses that a handler's annotation promises."""
        if shape is None:
            return {}
        if shape == Scalar("none"):
            return {"204": {"description": "Nothing."}}
        media_type = "text/plain; charset=utf-8" if shape == Scalar("str") else "application/json"
        content = {media_type: {"schema": self._schemas.write(without_none(shape))}}
        answers: Object = {"200": {"description": "What was asked for.", "content": content}}
        if isinstance(shape, Either) and shape.takes_none:
            answers["204"] = {"description": "Nothing."}
        return answers

    def _problem(self, status: str) -> Object:
        """Return a reference to an error's response, which is added if it is new."""
        name = _REASONS[status]
        kind = "Faults" if status == "422" else "Problem"
        if kind not in self._components["schemas"]:
            self._components["schemas"][kind] = _FAULTS
        schema = {"$ref": f"#/components/schemas/{kind}"}
        response: Object = {
            "description": _DESCRIPTIONS[status],
            "content": {"application/problem+json": {"schema": schema}},
        }
        if status == "429":
            header = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
            response["headers"] = {"Retry-After": header}
        self._components["responses"].setdefault(name, response)
        return {"$ref": f"#/components/responses/{name}"}

    def _scheme(self, authorizer: Authorizer) -> str:
        """Return the name of an authorizer's security scheme, adding it if it is new."""
        scheme = _scheme_of(authorizer)
        schemes = self._components.setdefault("securitySchemes", {})
        kind = type(authorizer).__name__.removesuffix("Authorizer")
        number = 1
        while schemes.setdefault(name := kind if number == 1 else f"{kind}{number}", scheme) != scheme:
            number += 1
        return name


_FAULTS = {
    "description": "A problem document (RFC 9457) that lists every fault of a request.",
    "allOf": [{"$ref": "#/components/schemas/Problem"}],
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "format": "json-pointer",
                        "description": "Where: /body/..., /query/name or /path/name (RFC 6901).",
                    },
                    "detail": {"type": "string"},
                },
            },
        }
    },
}


def _first_line(handler: object) -> str:
    """Return the first line of a docstring that is the handler's, not the class's of a partial or callable instance."""
    if not inspect.isfunction(handler) and not inspect.ismethod(handler):
        return ""
    return (inspect.getdoc(handler) or "").partition("\n")[0][:200]


def _scheme_of(authorizer: Authorizer) -> Object:
    match authorizer:
        case JwtAuthorizer():
            description = f"A token of {authorizer.issuer} for {' or '.join(authorizer.audience)}."
            if authorizer.jwks_url is None:
                url = authorizer.issuer.rstrip("/") + _DISCOVERY
                return {"type": "openIdConnect", "openIdConnectUrl": url, "description": description}
            return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}
        case ApiKeyAuthorizer():
            return {"type": "apiKey", "in": "header", "name": authorizer.header}
        case FunctionAuthorizer():
            headers = ", ".join(authorizer.identity_headers)
            name = authorizer.identity_headers[0]
            return {"type": "apiKey", "in": "header", "name": name, "description": f"Decided by {headers}."}
        case _:
            description = "The cloud's own identities."
            return {"type": "apiKey", "in": "header", "name": "authorization", "description": description}
