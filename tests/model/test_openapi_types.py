"""What the OpenAPI document says of typed handlers: each kind of type as a schema, and where it stands."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

import attrs
import pydantic
import pytest
from openapi_spec_validator import validate

from multicloud import Api, ApiKeyAuthorizer, JwtAuthorizer, Quota, Request, Response, Throttle
from multicloud.model import define
from multicloud.model.openapi import to_openapi
from multicloud.model.openapi_schemas import SchemaWriter
from multicloud.model.shapes import read_shape


class Colour(enum.Enum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@attrs.frozen
class Line:
    """One line.

    Of an order.
    """

    sku: str = attrs.field(
        validator=[attrs.validators.min_len(2), attrs.validators.max_len(9)],
        metadata={"description": "Which.", "examples": ["A-1"]},
    )
    quantity: int = attrs.field(
        default=1, validator=attrs.validators.and_(attrs.validators.ge(1), attrs.validators.lt(100))
    )
    share: float | None = attrs.field(
        default=None, validator=attrs.validators.optional([attrs.validators.gt(0), attrs.validators.le(0.5)])
    )
    tags: list[str] = attrs.field(factory=list, validator=attrs.validators.max_len(3))
    names: dict[str, int] = attrs.field(factory=dict, validator=attrs.validators.min_len(0))
    since: date = date(2024, 1, 2)


@dataclasses.dataclass
class Tree:
    left: Tree | None = None
    note: str = dataclasses.field(default="", metadata={"description": "A remark."})


class Address(TypedDict, total=False):
    city: str


class Inner(pydantic.BaseModel):
    x: Annotated[int, pydantic.Field(ge=1)]


class Outer(pydantic.BaseModel):
    inner: Inner
    again: Outer | None = None


class Problem(TypedDict):
    mine: str


def schema(annotation: Any):
    components: dict[str, Any] = {}
    return SchemaWriter(components).write(read_shape(annotation)), components


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (UUID, {"type": "string", "format": "uuid"}),
        (date, {"type": "string", "format": "date"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1, True, None], {"type": ["string", "integer", "boolean", "null"], "enum": ["a", 1, True, None]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ],
)
def test_a_type_is_a_schema(annotation, expected):
    assert schema(annotation) == (expected, {})


def test_a_decimal_is_text_that_is_a_number():
    found, _ = schema(Decimal)
    assert (found["type"], sorted(found)) == ("string", ["pattern", "type"])


def test_a_class_is_a_component_with_what_its_author_says_of_it():
    reference, components = schema(list[Line])
    assert reference == {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}
    assert components == {
        "Line": {
            "type": "object",
            "description": "One line.\n\nOf an order.",
            "properties": {
                "sku": {
                    "type": "string",
                    "minLength": 2,
                    "maxLength": 9,
                    "description": "Which.",
                    "examples": ["A-1"],
                },
                "quantity": {"type": "integer", "minimum": 1, "exclusiveMaximum": 100, "default": 1},
                "share": {
                    "anyOf": [{"type": "number"}, {"type": "null"}],
                    "exclusiveMinimum": 0,
                    "maximum": 0.5,
                    "default": None,
                },
                "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                "names": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 0},
                "since": {"type": "string", "format": "date", "default": "2024-01-02"},
            },
            "required": ["sku"],
        }
    }


def test_a_class_that_holds_itself_refers_to_itself():
    assert schema(Tree)[1] == {
        "Tree": {
            "type": "object",
            "properties": {
                "left": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}], "default": None},
                "note": {"type": "string", "description": "A remark.", "default": ""},
            },
        }
    }


def test_enums_and_typed_dicts_are_components():
    assert schema(Colour) == (
        {"$ref": "#/components/schemas/Colour"},
        {"Colour": {"type": "string", "enum": ["red", "blue"], "description": "What it looks like."}},
    )
    assert schema(Level)[1] == {"Level": {"type": "integer", "enum": [1, 2]}}
    assert schema(Address)[1] == {"Address": {"type": "object", "properties": {"city": {"type": "string"}}}}


def test_pydantic_writes_its_own_schemas_under_its_model_s_name():
    _, components = schema(Outer)
    assert list(components) == ["Outer", "Outer.Inner", "Outer.Outer"]
    assert components["Outer.Inner"]["properties"]["x"]["minimum"] == 1


def test_two_classes_of_a_name_are_two_components():
    first = dataclasses.make_dataclass("Same", [("a", int)])
    second = dataclasses.make_dataclass("Same", [("b", int)])
    components: dict[str, Any] = {}
    writer = SchemaWriter(components)
    names = [writer.write(read_shape(cls))["$ref"].rpartition("/")[2] for cls in (first, second, first)]
    assert names == ["Same", "Same2", "Same"]
    assert list(components["Same2"]["properties"]) == ["b"]


api = Api(
    "shop",
    authorizer=[JwtAuthorizer("https://id.example.com/", ["shop"]), ApiKeyAuthorizer({"a": "shop/key"})],
    throttle=Throttle(rate=1, burst=1),
)


@api.post("/orders/{order_id}", scopes=["orders:write"])
def create(
    request: Request,
    order_id: UUID,
    lines: list[Line],
    page: int = 1,
    since: date | None = None,
    tag: list[Colour] = [Colour.RED],  # noqa: B006 - never changed
    *,
    sort: Literal["up", "down"],
) -> Line: ...


@api.get("/files/{path+}")
def files(path: Colour) -> tuple[list[Line], int]: ...


@api.get("/files/{path}")
def file(path: Level) -> Line | Response | None: ...


@api.get("/text")
def text() -> str: ...


@api.get("/nothing")
def nothing() -> None: ...


@api.post("/problem")
def problem(body: Problem | None = None): ...


@api.get("/plain")
def plain(request): ...


DOCUMENT = to_openapi(define(api))


def reference(name, kind="schemas"):
    return {"$ref": f"#/components/{kind}/{name}"}


def test_a_document_with_types_is_valid():
    validate(DOCUMENT)


def test_parameters_have_their_types_and_defaults():
    operation = DOCUMENT["paths"]["/orders/{order_id}"]["post"]
    assert operation["parameters"] == [
        {"name": "order_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
        {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}},
        {"name": "since", "in": "query", "schema": {"type": "string", "format": "date"}},
        {
            "name": "tag",
            "in": "query",
            "schema": {"type": "array", "items": reference("Colour"), "default": ["red"]},
        },
        {
            "name": "sort",
            "in": "query",
            "schema": {"type": "string", "enum": ["up", "down"]},
            "required": True,
        },
    ]
    assert operation["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"type": "array", "items": reference("Line")}}},
    }


def test_a_greedy_parameter_keeps_its_type_under_its_other_name():
    (parameter,) = DOCUMENT["paths"]["/files/{path_}"]["get"]["parameters"]
    assert (parameter["name"], parameter["schema"]) == ("path_", reference("Colour"))


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/orders/{order_id}", "post", ["200", "400", "401", "403", "413", "415", "422", "429", "default"]),
        ("/files/{path_}", "get", ["200", "2XX", "401", "422", "429", "default"]),
        ("/files/{path}", "get", ["200", "204", "2XX", "401", "422", "429", "default"]),
        ("/text", "get", ["200", "401", "429", "default"]),
        ("/nothing", "get", ["204", "401", "429", "default"]),
        ("/plain", "get", ["2XX", "401", "429", "default"]),
    ],
)
def test_the_answers_that_can_come_are_listed(path, method, statuses):
    assert list(DOCUMENT["paths"][path][method]["responses"]) == statuses


def test_answers_have_their_types():
    def content(path, method="get", status="200"):
        return DOCUMENT["paths"][path][method]["responses"][status]["content"]

    assert content("/orders/{order_id}", "post") == {"application/json": {"schema": reference("Line")}}
    assert content("/files/{path_}") == {"application/json": {"schema": {"type": "array", "items": reference("Line")}}}
    assert content("/files/{path}") == {"application/json": {"schema": reference("Line")}}
    assert content("/text") == {"text/plain; charset=utf-8": {"schema": {"type": "string"}}}


def test_errors_are_problem_documents_and_a_422_lists_faults():
    components = DOCUMENT["components"]
    responses = components["responses"]
    assert list(responses) == [
        "Problem",
        "BadRequest",
        "Unauthorized",
        "Forbidden",
        "ContentTooLarge",
        "UnsupportedMediaType",
        "UnprocessableContent",
        "TooManyRequests",
    ]
    assert {tuple(response["content"]) for response in responses.values()} == {("application/problem+json",)}
    faults = responses["UnprocessableContent"]["content"]["application/problem+json"]["schema"]
    assert faults == reference("Faults")
    assert components["schemas"]["Faults"]["allOf"] == [reference("Problem")]
    assert list(responses["TooManyRequests"]["headers"]) == ["Retry-After"]


def test_a_class_of_the_user_s_does_not_take_the_place_of_our_problem():
    assert DOCUMENT["paths"]["/problem"]["post"]["requestBody"] == {
        "required": False,
        "content": {"application/json": {"schema": {"anyOf": [reference("Problem2"), {"type": "null"}]}}},
    }
    assert "title" in DOCUMENT["components"]["schemas"]["Problem"]["properties"]


def test_a_quota_can_answer_429():
    counted = Api("counted", quota=Quota(limit=5, period="day"))
    counted.get("/")(plain)
    assert "429" in to_openapi(define(counted))["paths"]["/"]["get"]["responses"]


def test_schemes_say_where_a_token_comes_from_and_which_scopes_it_needs():
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes == {
        "Jwt": {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://id.example.com/.well-known/openid-configuration",
            "description": "A token of https://id.example.com/ for shop.",
        },
        "ApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }
    operation = DOCUMENT["paths"]["/orders/{order_id}"]["post"]
    assert operation["security"] == [{"Jwt": ["orders:write"]}, {"ApiKey": ["orders:write"]}]


def test_a_token_whose_keys_are_stated_is_a_bearer_token():
    stated = Api(
        "stated", authorizer=JwtAuthorizer("https://id.example.com/", ["s"], jwks_url="https://k.example.com/")
    )
    stated.get("/")(plain)
    document = to_openapi(define(stated))
    validate(document)
    assert document["components"]["securitySchemes"]["Jwt"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of https://id.example.com/ for s.",
    }
