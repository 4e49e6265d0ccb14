from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from multicloud.errors import DefinitionError
from multicloud.model import (
    PUBLIC,
    ApiDefinition,
    ApiKeyAuthorizer,
    Domain,
    FunctionAuthorizer,
    FunctionDefinition,
    IamAuthorizer,
    JwtAuthorizer,
    RouteDefinition,
)
from multicloud.model.openapi import from_openapi, load_openapi, to_openapi
from tests.model.problems import places_of, problems_of

JWT = JwtAuthorizer("https://id.example.com", ["shop"])
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pet Store (v2)", "version": "2.1", "description": "Pets."},
    "tags": [{"name": "order", "x-multicloud-function": "orders"}],
    "paths": {
        "/pets/{pet-id}": {
            "parameters": [{"name": "pet-id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "pets.read",
                "summary": "Read a pet",
                "description": "One pet.",
                "tags": ["pet"],
                "deprecated": True,
                "x-multicloud-handler": "pets:read",
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/orders": {"$ref": "#/components/pathItems/Orders"},
        "/files/{path}": {
            "x-multicloud-greedy": True,
            "get": {"x-multicloud-handler": "files:read", "x-multicloud-function": "files", "responses": {}},
        },
        "/caf%C3%A9": {"get": {"x-multicloud-handler": "cafe:read", "responses": {}}},
    },
    "components": {
        "pathItems": {
            "Orders": {
                "post": {"x-multicloud-handler": "orders:Orders.create", "tags": ["order"], "responses": {}},
                "get": {"x-multicloud-handler": "orders:Orders.find", "tags": ["order"], "responses": {}},
            }
        },
        "securitySchemes": {
            "oidc": {
                "type": "openIdConnect",
                "openIdConnectUrl": "https://id.example.com/.well-known/openid-configuration",
                "x-multicloud-authorizer": {"audience": ["shop"]},
            },
            "key": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Key",
                "x-multicloud-authorizer": {"keys": {"partner": "shop/partner"}},
            },
        },
    },
}


def document(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), **changes}


def operation(**changes: Any) -> dict[str, Any]:
    return document(paths={"/a": {"get": {"x-multicloud-handler": "app:a", **changes}}})


def test_a_document_becomes_a_definition():
    definition = from_openapi(DOCUMENT)
    assert (definition.name, definition.version, definition.description) == ("pet-store-v2", "2.1", "Pets.")
    assert [(function.name, route.method, route.path, route.handler) for function, route in definition.routes] == [
        ("pet-store-v2", "GET", "/pets/{pet_id}", "pets:read"),
        ("pet-store-v2", "GET", "/café", "cafe:read"),
        ("orders", "POST", "/orders", "orders:Orders.create"),
        ("orders", "GET", "/orders", "orders:Orders.find"),
        ("files", "GET", "/files/{path+}", "files:read"),
    ]
    route = definition.routes[0][1]
    assert (route.operation_id, route.summary, route.description) == ("pets.read", "Read a pet", "One pet.")
    assert (route.tags, route.deprecated) == (("pet",), True)
    assert definition.recorder is None


def test_operations_without_an_id_bear_their_handlers_names():
    assert [route.operation_id for _, route in from_openapi(DOCUMENT).routes] == [
        "pets.read",
        "read",
        "create",
        "find",
        "read_get",
    ]


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3", "3.1.0", "3.1.1"])
def test_versions_3_0_and_3_1_are_read(version):
    assert from_openapi(document(openapi=version))


@pytest.mark.parametrize("version", ["2.0", "3.2.0", "3.1", 3.1, None])
def test_other_versions_are_refused(version):
    assert places_of(lambda: from_openapi(document(openapi=version))) == ["#/openapi"]


def test_the_name_can_be_stated():
    assert from_openapi(document(info={"title": "Läden & Co", "x-multicloud-name": "shop"})).name == "shop"


def test_security_becomes_authorizers_and_scopes():
    paths = {
        "/inherits": {"get": {"x-multicloud-handler": "app:a"}},
        "/open": {"get": {"x-multicloud-handler": "app:b", "security": []}},
        "/either": {"get": {"x-multicloud-handler": "app:c", "security": [{"oidc": ["w"]}, {"key": ["w"]}]}},
    }
    definition = from_openapi(document(paths=paths, security=[{"oidc": ["r"]}]))
    inherits, opened, either = (route for _, route in definition.routes)
    assert definition.authorizer == (JWT,)
    assert (inherits.authorizer, inherits.scopes) == (None, ("r",))
    assert (opened.authorizer, opened.scopes) == ((PUBLIC,), ())
    key = ApiKeyAuthorizer({"partner": "shop/partner"}, header="x-key")
    assert (either.authorizer, either.scopes) == ((JWT, key), ("w",))


@pytest.mark.parametrize(
    ("security", "place"),
    [
        ([{"oidc": [], "key": []}], "security/0"),
        ([{"nobody": []}], "security/0/nobody"),
        ([{"oidc": ["a"]}, {"key": ["b"]}], "security"),
        ([{}, {"oidc": []}], "(route GET /a: authorizer)"),
        ({"oidc": []}, "security"),
        ([5], "security/0"),
        (None, "security"),
        ([{"oidc": None}], "security/0/oidc"),
    ],
)
def test_security_that_cannot_be_kept_is_refused_and_never_taken_for_public(security, place):
    assert any(place in found for found in places_of(lambda: from_openapi(operation(security=security))))


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "http", "scheme": "basic"},
        {"type": "apiKey", "in": "query", "name": "key"},
        {"type": "mutualTLS"},
        {"type": "http", "scheme": "bearer"},
        {"type": "apiKey", "in": "header", "name": "x-key"},
        {
            "type": "http",
            "scheme": "bearer",
            "x-multicloud-authorizer": {"issuer": "http://a.example", "audience": ["a"]},
        },
        {
            "type": "http",
            "scheme": "bearer",
            "x-multicloud-authorizer": {"isuer": "https://a.example", "audience": ["a"]},
        },
    ],
)
def test_a_security_scheme_that_says_too_little_is_refused(scheme):
    changed = operation(security=[{"s": []}])
    changed["components"] = {"securitySchemes": {"s": scheme}}
    for place in places_of(lambda: from_openapi(changed)):
        assert place.startswith("#/components/securitySchemes/s")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"x-multicloud-handler": None}, "#/paths/~1a/get/x-multicloud-handler"),
        ({"x-multicloud-handler": "app"}, "#/paths/~1a/get (route GET /a: handler)"),
        ({"operationId": "a b"}, "#/paths/~1a/get (route GET /a: operation_id)"),
        ({"operationId": 5}, "#/paths/~1a/get/operationId"),
        ({"deprecated": "yes"}, "#/paths/~1a/get (route GET /a: deprecated)"),
        ({"tags": "pets"}, "#/paths/~1a/get/tags"),
        ({"x-multicloud-functon": "a"}, "#/paths/~1a/get: x-multicloud-functon"),
        ({"parameters": [{"name": "b", "in": "path"}]}, "#/paths/~1a/get/parameters/0/name"),
    ],
)
def test_a_problem_is_placed_by_its_json_pointer(change, place):
    assert place in places_of(lambda: from_openapi(operation(**change)))


@pytest.mark.parametrize(
    ("key", "item", "place"),
    [
        ("/a{b}", {}, "#/paths/~1a{b}/get (route GET /a{b}: path)"),
        ("/%ff", {}, "#/paths/~1%ff"),
        ("/a%2Fb", {}, "#/paths/~1a%2Fb"),
        ("/a~b", {"trace": {}}, "#/paths/~1a~0b: trace"),
        ("/a", {"gett": {}}, "#/paths/~1a: gett"),
        ("/a", {"x-multicloud-greedy": True}, "#/paths/~1a/x-multicloud-greedy"),
        ("/{a}", {"x-multicloud-greedy": "yes"}, "#/paths/~1{a}/x-multicloud-greedy"),
        ("/a", {"$ref": "#/paths/~1a"}, "#/paths/~1a"),
    ],
)
def test_a_path_that_cannot_be_kept_is_refused(key, item, place):
    paths = {key: {"get": {"x-multicloud-handler": "app:a"}, **item}}
    assert place in places_of(lambda: from_openapi(document(paths=paths)))


@pytest.mark.parametrize("target", ["other.yaml#/a", "#/components/pathItems/Nothing", "#/paths/~1x", 5])
def test_a_reference_that_leads_nowhere_is_refused(target):
    assert "#/paths/~1x/$ref" in places_of(lambda: from_openapi(document(paths={"/x": {"$ref": target}})))


def test_a_parameter_style_that_the_router_does_not_read_is_refused():
    parameter = {"name": "id", "in": "path", "style": "matrix"}
    paths = {"/{id}": {"parameters": [parameter], "get": {"x-multicloud-handler": "app:a"}}}
    assert places_of(lambda: from_openapi(document(paths=paths))) == ["#/paths/~1{id}/parameters/0/style"]


@pytest.mark.parametrize("wrong", [None, 5, "text", [], {}, {"openapi": "3.1.0", "info": [], "paths": []}])
def test_what_is_no_document_is_refused(wrong):
    assert problems_of(lambda: from_openapi(wrong))


def test_problems_of_all_parts_are_reported_together():
    changed = operation(operationId="a b", security=[{"nobody": []}])
    changed["info"] = {"title": ""}
    places = places_of(lambda: from_openapi(changed))
    assert {place.split("/")[1].split(" ")[0] for place in places} == {"paths", "info"}


@pytest.mark.parametrize("name", ["shop.json", "shop.yaml", "shop.yml"])
def test_a_file_in_json_or_yaml_is_read(tmp_path, name):
    path = tmp_path / name
    path.write_text(
        json.dumps(DOCUMENT) if name.endswith("json") else yaml.safe_dump(DOCUMENT, sort_keys=False), encoding="utf-8"
    )
    assert load_openapi(path) == from_openapi(DOCUMENT)


def test_a_problem_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump(operation(operationId=5)), encoding="utf-8")
    assert places_of(lambda: load_openapi(path)) == ["shop.yaml#/paths/~1a/get/operationId"]


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"!!python/object:os.system {}", b"a: b: c", None])
def test_a_file_that_cannot_be_read_is_one_problem_and_no_traceback(tmp_path, content):
    path = tmp_path / "shop.yaml"
    if content is not None:
        path.write_bytes(content)
    assert places_of(lambda: load_openapi(path)) == ["shop.yaml"]


def read(request, order_id):
    """Read an order.

    Further text.
    """


def everything() -> ApiDefinition:
    orders = FunctionDefinition(
        "orders",
        routes=[
            RouteDefinition("GET", "/orders/{order_id}", read, scopes=["orders:read"], tags=["public", "orders"]),
            RouteDefinition("POST", "/orders", "app:create", summary="Create", description="Long.", deprecated=True),
            RouteDefinition("GET", "/files/{rest+}", "app:files", authorizer=PUBLIC),
            RouteDefinition("GET", "/files/{rest}", "app:one_file", authorizer=ApiKeyAuthorizer({"a": "shop/key"})),
            RouteDefinition("GET", "/café au lait/", "app:cafe", authorizer=[JWT, IamAuthorizer()]),
            RouteDefinition("OPTIONS", "/", "app:options", authorizer=FunctionAuthorizer("app:check")),
        ],
    )
    return ApiDefinition(
        "shop", [orders], authorizer=JWT, description="A shop.", version="3.0", domain=Domain("api.example.com")
    )


def test_the_written_document_is_valid_openapi():
    validate(to_openapi(everything()))
    validate(to_openapi(from_openapi(DOCUMENT)))


def test_the_written_document_says_what_the_gateway_promises():
    written = to_openapi(everything())
    assert written["openapi"] == "3.1.0"
    assert written["info"] == {"title": "shop", "version": "3.0", "description": "A shop."}
    assert written["servers"] == [{"url": "https://api.example.com"}]
    assert list(written["paths"]) == [
        "/orders/{order_id}",
        "/orders",
        "/files/{rest_}",
        "/files/{rest}",
        "/caf%C3%A9%20au%20lait/",
        "/",
    ]
    item = written["paths"]["/orders/{order_id}"]
    assert item["parameters"][0]["name"] == "order_id"
    assert item["get"]["operationId"] == "read"
    assert item["get"]["summary"] == "Read an order."
    assert item["get"]["tags"] == ["orders", "public"]
    assert item["get"]["security"] == [{"Jwt": ["orders:read"]}]
    assert "default" in item["get"]["responses"]
    assert written["paths"]["/orders"]["post"]["deprecated"] is True
    assert written["paths"]["/orders"]["post"]["description"] == "Long."


def test_a_greedy_parameter_is_written_as_a_plain_one_and_marked():
    paths = to_openapi(everything())["paths"]
    assert paths["/files/{rest_}"]["x-multicloud-greedy"] is True
    assert paths["/files/{rest_}"]["parameters"][0]["name"] == "rest_"
    assert "x-multicloud-greedy" not in paths["/files/{rest}"]


def test_a_public_route_has_no_security_and_alternatives_are_listed():
    paths = to_openapi(everything())["paths"]
    assert "security" not in paths["/files/{rest_}"]["get"]
    assert paths["/caf%C3%A9%20au%20lait/"]["get"]["security"] == [{"Jwt": []}, {"Iam": []}]


def test_the_written_document_names_no_secret_and_no_handler():
    written = json.dumps(to_openapi(everything()))
    assert "shop/key" not in written
    assert "app:" not in written


def test_two_authorizers_of_a_kind_are_two_schemes():
    other = JwtAuthorizer("https://other.example.com", ["shop"])
    routes = [RouteDefinition("GET", f"/{i}", f"app:h{i}", authorizer=item) for i, item in enumerate([JWT, other, JWT])]
    written = to_openapi(ApiDefinition("shop", [FunctionDefinition("shop", routes=routes)]))
    assert list(written["components"]["securitySchemes"]) == ["Jwt", "Jwt2"]
    assert [list(item["get"]["security"][0]) for item in written["paths"].values()] == [["Jwt"], ["Jwt2"], ["Jwt"]]


def test_a_written_document_is_plain_data():
    written = to_openapi(everything())
    assert json.loads(json.dumps(written)) == written
    assert to_openapi(everything()) == written


def test_what_is_written_is_read_again_with_the_same_paths():
    definition = from_openapi(DOCUMENT)
    written = to_openapi(definition)
    for item in written["paths"].values():
        for method in ("get", "post"):
            if method in item:
                item[method]["x-multicloud-handler"] = "app:handler"
    again = from_openapi(written)
    assert {(route.method, route.path, route.operation_id) for _, route in again.routes} == {
        (route.method, route.path, route.operation_id) for _, route in definition.routes
    }


def steps_of(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield steps
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from steps_of(child, (*steps, key))


@pytest.mark.parametrize("steps", list(steps_of(DOCUMENT))[1:], ids=lambda steps: "/".join(map(str, steps)))
def test_nothing_at_any_place_of_a_document_can_end_in_a_traceback(steps):
    for junk in (None, 5, True, "x", "", [], {}, [5], [[]], {"$ref": 5}, {5: 5}, {"a": []}):
        changed = document(security=[{"oidc": ["r"]}, {"key": ["r"]}])
        *parents, last = steps
        place = changed
        for step in parents:
            place = place[step]
        place[last] = junk
        with contextlib.suppress(DefinitionError):
            from_openapi(changed)
