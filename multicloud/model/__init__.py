"""WHAT the API is: frozen values that check themselves and one another. No cloud and, but for one file reader, no I/O.

``define`` turns the recorders that the user's code holds, ``load_openapi`` an OpenAPI document, into one
``ApiDefinition``; everything downwards (deploy, providers, the local gateway) reads that value and can rely on it.
Everything wrong is a ``DefinitionError`` with every problem, each with its place, what was expected, what was found and
what to do.

    checks, addresses                     how a value checks itself
    policies, authorizers                 what is asked of the gateway
    templates, calls                      what a path and a handler may look like
    routes, functions, definition         the API
    conflicts                             what is wrong between routes
    recording                             recorders -> ApiDefinition
    openapi, openapi_document             OpenAPI -> ApiDefinition -> OpenAPI
"""

from __future__ import annotations

from multicloud.model.authorizers import (
    PUBLIC,
    ApiKeyAuthorizer,
    Authorizer,
    FunctionAuthorizer,
    IamAuthorizer,
    JwtAuthorizer,
    Public,
)
from multicloud.model.calls import CallPlan, call_plan
from multicloud.model.definition import ApiDefinition
from multicloud.model.functions import FunctionDefinition
from multicloud.model.policies import Alarm, Cdn, Cors, Domain, Encryption, Logging, Quota, Throttle, Tracing
from multicloud.model.recording import define
from multicloud.model.routes import MountDefinition, RouteDefinition
from multicloud.model.templates import PathTemplate, parse_template

__all__ = [
    "PUBLIC",
    "Alarm",
    "ApiDefinition",
    "ApiKeyAuthorizer",
    "Authorizer",
    "CallPlan",
    "Cdn",
    "Cors",
    "Domain",
    "Encryption",
    "FunctionAuthorizer",
    "FunctionDefinition",
    "IamAuthorizer",
    "JwtAuthorizer",
    "Logging",
    "MountDefinition",
    "PathTemplate",
    "Public",
    "Quota",
    "RouteDefinition",
    "Throttle",
    "Tracing",
    "call_plan",
    "define",
    "parse_template",
]
