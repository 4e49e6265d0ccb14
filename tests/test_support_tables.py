"""The tables of what each gateway does: complete, in sentences, as documented; and what a definition leads to."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from multicloud.deploy.support import FEATURES
from multicloud.model import authorizers, define, policies
from multicloud.model.authorizers import PUBLIC, ApiKeyAuthorizer, IamAuthorizer, JwtAuthorizer
from multicloud.model.checks import Checked
from multicloud.model.policies import Cdn, Domain, Quota, Throttle
from multicloud.provider import Flavour, Level, load_provider, provider_entry_points
from multicloud.runtime.recorder import Api
from tests.deploy.test_support import STATED
from tests.support_page import BEGIN, END, PAGE, tables

PROVIDERS = list(provider_entry_points())
FLAVOURS = [(name, flavour) for name in PROVIDERS for flavour in load_provider(name).flavours]
KEYS = ApiKeyAuthorizer(keys={"partner": "partner-key"})
JWT = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])


@pytest.mark.parametrize(("name", "flavour"), FLAVOURS, ids=lambda value: getattr(value, "name", value))
def test_every_gateway_has_a_row_for_every_feature(name: str, flavour: Flavour) -> None:
    assert flavour.support.keys() == FEATURES.keys()
    for feature, support in flavour.support.items():
        assert support.level is Level.NATIVE or support.note, (
            f"{feature}: what does that weaken, or what is to be done?"
        )
        assert not support.note.endswith("."), feature
        assert "\n" not in support.note, feature


def test_no_policy_is_without_a_feature() -> None:
    """A class that is added to the model must be added to FEATURES, and so to every provider's tables."""
    classes = {
        cls.__name__
        for module in (policies, authorizers)
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, Checked) and cls.__module__ == module.__name__
    }
    stated = {
        type(one).__name__
        for values in STATED.values()
        for value in values.values()
        for one in (value if isinstance(value, list) else [value])
    }
    assert classes <= stated


@pytest.mark.parametrize("name", PROVIDERS)
def test_names_and_titles_of_gateways_are_their_own(name: str) -> None:
    flavours = load_provider(name).flavours
    assert len({flavour.name for flavour in flavours}) == len({flavour.title for flavour in flavours}) == len(flavours)


def test_the_documentation_shows_the_tables_as_they_are() -> None:
    """``python -m tests.support_page`` writes them."""
    text = PAGE.read_text("utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == f"\n{tables()}"


# Which gateway a definition leads to.


def api(**options: Any) -> Any:
    recorded = Api("shop", **options)
    recorded.get("/")(lambda: 1)
    return define(recorded)


def route(**options: Any) -> Any:
    recorded = Api("shop")
    recorded.get("/", **options)(lambda: 1)
    return define(recorded)


PER_CALLER = Throttle(1, 1, per="caller")
DEFINITIONS: list[tuple[str, Any, tuple[str, str, str]]] = [
    ("plain", api(), ("http-api", "function-app", "api-gateway")),
    ("jwt", api(authorizer=JWT), ("http-api", "function-app", "api-gateway")),
    ("keys", api(authorizer=KEYS), ("http-api", "function-app", "api-gateway")),
    ("public", api(authorizer=PUBLIC), ("http-api", "function-app", "api-gateway")),
    ("kept", route(cache_seconds=60), ("http-api", "function-app", "api-gateway")),
    ("quota", api(quota=Quota(1, "day")), ("http-api", "function-app", "api-gateway")),
    ("keys and quota", api(authorizer=KEYS, quota=Quota(1, "day")), ("rest-api", "api-management", "api-gateway")),
    ("keys and limit", api(authorizer=KEYS, throttle=PER_CALLER), ("rest-api", "api-management", "api-gateway")),
    ("tokens and limit", api(authorizer=JWT, throttle=PER_CALLER), ("http-api", "function-app", "api-gateway")),
    ("throttle", api(throttle=Throttle(1, 1)), ("http-api", "function-app", "load-balancer")),
    ("of a route", route(throttle=Throttle(1, 1)), ("http-api", "function-app", "load-balancer")),
    ("address", api(throttle=Throttle(1, 1, per="address")), ("http-api", "function-app", "load-balancer")),
    ("domain", api(domain=Domain("api.example.com")), ("http-api", "function-app", "load-balancer")),
    ("cdn", api(cdn=Cdn()), ("cloudfront", "front-door", "load-balancer")),
    ("all", api(cdn=Cdn(), authorizer=KEYS, quota=Quota(1, "day")), ("cloudfront", "front-door", "load-balancer")),
]


@pytest.mark.parametrize(
    ("definition", "expected"), [case[1:] for case in DEFINITIONS], ids=[case[0] for case in DEFINITIONS]
)
def test_which_gateway_a_definition_leads_to(definition: Any, expected: tuple[str, str, str]) -> None:
    chosen = [load_provider(name).flavour_of(definition) for name in ("aws", "azure", "gcp")]
    assert tuple(choice.flavour for choice in chosen) == expected
    assert all(choice.why for choice in chosen)
    assert load_provider("local").flavour_of(definition).flavour == "gateway"


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_gateway_that_is_chosen_exists_and_does_not_refuse_what_led_to_it(name: str) -> None:
    provider = load_provider(name)
    for _, definition, _ in DEFINITIONS:
        chosen = provider.flavour_of(definition).flavour
        (flavour,) = [one for one in provider.flavours if one.name == chosen]
        used = [feature for feature, is_used in FEATURES.items() if is_used(definition)]
        assert not [feature for feature in used if flavour.support[feature].level is Level.REFUSED]


def test_signed_requests_do_not_pass_cloudfront() -> None:
    definition = api(authorizer=IamAuthorizer(), cdn=Cdn())
    aws = load_provider("aws")
    tables = {flavour.name: flavour.support for flavour in aws.flavours}
    assert tables[aws.flavour_of(definition).flavour]["authorizer.iam"].level is Level.REFUSED
    assert tables[aws.flavour_of(api(authorizer=IamAuthorizer())).flavour]["authorizer.iam"].level is Level.NATIVE
