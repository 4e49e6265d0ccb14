"""The measured API as a user of multicloud writes it."""

from __future__ import annotations

from multicloud import Api, Request, Response

api = Api("measured")


@api.get("/hello")
def hello(request: Request) -> dict[str, str]:
    return {"message": "hello"}


@api.get("/items/{item_id}")
def read_item(request: Request, item_id: str) -> dict[str, object]:
    query, headers = request.query, request.headers
    return {
        "item": item_id,
        "limit": int(query["limit"]),
        "colours": query.get_list("colour"),
        "text": query["text"],
        "language": headers["accept-language"],
        "correlation": headers["x-correlation-id"],
    }


@api.post("/items")
def create_item(request: Request) -> Response:
    order = request.json()
    return Response({"name": order["name"], "units": sum(line["units"] for line in order["lines"])}, 201)
