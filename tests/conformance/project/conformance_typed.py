"""Typed routes of the API that every platform must answer alike."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Any, Literal, NotRequired, TypedDict

import attrs

from multicloud import Api, Request


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Line:
    sku: str = attrs.field(validator=attrs.validators.min_len(2))
    quantity: int = attrs.field(validator=attrs.validators.ge(1))


@dataclasses.dataclass
class Order:
    lines: list[Line]
    colour: Colour = Colour.RED
    note: str | None = None
    day: datetime.date | None = None
    parent: Order | None = None

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("an order has lines")


class Address(TypedDict):
    city: str
    number: NotRequired[int | str]


def place(order: Order) -> tuple[Order, int]:
    return order, 201


async def place_async(request: Request, orders: list[Order], dry_run: bool = False) -> Any:
    return {"orders": orders, "dry_run": dry_run, "bytes": len(request.body)}


def move(number: int, address: Address | None) -> dict[str, Any]:
    return {"number": number, "address": address}


def find(
    day: datetime.date,
    page: int = 1,
    ratio: float = 0.5,
    loud: bool = False,
    tag: list[str] = [],  # noqa: B006 - never changed
    sizes: list[int] | None = None,
    who: uuid.UUID | None = None,
    at: datetime.datetime | None = None,
    price: decimal.Decimal | None = None,
    colour: Colour = Colour.RED,
    sort: Literal["up", "down", 3] = "up",
    q: str = "",
) -> dict[str, Any]:
    return dict(locals())


def must(word: str, number: int | None, among: list[Colour]) -> dict[str, Any]:
    return {"word": word, "number": number, "among": among}


def record_typed_routes(api: Api) -> None:
    """Put the typed routes on an API."""
    api.post("/typed/orders")(place)
    api.put("/typed/orders")(place_async)
    api.patch("/typed/houses/{number}")(move)
    api.get("/typed/days/{day}")(find)
    api.get("/typed/must")(must)
