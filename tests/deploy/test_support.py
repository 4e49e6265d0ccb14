from __future__ import annotations

import attrs
import pytest

from multicloud.deploy.support import FEATURES, check_support
from multicloud.errors import DefinitionError
from multicloud.model import PUBLIC, Cdn, Cors, JwtAuthorizer, Quota, Throttle, define
from multicloud.provider import Level, Support, load_provider
from multicloud.runtime.recorder import Api, Function

JWT = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])
STATED = {
    "authorizer": JWT,
    "cache_seconds": 60,
    "cdn": Cdn(),
    "cors": Cors(allow_origins=["https://a.example"]),
    "quota": Quota(limit=10, period="day"),
    "throttle": Throttle(rate=1, burst=1),
}


@attrs.frozen
class Cloud:
    """A provider that realises what it is told to."""

    support: dict
    name: str = "cloud"


def handler(request):
    return 1


def api_with(feature, level):
    value = {feature: STATED[feature]}
    function = Function("part", **(value if level == "function" else {}))
    function.get("/", **(value if level == "route" else {}))(handler)
    return define(Api("shop", functions=[function], **(value if level == "api" else {})))


PLACES = [
    *((feature, "api") for feature in FEATURES if feature != "cache_seconds"),
    *((feature, "function") for feature in ("authorizer", "quota", "throttle")),
    *((feature, "route") for feature in ("authorizer", "cache_seconds", "quota", "throttle")),
]


@pytest.mark.parametrize(("feature", "level"), PLACES)
def test_a_feature_that_the_provider_refuses_is_told_wherever_it_is_stated(feature, level):
    refused = {name: Support(Level.REFUSED, f"no {name} here") for name in FEATURES}
    with pytest.raises(DefinitionError) as caught:
        check_support(api_with(feature, level), Cloud(refused))
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"api shop: {feature}: expected a feature that cloud realises, got one that it refuses; no {feature} here"
    )


@pytest.mark.parametrize("level", [Level.NATIVE, Level.EMULATED])
def test_a_feature_that_the_provider_realises_passes(level):
    for feature, stated_on in PLACES:
        check_support(api_with(feature, stated_on), Cloud({name: Support(level) for name in FEATURES}))


def test_every_refused_feature_is_told_at_once():
    api = Api("shop", **{name: value for name, value in STATED.items() if name != "cache_seconds"})
    api.get("/", cache_seconds=60, authorizer=PUBLIC)(handler)
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
