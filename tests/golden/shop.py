"""The fixed API whose entry modules are kept in this folder."""

from __future__ import annotations

from multicloud import Api, Cors, Function, Request

orders = Function("orders", timeout_seconds=10)


@orders.get("/orders/{order_id}")
def read_order(request: Request, order_id: str) -> dict[str, str]:
    """Read an order."""
    return {"order": order_id}


@orders.post("/orders")
async def make_order(request: Request) -> tuple[dict[str, int], int]:
    """Make an order."""
    return {"size": len(request.body)}, 201


@orders.get("/files/{path+}")
def read_file(path: str) -> str:
    """Read a file."""
    return path


def legacy(environ, start_response):
    """A mounted WSGI application."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"legacy"]


orders.mount("/legacy", legacy)

api = Api("shop", functions=[orders], cors=Cors(allow_origins=["https://shop.example.com"]))


@api.get("/orders/{order_id}/state")
def state(request: Request, order_id: str) -> str:
    """Tell an order's state."""
    return f"{order_id} is open"


@api.middleware
def note(request, call_next):
    """Mark every answer."""
    response = call_next(request)
    response.headers["x-shop"] = request.stage
    return response


@api.exception_handler(KeyError)
def missing(request, error):
    """Answer for a KeyError."""
    return {"missing": str(error)}, 404
