from __future__ import annotations

import inspect

import attrs
import pytest

from multicloud.deploy.support import FEATURES, check_support
from multicloud.errors import DefinitionError
from multicloud.model import (
    PUBLIC,
    ApiKeyAuthorizer,
    Cdn,
    Cors,
    FunctionAuthorizer,
    IamAuthorizer,
    JwtAuthorizer,
    Quota,
    Throttle,
    authorizers,
    define,
    policies,
)
from multicloud.model.checks import Checked
from multicloud.provider import Level, Support, load_provider
from multicloud.runtime.recorder import Api, Function

JWT = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])


def handler(request):
    return 1


AUTHORIZERS = {
    "authorizer.api_key": ApiKeyAuthorizer(keys={"partner": "partner-key"}),
    "authorizer.function": FunctionAuthorizer(handler),
    "authorizer.iam": IamAuthorizer(),
    "authorizer.jwt": JWT,
}
STATED = {
    **{feature: {"authorizer": authorizer} for feature, authorizer in AUTHORIZERS.items()},
    "cache_seconds": {"cache_seconds": 60},
    "cdn": {"cdn": Cdn()},
    "cors": {"cors": Cors(allow_origins=["https://a.example"])},
    "quota": {"quota": Quota(limit=10, period="day")},
    "scopes": {"scopes": ["read"]},
    "throttle": {"throttle": Throttle(rate=1, burst=1)},
    "throttle.address": {"throttle": Throttle(rate=1, burst=1, per="address")},
    "throttle.caller": {"throttle": Throttle(rate=1, burst=1, per="caller")},
}
OF_A_DEPLOYMENT = {"Alarm", "Domain", "Encryption", "Logging", "Tracing"}
"""Policies that a bundle and the local gateway have no part in."""


@attrs.frozen
class Cloud:
    """A provider that realises what it is told to."""

    support: dict
    name: str = "cloud"


def api_with(feature, level):
    value = STATED[feature]
    options = {"api": {}, "function": {}, "route": {}}
    if feature == "scopes":  # which a JwtAuthorizer grants
        options["api"] = {"authorizer": JWT}
    elif level != "api" and "authorizer" in value:  # what one part protects, all must state
        options["api"] = {"authorizer": PUBLIC}
    options[level] = {**options[level], **value}
    function = Function("part", **options["function"])
    function.get("/", **options["route"])(handler)
    return define(Api("shop", functions=[function], **options["api"]))


ON_ROUTES_ALONE = ("cache_seconds", "scopes")
PLACES = [
    *((feature, "api") for feature in STATED if feature not in ON_ROUTES_ALONE),
    *((feature, "function") for feature in STATED if feature not in (*ON_ROUTES_ALONE, "cdn", "cors")),
    *((feature, "route") for feature in STATED if feature not in ("cdn", "cors")),
]


def test_there_is_a_case_for_every_feature():
    assert STATED.keys() == FEATURES.keys()


@pytest.mark.parametrize(("feature", "level"), PLACES)
def test_a_feature_that_the_provider_refuses_is_told_wherever_it_is_stated(feature, level):
    support = {name: Support(Level.NATIVE) for name in FEATURES}
    support[feature] = Support(Level.REFUSED, f"no {feature} here")
    with pytest.raises(DefinitionError) as caught:
        check_support(api_with(feature, level), Cloud(support))
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"api shop: {feature}: expected a feature that cloud realises, got one that it refuses; no {feature} here"
    )


@pytest.mark.parametrize("level", [Level.NATIVE, Level.EMULATED])
def test_a_feature_that_the_provider_realises_passes(level):
    for feature, stated_on in PLACES:
        check_support(api_with(feature, stated_on), Cloud({name: Support(level) for name in FEATURES}))


def test_what_is_not_used_may_be_refused():
    for feature, stated_on in PLACES:
        used = {name for name, is_used in FEATURES.items() if is_used(api_with(feature, stated_on))}
        implied = {"throttle"} if feature.startswith("throttle.") else set()
        assert used - implied - ({"authorizer.jwt"} if feature == "scopes" else set()) == {feature}


def test_every_refused_feature_is_told_at_once():
    api = Api(
        "shop",
        authorizer=list(AUTHORIZERS.values()),
        cors=STATED["cors"]["cors"],
        cdn=Cdn(),
        throttle=Throttle(1, 1, per="caller"),
        quota=Quota(1, "day"),
    )
    api.get("/", cache_seconds=60, authorizer=PUBLIC, throttle=Throttle(1, 1, per="address"))(handler)
    api.get("/private", scopes=["read"])(handler)
    with pytest.raises(DefinitionError) as caught:
        check_support(define(api), Cloud({name: Support(Level.REFUSED, "no") for name in FEATURES}))
    assert [problem.place for problem in caught.value.problems] == [f"api shop: {feature}" for feature in FEATURES]


def test_a_public_route_asks_for_no_authorizer():
    api = Api("shop")
    api.get("/", authorizer=PUBLIC)(handler)
    check_support(define(api), Cloud({name: Support(Level.REFUSED, "no") for name in FEATURES}))


@pytest.mark.parametrize("name", ["aws", "azure", "gcp", "local"])
def test_every_provider_answers_for_every_feature(name):
    provider = load_provider(name)
    assert provider.support.keys() == FEATURES.keys()
    for support in provider.support.values():
        assert support.level is Level.NATIVE or support.note


def test_no_policy_is_without_a_feature():
    """A class that is added to the model must be added to FEATURES, and so to every provider's table."""
    classes = {
        cls.__name__
        for module in (policies, authorizers)
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, Checked) and cls.__module__ == module.__name__
    }
    stated = {type(value).__name__ for values in STATED.values() for value in values.values()} - {"int", "list"}
    assert classes - OF_A_DEPLOYMENT - {"Public"} == stated
