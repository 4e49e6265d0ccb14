"""Policies compiled: what the literals say, what a bundle then holds, and what is missed before anything starts."""

from __future__ import annotations

import json
import logging
from configparser import ConfigParser
from pathlib import Path

import pytest

from multicloud import (
    PUBLIC,
    ApiKeyAuthorizer,
    FunctionAuthorizer,
    IamAuthorizer,
    Identity,
    JwtAuthorizer,
    Quota,
    Throttle,
)
from multicloud.deploy import gates
from multicloud.deploy.entry import compile_application, render
from multicloud.deploy.gates import JWT_REQUIREMENT, check_at_home, runtime_requirements, secret_variable
from multicloud.errors import ConfigError, DefinitionError
from multicloud.model import define
from multicloud.provider import load_provider
from multicloud.runtime.recorder import Api, Function
from multicloud.testing import TestClient
from multicloud_aws.runtime import create_handler
from multicloud_local.gateway import create_application
from tests.deploy.projects import Project, make_wheel

JWT = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])
KEY = ApiKeyAuthorizer(keys={"partner": "partner-key"}, header="X-Key")
GATE_FILES = {"authorizers", "fetching", "gate", "jwks", "throttles", "tokens"}


def handler(request):
    return {"subject": request.identity and request.identity.subject}


def check(request):
    return Identity("ada")


def compiled(api: Api):
    definition = define(api)
    return compile_application(definition, definition.functions, provider="local", stage="", development=True)


def app(environ, start_response):
    start_response("200 OK", [])
    return []


def gate_of(config, path):
    route = next(route for route in config["routes"] if route["path"] == path)
    return config["policies"]["gates"][route["gate"]] if "gate" in route else None


def test_an_api_without_policies_says_nothing_of_them():
    api = Api("shop")
    api.get("/")(handler)
    config, _ = compiled(api)
    assert "policies" not in config
    assert "gate" not in config["routes"][0]


def test_what_counts_for_a_route_is_in_its_gate():
    orders = Function("orders", throttle=Throttle(5, 5, per="caller"))
    orders.get("/orders", scopes=["b", "a"])(handler)
    orders.get("/fast", throttle=Throttle(100, 100))(handler)
    orders.get("/open", authorizer=PUBLIC)(handler)
    api = Api("shop", functions=[orders], authorizer=[JWT, KEY], throttle=Throttle(1, 1), quota=Quota(9, "week"))
    api.get("/")(handler)
    api.get("/two")(handler)
    api.get("/checked", authorizer=FunctionAuthorizer(check, cache_seconds=5), quota=Quota(1, "day", per=None))(handler)
    config, objects = compiled(api)
    policies = config["policies"]
    jwt, key, function = policies["authorizers"]
    assert jwt == {
        "kind": "jwt", "issuer": "https://id.example.com/", "audience": ("shop",), "jwks_url": None,
        "algorithms": ("RS256",), "leeway_seconds": 60,
    }  # fmt: skip
    assert key == {"kind": "api_key", "header": "x-key", "secrets": (("partner", "MULTICLOUD_SECRET_PARTNER_KEY"),)}
    assert objects[function["handler"]] is check
    assert (function["async"], function["identity_headers"]) == (False, ("authorization",))
    assert function["cache_seconds"] == 5
    assert policies["throttles"] == (
        {"rate": 1, "burst": 1, "per": None},
        {"rate": 5, "burst": 5, "per": "caller"},
        {"rate": 100, "burst": 100, "per": None},
    )
    assert policies["quotas"] == (
        {"limit": 9, "period": "week", "per": "caller"}, {"limit": 1, "period": "day", "per": None},
    )  # fmt: skip
    assert gate_of(config, "/") == {"authorizers": (0, 1), "scopes": (), "throttle": 0, "quota": 0}
    assert gate_of(config, "/two") == gate_of(config, "/")
    assert gate_of(config, "/orders") == {"authorizers": (0, 1), "scopes": ("a", "b"), "throttle": 1, "quota": 0}
    assert gate_of(config, "/fast") == {"authorizers": (0, 1), "scopes": (), "throttle": 2, "quota": 0}
    assert gate_of(config, "/open") == {"authorizers": (), "scopes": (), "throttle": 1, "quota": 0}
    assert gate_of(config, "/checked") == {"authorizers": (2,), "scopes": (), "throttle": 0, "quota": 1}


def test_equal_throttles_of_two_routes_are_two_buckets():
    api = Api("shop")
    for path in ("/a", "/b"):
        api.get(path, throttle=Throttle(0.001, 1))(handler)
    client = TestClient(api)
    assert [client.get(path).status_code for path in ("/a", "/b", "/a", "/b")] == [200, 200, 429, 429]


def test_the_throttle_of_an_api_is_one_bucket_for_all_that_inherits_it():
    part = Function("part")
    part.get("/a")(handler)
    api = Api("shop", functions=[part], throttle=Throttle(0.001, 2))
    api.get("/b")(handler)
    client = TestClient(api)
    assert [client.get(path).status_code for path in ("/a", "/b", "/a", "/b")] == [200, 200, 429, 429]


def test_a_mount_has_the_gate_of_its_function():
    part = Function("part", authorizer=KEY)
    part.mount("/app", app)
    part.get("/x")(handler)
    config, _ = compiled(Api("shop", functions=[part], authorizer=JWT))
    assert config["mounts"][0]["gate"] == next(route["gate"] for route in config["routes"])


# Secrets.


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("partner-key", "MULTICLOUD_SECRET_PARTNER_KEY"),
        ("Prod/db.password", "MULTICLOUD_SECRET_PROD_DB_PASSWORD"),
        ("a1", "MULTICLOUD_SECRET_A1"),
        ("clé", "MULTICLOUD_SECRET_CL_"),
    ],
)
def test_a_secret_s_variable_follows_from_its_name(name, variable):
    assert secret_variable(name) == variable


def test_two_secrets_that_would_share_a_variable_are_an_error():
    api = Api("shop", authorizer=ApiKeyAuthorizer(keys={"a": "one-key", "b": "one.key"}))
    api.get("/")(handler)
    with pytest.raises(DefinitionError, match=r"'one-key' and 'one\.key'"):
        compiled(api)


def test_no_secret_is_in_a_bundle(monkeypatch):
    monkeypatch.setenv("MULTICLOUD_SECRET_PARTNER_KEY", "canary-secret")
    api = Api("shop", authorizer=KEY)
    api.get("/")(handler)
    definition = define(api)
    for name in ("aws", "gcp", "azure"):
        files = render(definition, definition.functions[0], load_provider(name), "", event_loop=False)
        assert b"canary-secret" not in b"".join(files.values())
        assert b"MULTICLOUD_SECRET_PARTNER_KEY" in b"".join(files.values())


def test_a_missing_secret_is_told_before_anything_starts(monkeypatch):
    monkeypatch.delenv("MULTICLOUD_SECRET_PARTNER_KEY", raising=False)
    api = Api("shop", authorizer=KEY)
    api.get("/")(handler)
    for shape in ("local", "aws"):
        definition = define(api)
        with pytest.raises(ConfigError):
            create_application(lambda: definition, "test", shape)  # noqa: B023 - called at once
        with pytest.raises(ConfigError) as caught:
            TestClient(api, shape)
        (problem,) = caught.value.problems
        assert str(problem) == (
            "route GET /: authorizer: expected the secret 'partner-key' in the environment variable "
            "MULTICLOUD_SECRET_PARTNER_KEY, got none; set MULTICLOUD_SECRET_PARTNER_KEY to any ASCII text for the key "
            "that callers will send here"
        )


def test_a_secret_that_no_header_carries_is_told_as_well():
    api = Api("shop", authorizer=KEY)
    api.get("/")(handler)
    with pytest.raises(ConfigError) as caught:
        check_at_home(define(api), {"MULTICLOUD_SECRET_PARTNER_KEY": "key\n"})
    assert [problem.got for problem in caught.value.problems] == ["characters that a header does not carry"]


def test_missing_packages_and_secrets_are_told_together(monkeypatch):
    monkeypatch.setattr(gates, "find_spec", lambda name: None)
    api = Api("shop", authorizer=[JWT, KEY])
    api.get("/")(handler)
    with pytest.raises(ConfigError) as caught:
        check_at_home(define(api), {})
    assert [problem.hint.partition(" to ")[0] for problem in caught.value.problems] == [
        "pip install 'multicloud[jwt]'", "set MULTICLOUD_SECRET_PARTNER_KEY",
    ]  # fmt: skip


def test_in_a_function_a_missing_secret_is_a_500_and_a_record(monkeypatch, caplog):
    monkeypatch.delenv("MULTICLOUD_SECRET_PARTNER_KEY", raising=False)
    api = Api("shop", authorizer=KEY)
    api.get("/")(handler)
    config, objects = compiled(api)
    event = {
        "rawPath": "/", "headers": {"x-key": "x"}, "requestContext": {"http": {"method": "GET"}, "stage": "$default"},
    }  # fmt: skip
    with caplog.at_level(logging.ERROR, logger="multicloud"):
        answer = create_handler({**config, "provider": "aws"}, objects)(event, None)
    assert answer["statusCode"] == 500
    assert "SECRET" not in answer["body"]
    assert "MULTICLOUD_SECRET_PARTNER_KEY" in json.loads(caplog.records[0].getMessage())["detail"]


# Bundles.


def runtime_modules(names: set[str]) -> set[str]:
    return {name.rpartition("/")[2].partition(".")[0] for name in names if name.startswith("multicloud/runtime/")}


def test_the_packages_that_verify_tokens_are_asked_for_where_a_token_is_verified():
    part = Function("part")
    part.get("/x", authorizer=PUBLIC)(handler)
    api = Api("shop", functions=[part], authorizer=[JWT, KEY])
    api.get("/")(handler)
    definition = define(api)
    assert [runtime_requirements(definition, function) for function in definition.functions] == [(JWT_REQUIREMENT,), ()]


def test_the_extra_asks_for_what_a_bundle_does():
    settings = ConfigParser(interpolation=None)
    settings.read(Path(gates.__file__).parents[2] / "setup.cfg")
    assert JWT_REQUIREMENT.startswith(settings["options.extras_require"]["jwt"].strip())


def test_a_bundle_holds_pyjwt_and_cryptography_only_if_it_verifies_tokens(project: Project, wheels, monkeypatch):
    make_wheel(wheels, "pyjwt", "2.12.0", files={"jwt/__init__.py": b"", "cryptography/__init__.py": b""})
    monkeypatch.setenv("UV_NO_DEPS", "1")
    files = project.names(project.bundle(authorizer=JWT))
    assert {"jwt/__init__.py", "cryptography/__init__.py"} <= files
    assert GATE_FILES - runtime_modules(files) == {"authorizers"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, set()),
        ({"throttle": Throttle(1, 1)}, {"gate", "throttles"}),
        ({"authorizer": KEY}, {"gate", "throttles", "authorizers"}),
        ({"authorizer": IamAuthorizer(), "quota": Quota(1, "day")}, {"gate", "throttles", "authorizers"}),
        ({"authorizer": PUBLIC}, set()),
    ],
    ids=["nothing", "throttle", "key", "iam and quota", "public"],
)
def test_a_bundle_holds_the_modules_that_its_gates_import(settings, expected, project: Project, uv_runs):
    files = project.names(project.bundle(**settings))
    assert runtime_modules(files) & GATE_FILES == expected
    assert uv_runs == []
    assert not any(name.startswith(("jwt/", "cryptography/")) for name in files)
