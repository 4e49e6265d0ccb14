"""What is measured: our bundle and its peers, each as a list of folders to import from and an entry point in them."""

from __future__ import annotations

from pathlib import Path

import attrs

from benchmarks import installed
from benchmarks.bundles import unpacked
from benchmarks.installed import ROOT

APPLICATIONS = ROOT / "benchmarks" / "applications"


@attrs.frozen
class Subject:
    """One peer. kind: a key of ``events.NATIVE``. requires: what pip puts in its bundle. floor: whom to divide by.

    cloud: whose runtime runs it. provider, source: for ours, whose bundle is made from that file in ``applications``.
    """

    name: str
    kind: str
    module: str
    floor: str
    attribute: str = "handler"
    requires: tuple[str, ...] = ()
    provider: str = ""
    source: str = "ours.py"

    @property
    def cloud(self) -> str:
        """The cloud whose own runtime runs it."""
        return self.kind if self.kind in ("gcp", "azure") else "aws"

    def folders(self) -> list[Path]:
        """Return what is put on the path, made and compiled if it is not there yet."""
        if self.provider:
            return unpacked((APPLICATIONS / self.source).read_text("utf-8"), self.provider)
        folders = [installed.compiled_copy(APPLICATIONS)]
        if self.requires:
            folders.append(installed.packages(self.requires, chalice=self.requires == ("chalice",)))
        return folders


AWS = (
    Subject("raw handler", "http_api", "raw_aws", "raw handler"),
    Subject("raw handler, payload 1.0", "rest_api", "raw_aws", "raw handler, payload 1.0"),
    Subject("multicloud", "http_api", "multicloud_entry", "raw handler", provider="aws"),
    Subject("multicloud, payload 1.0", "rest_api", "multicloud_entry", "raw handler, payload 1.0", provider="aws"),
    Subject("Chalice, payload 1.0", "rest_api", "on_chalice", "raw handler, payload 1.0", requires=("chalice",)),
    Subject("Powertools", "http_api", "on_powertools", "raw handler", requires=("aws-lambda-powertools",)),
    Subject("Mangum + Starlette", "http_api", "on_mangum", "raw handler", requires=("mangum", "starlette")),
    Subject("Mangum + FastAPI", "http_api", "on_fastapi_lambda", "raw handler", requires=("mangum", "fastapi")),
)
POLICIES = Subject(
    "multicloud, policies in the same file",
    "http_api",
    "multicloud_entry",
    "raw handler",
    provider="aws",
    source="with_policies.py",
)
OTHERS = (
    Subject("raw function", "gcp", "raw_gcp", "raw function"),
    Subject("multicloud on gcp", "gcp", "main", "raw function", "main", provider="gcp"),
    Subject("raw Azure function", "azure", "raw_azure", "raw Azure function"),
    Subject("multicloud on azure", "azure", "function_app", "raw Azure function", "_handle", provider="azure"),
)
