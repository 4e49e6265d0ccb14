"""Orders: JSON bodies, cookies, an async handler, and an error of the shop's own."""

import asyncio
from datetime import date
from decimal import Decimal
from uuid import UUID

from multicloud import BadRequest, Cookie, Function, Request, Response

orders = Function("orders", memory_mb=512, timeout_seconds=10)

STOCK = {"espresso-machine": 3, "grinder": 12}


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
async def create_order(request: Request) -> Response:
    """Place an order; ask the stock of every line at the same time."""
    order = request.json()
    if not isinstance(order, dict) or not isinstance(order.get("lines"), list) or not order["lines"]:
        raise BadRequest("An order has lines.", expected={"lines": [{"sku": "grinder", "quantity": 1}]})
    lines = await asyncio.gather(*(_reserve(line["sku"], line["quantity"]) for line in order["lines"]))
    total = sum((Decimal(str(price)) for price in lines), Decimal(0))
    placed = {"order_id": UUID(int=len(lines)), "total": total, "placed": date(2026, 11, 24)}
    return Response(
        placed,
        201,
        headers={"location": f"/orders/{placed['order_id']}"},
        cookies=[Cookie("last_order", str(placed["order_id"]), max_age_seconds=3600), Cookie("cart", "", max_age_seconds=0)],
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


@orders.put("/orders/{order_id}/label")
def upload_label(request: Request, order_id: str) -> dict[str, object]:
    """Take a file as it is."""
    return {"order_id": order_id, "bytes": len(request.body), "first": request.body[:4].hex()}


@orders.delete("/orders/{order_id}")
def cancel_order(order_id: str) -> None:
    """Answer 204, since there is nothing to say."""


@orders.get("/orders/{order_id}/invoice")
def read_invoice(order_id: str) -> str:
    """Fail, as real code does; the client learns nothing but the request's id."""
    raise RuntimeError(f"the printer of {order_id} is on fire")
