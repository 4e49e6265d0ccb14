from __future__ import annotations

import pytest

from multicloud.model import PUBLIC, ApiKeyAuthorizer, FunctionAuthorizer, IamAuthorizer, JwtAuthorizer, RouteDefinition
from tests.model.problems import places_of, problems_of


def handler(request):
    return None


JWT = JwtAuthorizer("https://id.example.com/", ["shop"])


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example.com",
        "id.example.com",
        "https://",
        "ftp://a.example",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://u:p@a.example",
        "https://a example",
        "http://127.0.0.1.example.com",
        "https://a.example:x",
        None,
        5,
        "",
    ],
)
def test_an_issuer_is_an_https_url(issuer):
    assert places_of(lambda: JwtAuthorizer(issuer, ["a"])) == ["JwtAuthorizer: issuer"]


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "http://localhost:9000/realm", "http://[::1]:9000"])
def test_a_loopback_issuer_may_be_plain_http(issuer):
    assert JwtAuthorizer(issuer, ["a"]).issuer == issuer


def test_a_password_in_a_url_is_not_shown():
    (problem,) = problems_of(lambda: JwtAuthorizer("https://u:hunter2@a.example", ["a"]))
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "HS384", "hs512", "rs256", "", None])
def test_algorithms_that_the_public_key_could_sign_with_are_refused(algorithm):
    (problem,) = problems_of(lambda: JwtAuthorizer("https://a.example", ["a"], algorithms=["RS256", algorithm]))
    assert problem.place == "JwtAuthorizer: algorithms[1]"
    assert problem.hint or not algorithm


def test_a_jwt_authorizer_reports_every_wrong_field():
    assert places_of(lambda: JwtAuthorizer("x", [], "http://keys.example", [], 61)) == [
        "JwtAuthorizer: issuer",
        "JwtAuthorizer: audience",
        "JwtAuthorizer: jwks_url",
        "JwtAuthorizer: algorithms",
        "JwtAuthorizer: leeway_seconds",
    ]


def test_an_audience_given_as_one_string_is_refused():
    assert problems_of(lambda: JwtAuthorizer("https://a.example", "shop"))[0].hint == "write ['shop']"


def test_a_key_set_url_may_have_a_query():
    assert JwtAuthorizer("https://a.example", ["a"], jwks_url="https://a.example/keys?p=1").jwks_url


def test_api_keys_are_references_to_secrets_of_their_own():
    assert places_of(lambda: ApiKeyAuthorizer({})) == ["ApiKeyAuthorizer: keys"]
    assert places_of(lambda: ApiKeyAuthorizer({"a": "s", "b": "s"})) == ["ApiKeyAuthorizer: keys"]
    assert places_of(lambda: ApiKeyAuthorizer({"a b": "x", "c": "no secret"})) == [
        "ApiKeyAuthorizer: keys[a b]",
        "ApiKeyAuthorizer: keys[c]",
    ]
    assert ApiKeyAuthorizer({"partner": "shop/partner"}, header="X-Partner-Key").header == "x-partner-key"


def test_the_keys_of_an_authorizer_cannot_be_changed():
    given = {"partner": "shop/partner"}
    authorizer = ApiKeyAuthorizer(given)
    given["other"] = "shop/other"
    assert dict(authorizer.keys) == {"partner": "shop/partner"}
    with pytest.raises(TypeError):
        authorizer.keys["x"] = "y"  # type: ignore[index]


def test_a_function_authorizer_names_a_callable_and_the_headers_it_decides_by():
    assert FunctionAuthorizer("auth:check", ["Authorization", "X-Tenant"]).identity_headers == (
        "authorization",
        "x-tenant",
    )
    assert places_of(lambda: FunctionAuthorizer(5, [], 3601)) == [
        "FunctionAuthorizer: handler",
        "FunctionAuthorizer: identity_headers",
        "FunctionAuthorizer: cache_seconds",
    ]
    assert places_of(lambda: FunctionAuthorizer("no colon", "authorization")) == [
        "FunctionAuthorizer: handler",
        "FunctionAuthorizer: identity_headers",
    ]


def test_one_authorizer_becomes_a_tuple_and_none_stays_none():
    assert RouteDefinition("GET", "/", handler, authorizer=JWT).authorizer == (JWT,)
    assert RouteDefinition("GET", "/", handler, authorizer=PUBLIC).authorizer == (PUBLIC,)
    assert RouteDefinition("GET", "/", handler).authorizer is None


def test_alternatives_are_kept_in_their_order():
    key = ApiKeyAuthorizer({"a": "s"})
    assert RouteDefinition("GET", "/", handler, authorizer=[key, JWT, IamAuthorizer()]).authorizer == (
        key,
        JWT,
        IamAuthorizer(),
    )


@pytest.mark.parametrize(
    ("authorizer", "place"),
    [
        ([], ""),
        ([PUBLIC, JWT], ""),
        ("jwt", ""),
        (5, ""),
        (JwtAuthorizer, ""),
        ([JWT, None], "[1]"),
        ([JWT, JwtAuthorizer("https://id.example.com/", ["other"])], "[1]"),
        ([ApiKeyAuthorizer({"a": "s"}), ApiKeyAuthorizer({"b": "t"})], "[1]"),
    ],
)
def test_alternatives_that_a_request_cannot_be_told_to_mean_are_refused(authorizer, place):
    assert places_of(lambda: RouteDefinition("GET", "/", handler, authorizer=authorizer)) == [
        f"route GET /: authorizer{place}"
    ]
