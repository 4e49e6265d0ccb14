"""Orders: typed bodies and parameters, cookies, an async handler, and an error of the shop's own."""

import asyncio
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from multicloud import Cookie, Function, Request, Response, Throttle

orders = Function("orders", memory_mb=512, timeout_seconds=10)

STOCK = {"espresso-machine": 3, "grinder": 12}


@dataclass
class OrderLine:
    """So many of one article."""

    sku: str
    quantity: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be ordered."""
        if not 1 <= self.quantity <= 1000:
            raise ValueError("quantity is 1 to 1000")


@dataclass
class NewOrder:
    """What a customer sends."""

    lines: list[OrderLine]
    gift: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty order."""
        if not self.lines:
            raise ValueError("an order has lines")


class OutOfStock(Exception):
    """Raised when more is ordered than there is."""

    def __init__(self, sku: str, left: int) -> None:
        super().__init__(sku, left)
        self.sku = sku
        self.left = left


@orders.exception_handler(OutOfStock)
def out_of_stock(request: Request, error: OutOfStock) -> tuple[dict[str, object], int]:
    """Answer an error of the shop's own with the shop's own words."""
    return {"problem": "out of stock", "sku": error.sku, "left": error.left}, 409


@orders.post("/orders")
async def create_order(order: NewOrder) -> Response:
    """Place an order; ask the stock of every line at the same time."""
    lines = await asyncio.gather(*(_reserve(line.sku, line.quantity) for line in order.lines))
    total = sum((Decimal(str(price)) for price in lines), Decimal(0))
    placed = {"order_id": UUID(int=len(lines)), "total": total, "placed": date(2026, 11, 24)}
    return Response(
        placed,
        201,
        headers={"location": f"/orders/{placed['order_id']}"},
        cookies=[
            Cookie("last_order", str(placed["order_id"]), max_age_seconds=3600),
            Cookie("cart", "", max_age_seconds=0),
        ],
    )


async def _reserve(sku: str, quantity: int) -> float:
    """Stand for a call to another service."""
    await asyncio.sleep(0)
    left = STOCK.get(sku, 0)
    if quantity > left:
        raise OutOfStock(sku, left)
    return 10.5 * quantity


@orders.get("/orders/{order_id}")
def read_order(request: Request, order_id: str) -> dict[str, object]:
    """Read an order; say whether this browser placed it."""
    return {"order_id": order_id, "is_yours": request.cookies.get("last_order") == order_id}


@orders.put("/orders/{order_id}/label", throttle=Throttle(rate=0.1, burst=2))
def upload_label(request: Request, order_id: str) -> dict[str, object]:
    """Take a file as it is."""
    return {"order_id": order_id, "bytes": len(request.body), "first": request.body[:4].hex()}


@orders.delete("/orders/{order_id}", scopes=["orders:cancel"])
def cancel_order(order_id: str) -> None:
    """Answer 204, since there is nothing to say. A partner's key grants no scope, a customer's token may."""


@orders.get("/orders/{order_id}/invoice")
def read_invoice(order_id: str) -> str:
    """Fail, as real code does; the client learns nothing but the request's id."""
    raise RuntimeError(f"the printer of {order_id} is on fire")
