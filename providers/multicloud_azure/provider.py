"""The entry point of provider ``azure``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from multicloud.deploy.entry import render_config
from multicloud.deploy.support import EMULATED
from multicloud.provider import BundleLayout, Config, EntrySource, Exchange, Level, Support

NOT_YET = Support(Level.REFUSED, "this version does not realise it yet; leave it out, and check it in the handler")
SUPPORT = {
    **EMULATED,
    "authorizer.iam": Support(
        Level.REFUSED,
        "App Service authentication covers the app as a whole, and an Entra token by itself would let any account of "
        "the tenant in; use JwtAuthorizer with issuer https://login.microsoftonline.com/<tenant>/v2.0 and, as the "
        "audience, an application that requires assignment",
    ),
    "cache_seconds": Support(
        Level.EMULATED, "the function states it and answers 304; nothing in front keeps an answer"
    ),
    "cdn": NOT_YET,
    "cors": Support(Level.EMULATED, "the function answers preflights, so each one is an invocation"),
}

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
    support: Mapping[str, Support] = SUPPORT

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
