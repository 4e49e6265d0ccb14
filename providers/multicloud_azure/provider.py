"""The entry point of provider ``azure``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from multicloud.deploy.entry import render_config
from multicloud.deploy.support import RUNTIME, by_gateway, used_features
from multicloud.model import ApiDefinition
from multicloud.provider import BundleLayout, Choice, Config, EntrySource, Exchange, Flavour, Level, Support

FUNCTION_APP = {
    **RUNTIME,
    "authorizer.iam": Support(
        Level.REFUSED,
        "App Service authentication covers the app as a whole, and an Entra token by itself would let any account of "
        "the tenant in; use JwtAuthorizer with issuer https://login.microsoftonline.com/<tenant>/v2.0 and, as the "
        "audience, an application that requires assignment",
    ),
    "cdn": Support(
        Level.REFUSED, "a Function App keeps no answers; state Cdn on the Api, which puts Front Door before it"
    ),
}
API_MANAGEMENT = {
    **FUNCTION_APP,
    "authorizer.api_key": by_gateway("a key is a subscription's"),
    "authorizer.jwt": by_gateway("it answers 401 in its own words"),
    "scopes": by_gateway(),
    "throttle.caller": by_gateway("it counts by key and has no burst; the function counts callers without a key"),
    "quota": by_gateway("it counts by key, from the subscription's first day on; the function counts other callers"),
    "cdn": Support(
        Level.REFUSED, "the Consumption tier has no cache of its own; state Cdn on the Api, which leads to Front Door"
    ),
}
FRONT_DOOR = {
    **FUNCTION_APP,
    "cache_seconds": Support(
        Level.NATIVE, "Front Door keeps answers once this version can deploy it, until then clients alone do"
    ),
    "cdn": Support(
        Level.NATIVE,
        "a deployment sets Front Door up, which this version cannot make yet: the function says what may be kept; "
        "Front Door ignores Vary, so with several origins in Cors the pages of one may get what was kept for another",
    ),
}
FLAVOURS = (
    Flavour("function-app", "Function App alone", FUNCTION_APP),
    Flavour("api-management", "API Management", API_MANAGEMENT),
    Flavour("front-door", "Front Door before the Function App", FRONT_DOOR),
)

HOST = {
    "version": "2.0",
    # The API's paths begin at the root, not below /api.
    "extensions": {"http": {"routePrefix": ""}},
}


class AzureProvider:
    """Function App (Flex Consumption)."""

    name = "azure"
    shapes = ("azure",)
    # Flex Consumption's Python stacks: Azure Functions documentation, "Supported languages".
    python_versions = ("3.11", "3.12", "3.13")
    # Flex Consumption states no limit of its own for the package; one deploy's upload is cut at 2 GB by Kudu.
    layout = BundleLayout(".python_packages/lib/site-packages", "multicloud_azure", "function_app", None, None)
    flavours = FLAVOURS

    def flavour_of(self, definition: ApiDefinition) -> Choice:
        """Return Front Door for a Cdn, API Management for limits of each API key, else the Function App alone."""
        used = used_features(definition)
        if "cdn" in used:
            return Choice("front-door", "it has a Cdn")
        if "authorizer.api_key" in used and {"quota", "throttle.caller"} & {*used}:
            return Choice("api-management", "it limits each API key, which only API Management's subscriptions count")
        return Choice("function-app", "it needs no more, and API Management costs extra and takes time of each request")

    def render_entry(self, source: EntrySource) -> Mapping[str, bytes]:
        """Return ``function_app.py`` with one function for every path, and ``host.json``."""
        define, call = ("async def", "await _handle") if source.config["async"] else ("def", "_handle")
        text = render_config(
            source,
            imports=["import azure.functions as func", "from multicloud_azure.runtime import create_handler"],
            tail=[
                "_handle = create_handler(CONFIG, OBJECTS, func.HttpResponse)",
                "app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)",
                "",
                "",
                f"@app.function_name({source.function!r})",
                '@app.route(route="{*path}")',
                f"{define} main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:",
                f"    return {call}(req, context)",
            ],
        )
        return {"function_app.py": text.encode(), "host.json": json.dumps(HOST).encode()}

    def connect(self, shape: str, config: Config, objects: Sequence[object]) -> Exchange:
        """Return an exchange through azure-functions' HttpRequest and this SDK's runtime."""
        from multicloud_azure.exchange import connect

        return connect(shape, config, objects)
