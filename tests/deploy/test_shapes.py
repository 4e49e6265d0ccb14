"""Typed handlers in an entry module: literals that need no annotation, classes by their names."""

from __future__ import annotations

import ast
import json

import pytest

from multicloud.deploy.assembly import unused_modules
from multicloud.deploy.entry import compile_application, render
from multicloud.deploy.shapes import TYPED_MODULES
from multicloud.errors import DefinitionError
from multicloud.model import define
from multicloud.provider import load_provider
from multicloud.runtime.recorder import Api
from tests.deploy.written import modules

SHAPES = """
import dataclasses, enum
from typing import Literal, TypedDict

class Colour(enum.Enum):
    RED = "red"

@dataclasses.dataclass
class Order:
    lines: list[str]
    colour: Colour = Colour.RED
    parent: "Order | None" = None

class Address(TypedDict):
    city: str
"""
APP = """
from multicloud import Api
from shapes import Address, Colour, Order
from typing import Literal
from uuid import UUID

api = Api("shop")

@api.post("/orders/{order_id}")
def create(order_id: UUID, order: Order, colour: Colour | None = None, sort: Literal["up", 3] = "up") -> Order:
    return order

@api.put("/addresses")
def move(address: list[Address], tag: list[Colour] = []) -> dict: return {"address": address, "tag": tag}

@api.get("/plain")
def plain(request): return "plain"
"""


@pytest.fixture
def shop(tmp_path):
    with modules(tmp_path, shapes=SHAPES, app=APP) as (_, app):
        yield define(app.api)


def compiled(definition, development=False):
    return compile_application(definition, definition.functions, provider="aws", stage="live", development=development)


def test_types_are_written_as_literals(shop):
    config, objects = compiled(shop)
    names = {number: value.__name__ for number, value in enumerate(objects)}
    assert ast.literal_eval(repr(config)) == config
    order, colour = (next(number for number, name in names.items() if name == one) for one in ("Order", "Colour"))
    create, move, plain = config["routes"]
    assert create["typed"] == {
        "arguments": (
            ("order_id", "path", "uuid", True, False),
            ("order", "body", ("record", 0), True, False),
            ("colour", "query", ("enum", colour), False, False),
            ("sort", "query", ("literal", ("up", 3)), False, False),
        ),
        "returns": None,
    }
    assert move["typed"]["arguments"] == (
        ("address", "body", ("list", ("record", 1)), True, False),
        ("tag", "list", ("enum", colour), False, False),
    )
    assert "typed" not in plain
    assert config["records"] == (
        {
            "object": order,
            "fields": (
                ("lines", "lines", ("list", "str"), True),
                ("colour", "colour", ("enum", colour), False),
                ("parent", "parent", ("either", (("record", 0), "none")), False),
            ),
        },
        {"object": None, "fields": (("city", "city", "str", True),)},
    )


def test_answers_are_checked_in_development_alone(shop):
    assert compiled(shop)[0]["routes"][0]["typed"]["returns"] is None
    config, _ = compiled(shop, development=True)
    assert config["routes"][0]["typed"]["returns"] == ("record", 0)
    assert config["routes"][1]["typed"]["returns"] is None


def ask(definition, method, path, body):
    files = render(definition, definition.functions[0], load_provider("aws"), "live", event_loop=False)
    namespace: dict = {}
    exec(compile(files["multicloud_entry.py"], "multicloud_entry.py", "exec"), namespace)
    event = {
        "rawPath": path,
        "requestContext": {"http": {"method": method}, "stage": "$default"},
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
    }
    result = namespace["handler"](event, None)
    return result["statusCode"], json.loads(result["body"])


def test_a_rendered_function_converts_with_the_user_s_own_classes(shop):
    path = "/orders/12345678-1234-5678-9abc-1234567890ab"
    order = {"lines": ["a"], "colour": "red", "parent": {"lines": [], "colour": "red", "parent": None}}
    assert ask(shop, "POST", path, order) == (200, order)
    status, problem = ask(shop, "POST", path, {"lines": [1]})
    assert (status, problem["errors"]) == (
        422,
        [{"pointer": "/body/lines/0", "detail": "expected a string, got a number"}],
    )
    assert ask(shop, "PUT", "/addresses", [{"city": "Bern"}]) == (200, {"address": [{"city": "Bern"}], "tag": []})


def test_a_class_that_cannot_be_imported_is_told(tmp_path):
    source = APP.replace("from shapes import Address, Colour, Order", "from shapes import Address, Colour")
    local = """
def made():
    import dataclasses
    @dataclasses.dataclass
    class Order:
        lines: list[str]
    return Order
"""
    source = source.replace('api = Api("shop")', f'{local}\nglobals()["Order"] = made()\napi = Api("shop")')
    source += "\ncreate.__annotations__['order'] = create.__annotations__['return'] = made()\n"
    with modules(tmp_path, shapes=SHAPES, app=source) as (_, app):
        definition = define(app.api)
        with pytest.raises(DefinitionError) as caught:
            render(definition, definition.functions[0], load_provider("aws"), "live", event_loop=False)
    (problem,) = caught.value.problems
    assert problem.place == "class made.<locals>.Order of a typed handler"
    assert problem.expected == "something that can be imported by name"
    assert problem.hint == "define it at the top level of a module and give it a name of its own"


def test_what_converts_ships_with_typed_handlers_alone(shop):
    typed = {f"multicloud/runtime/{name}.py" for name in TYPED_MODULES}
    assert not typed & unused_modules(shop, shop.functions[0])
    api = Api("plain")
    api.get("/plain")(test_an_untyped_api_has_no_records)
    plain = define(api)
    assert typed <= unused_modules(plain, plain.functions[0])


def test_an_untyped_api_has_no_records():
    api = Api("plain")
    api.get("/")(test_an_untyped_api_has_no_records)
    assert "records" not in compiled(define(api))[0]
