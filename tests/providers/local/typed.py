"""A typed API with every kind of parameter and body: what the documentation and its readers are tried on."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

import attrs
import pydantic

from multicloud import Api, Cors, NotFound, Request, Response


class Colour(enum.Enum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Line:
    """One line of an order."""

    sku: str = attrs.field(
        validator=[attrs.validators.min_len(1), attrs.validators.max_len(20)], metadata={"examples": ["grinder"]}
    )
    quantity: int = attrs.field(default=1, validator=[attrs.validators.ge(1), attrs.validators.le(1000)])
    price: Decimal | None = None


@dataclasses.dataclass
class Order:
    lines: list[Line]
    colour: Colour = Colour.RED
    note: str | None = None
    wanted: date | None = None
    placed: datetime | None = None
    labels: dict[str, int] = dataclasses.field(default_factory=dict)
    parent: Order | None = None


class Address(TypedDict, total=False):
    city: str
    number: int | str


class Point(pydantic.BaseModel):
    x: float = pydantic.Field(ge=-90, le=90)
    label: Literal["home", "work"] = "home"


api = Api("typed", description="Orders & points.", cors=Cors(allow_origins=["https://shop.example.com"]))


@api.post("/orders", tags=["writing"])
def create_order(order: Order, dry_run: bool = False) -> tuple[Order, int]:
    """Place an order."""
    return order, 200 if dry_run else 201


@api.get("/orders/{order_id}")
def read_order(order_id: UUID) -> Order:
    """Read an order; every second one exists."""
    if order_id.int % 2:
        raise NotFound("There is no such order.")
    return Order([Line("grinder", 2)], Colour.BLUE)


@api.get("/orders")
async def find_orders(
    request: Request,
    limit: int = 10,
    since: date | None = None,
    tag: list[str] = [],  # noqa: B006 - never changed
    sort: Literal["up", "down"] = "up",
    ratio: float = 0.5,
    colour: Colour | None = None,
) -> list[Order]:
    """Find orders."""
    return [Order([Line(name[:20] or "none", 1)]) for name in tag[:3]]


@api.put("/points/{number}")
def put_point(number: int, point: Point) -> Point:
    """Keep a point."""
    return point


@api.patch("/address")
def patch_address(address: Address) -> Address | Response:
    """Change an address."""
    return address or Response(None, 204)


@api.delete("/points/{number}")
def delete_point(number: int) -> None:
    """Forget a point."""


@api.get("/hello/{name}")
def hello(name: str) -> str:
    """Greet."""
    return f"Hello, {name}!"
