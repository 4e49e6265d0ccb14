"""``multicloud providers``: what is installed, and the sentence that installs what is missing."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution, version

import pytest

from tests.cli.conftest import Invoke


def test_installed_providers_are_listed_with_their_version(invoke: Invoke) -> None:
    result = invoke("providers", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"provider": name, "package": "multicloud", "version": version("multicloud"), "status": "ready", "missing": []}
        for name in ("aws", "azure", "gcp", "local")
    ]


def test_a_missing_package_is_told_with_the_sentence_that_installs_it(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> object:
        if name == "functions-framework":
            raise PackageNotFoundError(name)
        return distribution(name)

    monkeypatch.setattr("multicloud.cli.providers.distribution", find)
    rows = {row["provider"]: row for row in json.loads(invoke("providers", "--json").stdout)}
    assert rows["gcp"]["missing"] == ["functions-framework"]
    assert rows["gcp"]["status"] == "pip install 'multicloud[gcp]'"
    assert rows["azure"]["status"] == "ready"
    [line] = [line for line in invoke("providers").stdout.splitlines() if line.startswith("gcp")]
    assert line.split(maxsplit=3) == ["gcp", "multicloud", version("multicloud"), "pip install 'multicloud[gcp]'"]


def test_a_provider_that_cannot_be_loaded_is_told_and_the_others_listed(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> None:
        raise ImportError("no module of that kind")

    monkeypatch.setattr("multicloud_aws.provider.AwsProvider.__init__", fail)
    rows = {row["provider"]: row for row in json.loads(invoke("providers", "--json").stdout)}
    assert rows["aws"]["status"] == "cannot be loaded: ImportError: no module of that kind"
    assert rows["local"]["status"] == "ready"
