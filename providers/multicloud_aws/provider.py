"""The entry point of provider ``aws``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from multicloud.deploy.entry import render_config
from multicloud.deploy.support import EMULATED
from multicloud.provider import BundleLayout, Config, EntrySource, Exchange, Level, Support

NOT_YET = Support(Level.REFUSED, "this version does not realise it yet; leave it out, and check it in the handler")
SUPPORT = {
    **EMULATED,
    # Nothing in the event is believed but what API Gateway or a Function URL writes there after IAM let a caller in.
    "authorizer.iam": Support(Level.NATIVE),
    "cache_seconds": Support(
        Level.EMULATED, "the function states it and answers 304; nothing in front keeps an answer"
    ),
    "cdn": Support(Level.NATIVE),
    "cors": Support(Level.EMULATED, "the function answers preflights, so each one is an invocation"),
}


class AwsProvider:
    """API Gateway and Lambda."""

    name = "aws"
    shapes = ("aws", "aws-rest", "aws-url", "aws-alb")
    # Lambda's supported Python runtimes that this SDK runs on: Lambda developer guide, "Lambda runtimes".
    python_versions = ("3.11", "3.12", "3.13")
    # 50 MB zipped through the API, 250 MB unzipped: Lambda developer guide, "Lambda quotas".
    layout = BundleLayout("", "multicloud_aws", "multicloud_entry.handler", 50 * 1024 * 1024, 250 * 1024 * 1024)
    support: Mapping[str, Support] = SUPPORT

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
