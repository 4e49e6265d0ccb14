from __future__ import annotations

import attrs
import pytest

from multicloud.deploy.support import FEATURES, check_support, explain, used_features
from multicloud.errors import DefinitionError
from multicloud.model import (
    PUBLIC,
    Alarm,
    ApiDefinition,
    ApiKeyAuthorizer,
    Cdn,
    Cors,
    Domain,
    Encryption,
    FunctionAuthorizer,
    FunctionDefinition,
    IamAuthorizer,
    JwtAuthorizer,
    Logging,
    Quota,
    RouteDefinition,
    Throttle,
    Tracing,
    define,
)
from multicloud.provider import Choice, Flavour, Level, Support
from multicloud.runtime.recorder import Api, Function

JWT = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])


def handler(request):
    return 1


def typed(request, limit: int = 1):
    return limit


AUTHORIZERS = {
    "authorizer.api_key": ApiKeyAuthorizer(keys={"partner": "partner-key"}),
    "authorizer.function": FunctionAuthorizer(handler),
    "authorizer.iam": IamAuthorizer(),
    "authorizer.jwt": JWT,
}
STATED = {
    **{feature: {"authorizer": authorizer} for feature, authorizer in AUTHORIZERS.items()},
    "scopes": {"scopes": ["read"]},
    "public": {"authorizer": PUBLIC},
    "cors": {"cors": Cors(allow_origins=["https://a.example"])},
    "throttle.api": {"throttle": Throttle(rate=1, burst=1)},
    "throttle.function": {"throttle": Throttle(rate=1, burst=1)},
    "throttle.route": {"throttle": Throttle(rate=1, burst=1)},
    "throttle.caller": {"throttle": Throttle(rate=1, burst=1, per="caller")},
    "throttle.address": {"throttle": Throttle(rate=1, burst=1, per="address")},
    "quota": {"quota": Quota(limit=10, period="day")},
    "validation": {"handler": typed},
    "cache_seconds": {"cache_seconds": 60},
    "cdn": {"cdn": Cdn()},
    "domain": {"domain": Domain("api.example.com")},
    "encryption": {"encryption": Encryption()},
    "logging": {"logging": Logging()},
    "tracing": {"tracing": Tracing()},
    "alarms": {"alarms": [Alarm("errors", 1)]},
}
EVERYWHERE = ("api", "function", "route")
LEVELS = {
    **dict.fromkeys(AUTHORIZERS, EVERYWHERE),
    **dict.fromkeys(("public", "throttle.caller", "throttle.address", "quota"), EVERYWHERE),
    **{f"throttle.{level}": (level,) for level in EVERYWHERE},
    **dict.fromkeys(("scopes", "validation", "cache_seconds"), ("route",)),
}
PLACES = [(feature, level) for feature in STATED for level in LEVELS.get(feature, ("api",))]


@attrs.frozen
class Cloud:
    """A provider whose only gateway realises what it is told to."""

    support: dict
    name: str = "cloud"

    @property
    def flavours(self):
        return (Flavour("other", "other", {}), Flavour("one", "the one", self.support))

    def flavour_of(self, definition):
        return Choice("one", "there is no better one")


def all_at(level, note=""):
    return {name: Support(level, note) for name in FEATURES}


def api_with(feature, level):
    value = dict(STATED[feature])
    called = value.pop("handler", handler)
    options = {"api": {}, "function": {}, "route": {}}
    if feature == "scopes":  # which a JwtAuthorizer grants
        options["api"] = {"authorizer": JWT}
    elif level != "api" and "authorizer" in value:  # what one part protects, all must state
        options["api"] = {"authorizer": PUBLIC}
    options[level] = {**options[level], **value}
    function = Function("part", **options["function"])
    function.get("/", **options["route"])(called)
    return define(Api("shop", functions=[function], **options["api"]))


def implied(feature, level):
    """Return what a definition that states a feature has to state beside it."""
    if feature == "scopes":
        return {"authorizer.jwt"}
    return {"public"} if level != "api" and feature in AUTHORIZERS else set()


def test_there_is_a_case_for_every_feature():
    assert list(STATED) == list(FEATURES)


@pytest.mark.parametrize(("feature", "level"), PLACES)
def test_a_feature_that_the_provider_refuses_is_told_wherever_it_is_stated(feature, level):
    support = {**all_at(Level.NATIVE), feature: Support(Level.REFUSED, f"no {feature} here")}
    with pytest.raises(DefinitionError) as caught:
        check_support(api_with(feature, level), Cloud(support))
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"api shop: {feature}: expected a feature that cloud realises, got one that it refuses; no {feature} here"
    )


@pytest.mark.parametrize("level", [Level.NATIVE, Level.EMULATED])
def test_a_feature_that_the_provider_realises_passes(level):
    for feature, stated_on in PLACES:
        check_support(api_with(feature, stated_on), Cloud(all_at(level)))


@pytest.mark.parametrize(("feature", "level"), PLACES)
def test_what_is_not_used_is_not_asked_for(feature, level):
    assert {*used_features(api_with(feature, level))} == {feature} | implied(feature, level)


def test_a_plain_api_uses_no_feature():
    api = Api("shop")
    api.get("/")(handler)
    assert used_features(define(api)) == ()
    check_support(define(api), Cloud(all_at(Level.REFUSED, "no")))


def test_every_refused_feature_is_told_at_once():
    api = Api(
        "shop", authorizer=list(AUTHORIZERS.values()), cors=STATED["cors"]["cors"], cdn=Cdn(), quota=Quota(1, "day")
    )
    api.get("/", cache_seconds=60, authorizer=PUBLIC, throttle=Throttle(1, 1, per="address"))(handler)
    api.get("/private", scopes=["read"])(typed)
    definition = define(api)
    with pytest.raises(DefinitionError) as caught:
        check_support(definition, Cloud(all_at(Level.REFUSED, "no")))
    assert [problem.place for problem in caught.value.problems] == [
        f"api shop: {feature}" for feature in used_features(definition)
    ]
    assert len(caught.value.problems) == 12


def test_the_table_of_the_flavour_that_the_definition_leads_to_decides():
    definition = api_with("cors", "api")
    explanation = explain(definition, Cloud({"cors": Support(Level.EMULATED, "slower")}))
    assert (explanation.provider, explanation.flavour.title) == ("cloud", "the one")
    assert explanation.why == "there is no better one"
    assert explanation.features == (("cors", Support(Level.EMULATED, "slower")),)
    assert explanation.refused == ()


def test_a_handler_that_is_named_counts_as_one_that_is_given():
    name = f"{__name__}:typed"
    route = RouteDefinition("GET", "/", name)
    assert used_features(ApiDefinition("shop", [FunctionDefinition("part", routes=[route])])) == ("validation",)
