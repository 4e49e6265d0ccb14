"""The entry point of provider ``gcp``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from multicloud.deploy.entry import render_config
from multicloud.deploy.support import EMULATED
from multicloud.provider import BundleLayout, Config, EntrySource, Exchange, Level, Support

NOT_YET = Support(Level.REFUSED, "this version does not realise it yet; leave it out, and check it in the handler")
SUPPORT = {
    **EMULATED,
    "authorizer.iam": Support(
        Level.REFUSED,
        "Cloud Run asks for roles/run.invoker before the function, for all of its routes alike, and a Google ID token "
        "by itself would let any Google account in; use JwtAuthorizer with issuer https://accounts.google.com and a "
        "handler that knows the callers, or a FunctionAuthorizer",
    ),
    "cache_seconds": Support(
        Level.EMULATED, "the function states it and answers 304; nothing in front keeps an answer"
    ),
    "cdn": NOT_YET,
    "cors": Support(Level.EMULATED, "the function answers preflights, so each one is an invocation"),
}

REQUIREMENTS = b"functions-framework>=3.8,<4\n"
"""All that the buildpack installs: dependencies are in the zip. Without it the newest framework would be taken."""


class GcpProvider:
    """API Gateway or load balancer, and Cloud Functions."""

    name = "gcp"
    shapes = ("gcp",)
    # Cloud Run functions documentation, "Runtime support".
    python_versions = ("3.11", "3.12", "3.13")
    # 100 MB of zipped and 500 MB of unzipped source: Cloud Functions documentation, "Quotas", 1st gen, the lower ones.
    layout = BundleLayout("", "multicloud_gcp", "main", 100 * 1024 * 1024, 500 * 1024 * 1024)
    support: Mapping[str, Support] = SUPPORT

    def render_entry(self, source: EntrySource) -> Mapping[str, bytes]:
        """Return ``main.py``, whose ``main`` functions-framework serves, and its ``requirements.txt``."""
        text = render_config(
            source,
            imports=["from flask import Response", "from multicloud_gcp.runtime import create_handler"],
            tail=["main = create_handler(CONFIG, OBJECTS, Response)"],
        )
        return {"main.py": text.encode(), "requirements.txt": REQUIREMENTS}

    def connect(self, shape: str, config: Config, objects: Sequence[object]) -> Exchange:
        """Return an exchange through functions-framework's Flask request and this SDK's runtime."""
        from multicloud_gcp.exchange import connect

        return connect(shape, config, objects)
