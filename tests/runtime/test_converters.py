"""From JSON and URL text to values: what is taken, what is refused, in which words, and that no fault is left out."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict
from uuid import UUID

import attrs
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicloud.deploy.shapes import ShapeCompiler
from multicloud.model.shapes import read_shape
from multicloud.runtime.converters import MOST_FAULTS, Converters, pointer
from multicloud.runtime.response import dumps


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


@attrs.frozen
class Line:
    sku: str = attrs.field(validator=attrs.validators.min_len(2))
    quantity: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    _note: str = ""


@attrs.frozen
class Range:
    low: int
    high: int = attrs.field()

    @high.validator
    def _order(self, attribute, value):
        if value < self.low:
            raise ValueError("high is below low")


@attrs.frozen
class Whole:
    lines: list[Line]
    parent: Whole | None = None

    def __attrs_post_init__(self):
        if not self.lines:
            raise ValueError("an order has lines")


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0

    def __post_init__(self):
        if self.x == 13:
            raise ValueError
        if self.x == 14:
            raise TypeError("a mistake of the class")


class Address(TypedDict, total=False):
    city: str


class Model(pydantic.BaseModel):
    a: int
    when: date | None = None


def converters(annotation, text=False):
    objects: list[Any] = []
    compiler = ShapeCompiler(lambda cls: objects.append(cls) or len(objects) - 1)
    shape = compiler.write(read_shape(annotation))
    assert eval(repr((shape, compiler.records))) == (shape, compiler.records)
    made = Converters(compiler.records, objects)
    return made.of_text(shape) if text else made.of(shape)


def convert(annotation, value, text=False):
    """Return the converted value and the faults as (pointer, sentence)."""
    faults: list[Any] = []
    found = converters(annotation, text)(value, None, faults)
    return found, [(pointer(place), sentence) for place, sentence in faults]


ID = "12345678-1234-5678-9abc-1234567890AB"


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (str, "é", "é"),
        (int, 5, 5),
        (int, 5.0, 5),
        (int, -(10**40), -(10**40)),
        (float, 5, 5.0),
        (float, 0.5, 0.5),
        (bool, False, False),
        (None, None, None),
        (Any, {"a": [None]}, {"a": [None]}),
        (UUID, ID, UUID(ID)),
        (Decimal, "-1.50", Decimal("-1.50")),
        (date, "2024-02-29", date(2024, 2, 29)),
        (datetime, "2024-02-29T10:00:00.5Z", datetime(2024, 2, 29, 10, 0, 0, 500000, UTC)),
        (datetime, "2024-02-29t10:00:00z", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        (datetime, "2024-02-29T12:00:00+02:00", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        (Colour, "red", Colour.RED),
        (Level, 1, Level.LOW),
        (Literal["a", 1, True, None], "a", "a"),
        (Literal["a", 1, True, None], None, None),
        (list[int], [1, 2], [1, 2]),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (int | None, None, None),
        (int | str | list[int], "5", "5"),
        (int | str | list[int], [5], [5]),
        (Colour | int, 7, 7),
        (Line, {"sku": "ab", "_note": "n", "further": 1}, Line("ab", note="n")),
        (Point, {"x": 1}, Point(1.0)),
        (Address, {"city": "Bern", "zip": 1}, {"city": "Bern"}),
        (Model, {"a": 1, "when": "2024-01-01"}, Model(a=1, when=date(2024, 1, 1))),
        (
            Whole,
            {"lines": [{"sku": "ab"}], "parent": {"lines": [{"sku": "cd"}]}},
            Whole([Line("ab")], Whole([Line("cd")])),
        ),
    ],
)
def test_json_becomes_the_value(annotation, value, expected):
    found, faults = convert(annotation, value)
    assert faults == []
    assert (found, type(found)) == (expected, type(expected))


DATE = "expected a date such as 2026-01-31"
DATETIME = "expected a date and time with its offset, such as 2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("annotation", "value", "faults"),
    [
        (str, 5, [("", "expected a string, got a number")]),
        (int, "5", [("", "expected an integer, got a string")]),
        (int, True, [("", "expected an integer, got a boolean")]),
        (int, 5.5, [("", "expected an integer, got a fraction")]),
        (int, None, [("", "expected an integer, got null")]),
        (float, "1", [("", "expected a number, got a string")]),
        (float, False, [("", "expected a number, got a boolean")]),
        (float, 10**400, [("", "expected a number that a double can hold")]),
        (bool, "true", [("", "expected true or false, got a string")]),
        (bool, 1, [("", "expected true or false, got a number")]),
        (None, 0, [("", "expected null, got a number")]),
        (UUID, ID[:-1], [("", "expected a UUID")]),
        (UUID, "{" + ID + "}", [("", "expected a UUID")]),
        (UUID, ID.replace("-", ""), [("", "expected a UUID")]),
        (UUID, 5, [("", "expected a UUID, got a number")]),
        (Decimal, "NaN", [("", "expected a decimal number as a string")]),
        (Decimal, "1_0", [("", "expected a decimal number as a string")]),
        (Decimal, 1.5, [("", "expected a decimal number as a string, got a number")]),
        (date, "20240229", [("", DATE)]),
        (date, "2023-02-29", [("", DATE)]),
        (date, "2024-W09-4", [("", DATE)]),
        (date, "2024-02-29T00:00:00Z", [("", DATE)]),
        (datetime, "2024-02-29T10:00:00", [("", DATETIME)]),
        (datetime, "2024-02-29", [("", DATETIME)]),
        (datetime, "2024-02-29T24:30:00Z", [("", DATETIME)]),
        (datetime, [], [("", f"{DATETIME}, got a list")]),
        (Colour, "green", [("", 'expected one of "red", "blue"')]),
        (Colour, [], [("", 'expected one of "red", "blue"')]),
        (Level, True, [("", "expected 1")]),
        (Level, 1.0, [("", "expected 1")]),
        (Literal[1], True, [("", "expected 1")]),
        (Literal["a", 1, True, None], 2, [("", 'expected one of "a", 1, true, null')]),
        (list[int], {"a": 1}, [("", "expected a list, got an object")]),
        (
            list[int],
            ["a", 1, None],
            [("/0", "expected an integer, got a string"), ("/2", "expected an integer, got null")],
        ),
        (dict[str, int], [], [("", "expected an object, got a list")]),
        (dict[str, int], {"a/b~c": ""}, [("/a~1b~0c", "expected an integer, got a string")]),
        (int | None, "5", [("", "expected a number or null, got a string")]),
        (Line, [], [("", "expected an object, got a list")]),
        (
            Line,
            {"sku": "a", "quantity": "x", "_note": None},
            [
                ("/quantity", "expected an integer, got a string"),
                ("/_note", "expected a string, got null"),
                ("/sku", "Length of 'sku' must be >= 2: 1"),
            ],
        ),
        (
            list[Line],
            [{}, {"sku": "", "quantity": 0}],
            [
                ("/0/sku", "required, but absent"),
                ("/1/sku", "Length of 'sku' must be >= 2: 0"),
                ("/1/quantity", "'quantity' must be >= 1: 0"),
            ],
        ),
        (Range, {"low": 2, "high": 1}, [("/high", "high is below low")]),
        (Range, {"low": "", "high": 1}, [("/low", "expected an integer, got a string")]),
        (Whole, {"lines": []}, [("", "an order has lines")]),
        (Whole, {"lines": [], "parent": 1}, [("/parent", "expected an object or null, got a number")]),
        (Point, {"x": 13}, [("", "refused")]),
        (
            Model,
            {"a": "x", "when": 1.5},
            [
                ("/a", "Input should be a valid integer, unable to parse string as an integer"),
                ("/when", "Datetimes provided to dates should have zero time - e.g. be exact dates"),
            ],
        ),
    ],
)
def test_every_fault_is_listed_with_its_place(annotation, value, faults):
    assert convert(annotation, value)[1] == faults


def test_a_mistake_of_a_class_is_no_fault_of_the_caller():
    with pytest.raises(TypeError, match="a mistake of the class"):
        convert(Point, {"x": 14})


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (str, "", ""),
        (int, "-5", -5),
        (int, "0", 0),
        (float, "1e3", 1000.0),
        (float, "-0.5", -0.5),
        (bool, "true", True),
        (bool, "false", False),
        (UUID, ID, UUID(ID)),
        (Decimal, "1.50", Decimal("1.50")),
        (date, "2024-02-29", date(2024, 2, 29)),
        (Colour, "blue", Colour.BLUE),
        (Level, "1", Level.LOW),
        (Literal["a", 1, True], "true", True),
        (Literal["a", 1, True], "1", 1),
    ],
)
def test_url_text_becomes_the_value(annotation, value, expected):
    found, faults = convert(annotation, value, text=True)
    assert (found, type(found), faults) == (expected, type(expected), [])


@pytest.mark.parametrize(
    ("annotation", "values", "fault"),
    [
        (
            int,
            ["", "+5", " 5", "5 ", "05", "5.0", "1_0", "0x1", "1e3", "٥", "-", "--5", "true", "5\n"],
            "expected an integer",
        ),
        (float, ["", "nan", "inf", "-Infinity", ".5", "5.", "1e999", "+1", "0x1p3", "1_0", "٥"], "expected a number"),
        (bool, ["", "1", "0", "True", "TRUE", "yes", "on", "t", "null"], "expected true or false"),
        (date, ["", "2024-1-1", "2024-02-30", "٢٠٢٤-01-01"], DATE),
        (UUID, ["", "x"], "expected a UUID"),
        (Colour, ["", "RED", "Red"], "expected one of red, blue"),
        (Literal["a", 1, True], ["A", "True", "01"], "expected one of a, 1, true"),
    ],
)
def test_url_text_has_one_spelling(annotation, values, fault):
    for value in values:
        assert convert(annotation, value, text=True)[1] == [("", fault)], value


def test_faults_without_end_are_not_listed_without_end():
    for annotation, value in (
        (list[int], ["x"] * 1000),
        (dict[str, int], dict.fromkeys(map(str, range(1000)))),
        (list[list[int]], [["x"] * 1000] * 1000),
    ):
        assert MOST_FAULTS < len(convert(annotation, value)[1]) <= 2 * MOST_FAULTS


def test_a_pointer_cuts_a_name_without_end():
    assert len(pointer((None, "x" * 100_000))) == 201


def test_many_constants_are_not_all_named():
    annotation = enum.Enum("Many", {f"M{number}": f"m{number}" for number in range(50)})
    ((_, sentence),) = convert(annotation, "x")[1]
    assert sentence.endswith('"m19", ...')


@dataclasses.dataclass
class Everything:
    text: str
    whole: int
    real: float
    flag: bool
    identifier: UUID
    amount: Decimal
    day: date
    moment: datetime
    colour: Colour
    kind: Literal["a", 1]
    items: list[int]
    named: dict[str, bool]
    maybe: int | None
    inner: list[Everything]


WORDS = st.text(st.characters(exclude_categories=["Cs"]))
WHOLES = st.integers(-(2**63), 2**63)


def everything(inner):
    return st.builds(
        Everything,
        WORDS,
        WHOLES,
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.uuids(),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20),
        st.dates(),
        st.datetimes(timezones=st.just(UTC)),
        st.sampled_from(Colour),
        st.sampled_from(["a", 1]),
        st.lists(WHOLES, max_size=3),
        st.dictionaries(WORDS, st.booleans(), max_size=3),
        st.none() | WHOLES,
        inner,
    )


@given(st.recursive(everything(st.just([])), lambda one: everything(st.lists(one, max_size=2)), max_leaves=3))
def test_what_is_answered_can_be_read_back(value):
    assert convert(Everything, json.loads(dumps(value))) == (value, [])


JSON = st.recursive(
    st.none() | st.booleans() | WHOLES | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.sampled_from(["text", "x", "sku"]), inner),
    max_leaves=10,
)


@given(JSON, st.sampled_from([Everything, list[Line], Point, dict[str, Colour], int | list[date] | None, Address]))
def test_any_json_is_converted_or_refused_and_never_raises(value, annotation):
    found, faults = convert(annotation, value)
    assert all(place == "" or place.startswith("/") for place, _ in faults)
    assert faults or found is None or isinstance(found, (list, dict, int, Everything, Point))


@given(st.text())
def test_numbers_in_a_url_are_json_s_numbers(text):
    try:
        parsed = json.loads(text) if text == text.strip() else None
    except (ValueError, RecursionError):
        parsed = None
    whole = type(parsed) is int
    real = whole or (type(parsed) is float and math.isfinite(parsed))
    assert (convert(int, text, text=True)[1] == []) is whole
    assert (convert(float, text, text=True)[1] == []) is real
