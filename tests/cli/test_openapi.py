"""``multicloud openapi --provider``: whether a provider keeps what the document promises."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Invoke

IDENTITIES = """
from multicloud import Api, IamAuthorizer
api = Api("inner", authorizer=IamAuthorizer())

@api.get("/")
def root() -> dict: ...
"""


def test_a_provider_that_keeps_every_promise_changes_nothing(project: Path, invoke: Invoke) -> None:
    plain = invoke("openapi")
    for provider in ("local", "aws", "gcp", "azure"):
        result = invoke("openapi", "--provider", provider)
        assert (result.exit_code, json.loads(result.stdout)) == (0, json.loads(plain.stdout))


def test_a_provider_that_would_refuse_says_so(folder: Path, invoke: Invoke) -> None:
    (folder / "app.py").write_text(IDENTITIES)
    assert invoke("openapi").exit_code == 0
    result = invoke("openapi", "--provider", "local")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "iam" in result.stderr
    assert "local" in result.stderr


def test_an_unknown_provider_is_told(project: Path, invoke: Invoke) -> None:
    result = invoke("openapi", "--provider", "nowhere")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no provider 'nowhere'; installed: aws, azure, gcp, local" in result.stderr
