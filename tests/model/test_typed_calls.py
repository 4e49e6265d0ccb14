"""What the annotations of a handler ask for, and every way in which one can ask for what no request holds."""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NewType, NotRequired, Optional, Protocol, TypedDict
from uuid import UUID

import attrs
import pydantic
import pytest

from multicloud import Request, Response
from multicloud.errors import DefinitionError
from multicloud.model import RouteDefinition, call_plan, parse_template
from multicloud.model.arguments import Argument
from multicloud.model.shapes import Choice, Either, ListOf, MapOf, Model, Record, Scalar, read_shape
from tests.model.problems import problems_of

if TYPE_CHECKING:
    from fractions import Fraction

TEMPLATE = parse_template("/items/{item_id}")
OrderId = NewType("OrderId", str)
NONE = Scalar("none")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Odd(enum.Enum):
    PAIR = (1, 2)


@attrs.frozen
class Line:
    sku: str = attrs.field(metadata={"description": "What it is.", "examples": ["A-1"]})
    quantity: int = 1
    _secret: str = ""
    made: list[str] = attrs.field(factory=list)
    computed: int = attrs.field(init=False, default=0)


@dataclasses.dataclass
class Order:
    lines: list[Line]
    parent: Order | None = None
    total: float = dataclasses.field(init=False, default=0.0)
    tags: list[str] = dataclasses.field(default_factory=list)


class Address(TypedDict):
    city: str
    street: NotRequired[str]


class Point(pydantic.BaseModel):
    x: int


class Loose(Protocol):
    anything: str


@dataclasses.dataclass
class Hidden:
    share: Fraction


@dataclasses.dataclass
class Initial:
    seed: dataclasses.InitVar[int]


@attrs.frozen
class Nested:
    when: timedelta


class Unknown: ...


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (str, Scalar("str")),
        (int, Scalar("int")),
        (float, Scalar("float")),
        (bool, Scalar("bool")),
        (UUID, Scalar("uuid")),
        (Decimal, Scalar("decimal")),
        (date, Scalar("date")),
        (datetime, Scalar("datetime")),
        (OrderId, Scalar("str")),
        (Any, Scalar("any")),
        (None, NONE),
        (Colour, Choice(("red", "blue"), Colour)),
        (Level, Choice((1,), Level)),
        (Literal["a", 2, True, None], Choice(("a", 2, True, None))),
        (list, ListOf(Scalar("any"))),
        (list[int], ListOf(Scalar("int"))),
        (Sequence[date], ListOf(Scalar("date"))),
        (dict, MapOf(Scalar("any"))),
        (Mapping[str, list[int]], MapOf(ListOf(Scalar("int")))),
        (Optional[int], Either((Scalar("int"), NONE))),  # noqa: UP045 - the older spelling is what is tested
        (int | str | None, Either((Scalar("int"), Scalar("str"), NONE))),
        (Point, Model(Point)),
    ],
)
def test_a_type_has_one_shape(annotation, shape):
    assert read_shape(annotation) == shape


def test_records_know_their_fields():
    line, order, address = read_shape(Line), read_shape(Order), read_shape(Address)
    assert isinstance(line, Record)
    assert isinstance(order, Record)
    assert isinstance(address, Record)
    assert [(field.name, field.argument, field.required) for field in line.fields] == [
        ("sku", "sku", True),
        ("quantity", "quantity", False),
        ("_secret", "secret", False),
        ("made", "made", False),
    ]
    assert (line.fields[0].description, line.fields[0].examples) == ("What it is.", ("A-1",))
    assert [(field.name, field.required) for field in order.fields] == [
        ("lines", True),
        ("parent", False),
        ("tags", False),
    ]
    assert [(field.name, field.required) for field in address.fields] == [("city", True), ("street", False)]
    assert address.is_mapping


def test_a_class_may_hold_itself():
    order = read_shape(Order)
    assert isinstance(order, Record)
    assert order.fields[1].shape == Either((order, NONE))


def test_parameters_are_filled_by_their_type():
    def handler(
        request: Request,
        item_id: int,
        order: Order,
        page: int = 1,
        since: date | None = None,
        tag: list[str] | None = None,
        untouched=5,
        *,
        colour: Colour,
    ): ...

    found = call_plan(handler, TEMPLATE).arguments
    assert [(one.name, one.source, one.required, one.has_default, one.default) for one in found] == [
        ("item_id", "path", True, False, None),
        ("order", "body", True, False, None),
        ("page", "query", False, True, 1),
        ("since", "query", False, True, None),
        ("tag", "query", False, True, None),
        ("colour", "query", True, False, None),
    ]


def untyped(request, item_id): ...
def text(request: Request, item_id: str) -> dict: ...
def text_as_alias(request: Request, item_id: OrderId) -> dict[str, Any]: ...
def says_nothing(request: Any, item_id: Any, other: object = None) -> list: ...
def no_annotation(request, item_id, limit=10): ...
def answers(request) -> Response: ...
def streams(request) -> "Iterator[bytes]": ...  # noqa: F821, UP037 - a name for type checkers alone


@pytest.mark.parametrize("handler", [untyped, text, text_as_alias, says_nothing, no_annotation, answers, streams])
def test_a_handler_without_types_that_matter_is_untyped(handler):
    plan = call_plan(handler, TEMPLATE)
    assert (plan.arguments, plan.wants_request) == ((), True)


class OwnRequest(Request): ...


def named_otherwise(event: Request): ...
def of_a_subclass(event: OwnRequest): ...
def of_a_protocol(event: Loose): ...
def of_a_strange_class(event: Unknown): ...
def for_checkers_alone(event: "elsewhere.Request"): ...  # noqa: F821, UP037
def unannotated(event): ...


@pytest.mark.parametrize(
    "handler",
    [named_otherwise, of_a_subclass, of_a_protocol, of_a_strange_class, for_checkers_alone, unannotated],
)
def test_a_first_parameter_that_no_request_holds_is_the_request(handler):
    plan = call_plan(handler, TEMPLATE)
    assert (plan.wants_request, plan.arguments) == (True, ())


@pytest.mark.parametrize(("annotation", "source"), [(Order, "body"), (dict, "body"), (str, "query"), (Point, "body")])
def test_a_first_parameter_that_a_request_holds_is_not_the_request(annotation, source):
    def handler(it): ...

    handler.__annotations__["it"] = annotation
    plan = call_plan(handler, TEMPLATE)
    assert (plan.wants_request, [one.source for one in plan.arguments]) == (False, [source])


@pytest.mark.parametrize(
    ("annotation", "source"),
    [
        (list[Order], "body"),
        (list, "body"),
        (dict[str, int], "body"),
        (Address, "body"),
        (Order | None, "body"),
        (Order | list[Order], "body"),
        (list[int], "query"),
        (list[Colour], "query"),
        (Literal["a"], "query"),
        (Colour | None, "query"),
    ],
)
def test_what_text_cannot_be_is_the_body(annotation, source):
    def handler(request, it): ...

    handler.__annotations__["it"] = annotation
    assert [one.source for one in call_plan(handler, TEMPLATE).arguments] == [source]


class Service:
    def method(self, item_id: int): ...
    def __call__(self, item_id: int): ...


def logged(handler):
    @functools.wraps(handler)
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


def paged(handler):
    @functools.wraps(handler, assigned=["__name__"])  # by default it takes the annotations of what it wraps
    def wrapper(request: Request, page: int = 1, **rest):
        return handler(request, **rest)

    return wrapper


def plain(item_id: int): ...
def inner(request, item_id: int, limit: int = 5): ...


@pytest.mark.parametrize(
    "handler", [plain, Service().method, Service(), functools.partial(plain), logged(plain), logged(logged(plain))]
)
def test_annotations_are_found_in_every_kind_of_callable(handler):
    assert call_plan(handler, TEMPLATE).arguments == (Argument("item_id", "path", Scalar("int"), True),)


def test_a_wrapper_s_own_parameters_join_those_it_passes_on():
    found = call_plan(paged(inner), TEMPLATE)
    assert [one.name for one in found.arguments] == ["page", "item_id", "limit"]
    assert found.parameters == ("item_id",)


@pytest.mark.parametrize(
    ("annotation", "shape", "varies"),
    [
        (list[int], ListOf(Scalar("int")), False),
        (tuple[list[int], int], ListOf(Scalar("int")), True),
        (list[int] | Response, ListOf(Scalar("int")), True),
        (list[int] | Response | None, Either((ListOf(Scalar("int")), NONE)), True),
        (Point, Model(Point), False),
        (dict, MapOf(Scalar("any")), False),
        (str, Scalar("str"), False),
        (bytes, None, True),
        (None, NONE, False),
        (Unknown, None, True),
        ("for_type_checkers.Alone", None, True),
    ],
)
def test_what_an_answer_promises_is_read_where_that_can_be(annotation, shape, varies):
    def handler(request): ...

    handler.__annotations__["return"] = annotation
    plan = call_plan(handler, TEMPLATE)
    assert (plan.returns, plan.varies) == (shape, varies)


KNOWN = (
    "known are str, int, float, bool, UUID, Decimal, date, datetime, an Enum, a Literal, a list or dict of these, "
    "an attrs class, a dataclass, a TypedDict, a pydantic model, or one of these and None"
)
AT_RUN_TIME = "import its names outside of TYPE_CHECKING and define its classes at the top level of a module"


@pytest.mark.parametrize(
    ("annotation", "expected", "got", "hint"),
    [
        (timedelta, "a type that 'it' can be converted to", "timedelta", KNOWN),
        (Nested, "a type that 'it' can be converted to", "Nested.when: timedelta", KNOWN),
        (list[Nested], "a type that 'it' can be converted to", "Nested.when: timedelta", KNOWN),
        (Odd, "a type that 'it' can be converted to", "Odd, whose values are not all str or int", KNOWN),
        (
            Literal[1, b"x"],
            "a type that 'it' can be converted to",
            "Literal[1, b'x'], whose values are not all str, int, bool or None",
            KNOWN,
        ),
        (
            dict[int, str],
            "a type that 'it' can be converted to",
            "dict[int, str], whose keys are not str",
            KNOWN,
        ),
        (
            int | float,
            "a type that 'it' can be converted to",
            "int | float, whose alternatives JSON does not tell apart",
            KNOWN,
        ),
        (
            Order | Point,
            "a type that 'it' can be converted to",
            "tests.model.test_typed_calls.Order | tests.model.test_typed_calls.Point, whose alternativ...",
            KNOWN,
        ),
        (
            Hidden,
            "a type that 'it' can be converted to",
            "Hidden, whose annotations cannot be resolved: name 'Fraction' is not defined",
            KNOWN,
        ),
        (
            Initial,
            "a type that 'it' can be converted to",
            "Initial.seed: InitVar, which no value could be read back from",
            KNOWN,
        ),
        ("Fraction", "an annotation of 'it' that has a meaning at run time", "'Fraction'", AT_RUN_TIME),
        ("1 +", "an annotation of 'it' that has a meaning at run time", "'1 +'", AT_RUN_TIME),
        (int | str, "a parameter 'it' that a request can fill", "int | str", ""),
        (None, "a parameter 'it' that a request can fill", "None", ""),
    ],
)
def test_what_no_request_can_be_converted_to_is_told(annotation, expected, got, hint):
    def handler(request, it=None): ...

    handler.__annotations__["it"] = annotation
    (problem,) = problems_of(lambda: call_plan(handler, TEMPLATE))
    place = "handler test_what_no_request_can_be_converted_to_is_told.<locals>.handler"
    if got.endswith("..."):
        assert problem.got.endswith("whose alternatives JSON does not tell apart")
    else:
        assert problem.got == got
    assert (problem.place, problem.expected, problem.hint) == (place, expected, hint)


def test_what_a_path_cannot_hold_is_told():
    def handler(request, item_id: list[int]): ...

    (problem,) = problems_of(lambda: call_plan(handler, TEMPLATE))
    assert (problem.expected, problem.got) == ("a type that text in a path can be for 'item_id'", "list[int]")


def test_positional_only_parameters_cannot_be_filled():
    def handler(request, it: int, /): ...

    (problem,) = problems_of(lambda: call_plan(handler, TEMPLATE))
    assert (problem.expected, problem.got) == ("a parameter 'it' that a request can fill", "a positional-only one")


def test_a_request_has_one_body():
    def handler(request, order: Order, point: Point): ...

    (problem,) = problems_of(lambda: call_plan(handler, TEMPLATE))
    assert (problem.expected, problem.got, problem.hint) == (
        "one parameter for the body",
        "order and point",
        "put them into one class",
    )


def test_a_parameter_without_a_source_is_told_what_to_do():
    def handler(request, it): ...

    (problem,) = problems_of(lambda: call_plan(handler, TEMPLATE))
    assert problem.hint == "annotate it, give it a default, or put it into the path"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_method_without_a_body_has_no_parameter_for_one(method):
    def handler(order: Order): ...

    (problem,) = problems_of(lambda: RouteDefinition(method, "/orders", handler))
    assert problem.got == f"'order', which only a body can hold, on {method}"
    assert problem.expected == "parameters that the path and the query can hold"
    assert problem.hint == "use POST, or take its parts from the query one by one"
    assert problems_of(lambda: call_plan(handler, parse_template("/orders"), method))[0].got == problem.got
    assert RouteDefinition("DELETE", "/orders", handler)


def test_every_problem_of_a_handler_is_told_at_once():
    def handler(request, item_id: list[int], when: timedelta, it, first: Order, second: Order): ...

    with pytest.raises(DefinitionError) as caught:
        call_plan(handler, TEMPLATE)
    assert len(caught.value.problems) == 4
