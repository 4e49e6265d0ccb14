"""The entry point of provider ``gcp``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from multicloud.deploy.entry import render_config
from multicloud.deploy.support import RUNTIME, by_gateway, used_features
from multicloud.model import ApiDefinition
from multicloud.provider import BundleLayout, Choice, Config, EntrySource, Exchange, Flavour, Level, Support

IAM = Support(
    Level.REFUSED,
    "Cloud Run asks for roles/run.invoker before the function, for all of its routes alike, and a Google ID token "
    "by itself would let any Google account in; use JwtAuthorizer with issuer https://accounts.google.com and a "
    "handler that knows the callers, or a FunctionAuthorizer",
)
API_GATEWAY = {
    **RUNTIME,
    "authorizer.iam": IAM,
    "authorizer.jwt": by_gateway("it answers 401 in its own words and without CORS headers"),
    "cdn": Support(
        Level.REFUSED, "API Gateway keeps no answers; state Cdn on the Api, which puts the load balancer in its place"
    ),
    "domain": Support(
        Level.REFUSED,
        "API Gateway has its own host name alone; state Domain on the Api, which leads to the load balancer",
    ),
}
ARMOR = "Cloud Armor counts over 10 seconds or more, in each region by itself, and has no burst"
LOAD_BALANCER = {
    **RUNTIME,
    "authorizer.iam": IAM,
    "throttle.api": by_gateway(ARMOR),
    "throttle.function": by_gateway(ARMOR),
    "throttle.route": by_gateway(ARMOR),
    "throttle.address": by_gateway(ARMOR),
    "cache_seconds": Support(
        Level.NATIVE,
        "where a Cdn is stated, Cloud CDN keeps answers once this version can deploy it; else clients alone do",
    ),
    "cdn": Support(
        Level.NATIVE,
        "a deployment sets Cloud CDN up, which this version cannot make yet: the function says what may be kept; Cloud "
        "CDN keeps no answer whose Vary names anything but Accept, Accept-Encoding, Origin and a few more",
    ),
}
FLAVOURS = (
    Flavour("api-gateway", "API Gateway", API_GATEWAY),
    Flavour("load-balancer", "load balancer with Cloud Armor", LOAD_BALANCER),
)
NEEDS_LOAD_BALANCER = (
    "cdn",
    "domain",
    "throttle.api",
    "throttle.function",
    "throttle.route",
    "throttle.address",
)

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
    flavours = FLAVOURS

    def flavour_of(self, definition: ApiDefinition) -> Choice:
        """Return the load balancer for a Cdn, a Domain or a throttle, else API Gateway."""
        needs = [feature for feature in used_features(definition) if feature in NEEDS_LOAD_BALANCER]
        if needs:
            return Choice("load-balancer", f"it has {', '.join(needs)}, which API Gateway does not do")
        return Choice("api-gateway", "it needs no more, and API Gateway costs nothing while nobody calls")

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
