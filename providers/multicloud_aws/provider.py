"""The entry point of provider ``aws``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from multicloud.deploy.entry import render_config
from multicloud.deploy.support import RUNTIME, by_gateway, used_features
from multicloud.model import ApiDefinition
from multicloud.provider import BundleLayout, Choice, Config, EntrySource, Exchange, Flavour, Level, Support

# Nothing in the event is believed but what API Gateway or a Function URL writes there after IAM let a caller in.
IAM = Support(Level.NATIVE, "whoever is not let in does not start the function; callers sign their requests (SigV4)")
HTTP_API = {
    **RUNTIME,
    "authorizer.iam": IAM,
    "authorizer.jwt": by_gateway("it answers 401 in its own words, and does not take an authorizer beside another"),
    "scopes": Support(
        Level.EMULATED,
        "an HTTP API asks for any one of a route's scopes, so the function asks for all: a request that it refuses has "
        "started it and is paid for",
    ),
    "throttle.api": by_gateway("AWS calls it a target, not a ceiling, and sends no RateLimit fields"),
    "throttle.route": by_gateway("AWS calls it a target, not a ceiling, and sends no RateLimit fields"),
    "cdn": Support(
        Level.REFUSED, "an HTTP API keeps no answers; state Cdn on the Api, which puts CloudFront before it"
    ),
}
REST_API = {
    **RUNTIME,
    "authorizer.api_key": by_gateway("in the header x-api-key; in another header, the function compares the keys"),
    "authorizer.iam": IAM,
    "throttle.api": by_gateway("AWS calls it a target, not a ceiling, and sends no RateLimit fields"),
    "throttle.route": by_gateway("AWS calls it a target, not a ceiling, and sends no RateLimit fields"),
    "throttle.caller": by_gateway("it counts by key; the function counts callers without one"),
    "quota": by_gateway("a usage plan counts by key and not exactly; the function counts callers without one"),
    "cdn": Support(
        Level.REFUSED, "a REST API's own cache is not used; state Cdn on the Api, which leads to CloudFront"
    ),
}
CLOUDFRONT = {
    **HTTP_API,
    "authorizer.iam": Support(
        Level.REFUSED,
        "a signature covers the host name, and CloudFront calls the API by another one; leave Cdn out, or use "
        "JwtAuthorizer",
    ),
    "cache_seconds": Support(
        Level.NATIVE, "CloudFront keeps answers once this version can deploy it, until then clients alone do"
    ),
    "cdn": Support(
        Level.NATIVE,
        "a deployment sets CloudFront up, which this version cannot make yet: the function says what may be kept; "
        "CloudFront tells answers apart by fields named beforehand, of which Origin is one, not by Vary",
    ),
}
FLAVOURS = (
    Flavour("http-api", "HTTP API", HTTP_API),
    Flavour("rest-api", "REST API", REST_API),
    Flavour("cloudfront", "CloudFront before an HTTP API", CLOUDFRONT),
)


class AwsProvider:
    """API Gateway and Lambda."""

    name = "aws"
    shapes = ("aws", "aws-rest", "aws-url", "aws-alb")
    # Lambda's supported Python runtimes that this SDK runs on: Lambda developer guide, "Lambda runtimes".
    python_versions = ("3.11", "3.12", "3.13")
    # 50 MB zipped through the API, 250 MB unzipped: Lambda developer guide, "Lambda quotas".
    layout = BundleLayout("", "multicloud_aws", "multicloud_entry.handler", 50 * 1024 * 1024, 250 * 1024 * 1024)
    flavours = FLAVOURS

    def flavour_of(self, definition: ApiDefinition) -> Choice:
        """Return CloudFront for a Cdn, a REST API for limits of each API key, else an HTTP API."""
        used = used_features(definition)
        if "cdn" in used:
            return Choice("cloudfront", "it has a Cdn")
        if "authorizer.api_key" in used and {"quota", "throttle.caller"} & {*used}:
            return Choice("rest-api", "it limits each API key, which only a REST API's usage plans count")
        return Choice("http-api", "it needs no more, and an HTTP API is faster and costs less than a REST API")

    def render_entry(self, source: EntrySource) -> Mapping[str, bytes]:
        """Return ``multicloud_entry.py``, whose ``handler`` Lambda calls."""
        text = render_config(
            source,
            imports=["from multicloud_aws.runtime import create_handler"],
            tail=["handler = create_handler(CONFIG, OBJECTS)"],
        )
        return {"multicloud_entry.py": text.encode()}

    def connect(self, shape: str, config: Config, objects: Sequence[object]) -> Exchange:
        """Return an exchange through one of AWS's event shapes and the Lambda runtime of this SDK."""
        from multicloud_aws.exchange import connect

        return connect(shape, config, objects)
