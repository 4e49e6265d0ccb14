"""The shop's API: two functions that deploy, scale and fail on their own, and what they share."""

from collections.abc import Awaitable, Callable

from catalogue import catalogue
from multicloud import Api, Cors, Request, Response
from orders import OutOfStock, orders

api = Api(
    "shop",
    functions=[catalogue, orders],
    cors=Cors(allow_origins=["https://shop.example.com"], allow_headers=["content-type"], allow_credentials=True),
    version="1.2.0",
    description="What a small shop needs.",
)


@api.middleware
async def keep_private(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Let no cache keep an answer that does not say how long it is good for."""
    response = await call_next(request)
    if "cache-control" not in response.headers:
        response.headers["cache-control"] = "no-store"
    return response


@api.exception_handler(OutOfStock)
def out_of_stock(request: Request, error: OutOfStock) -> tuple[dict[str, object], int]:
    """Answer an error of the shop's own with the shop's own words."""
    return {"problem": "out of stock", "sku": error.sku, "left": error.left}, 409
