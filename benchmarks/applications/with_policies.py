"""A one-file API with its policies beside its handlers: what the local gateway is measured with, and one cold start."""

from __future__ import annotations

from multicloud import Api, Cors

api = Api("measured", cors=Cors(allow_origins=["https://shop.example.com"]))


@api.get("/hello")
async def hello(request):
    return {"message": "hello"}


@api.get("/items/{item_id}")
async def read_item(request, item_id):
    return {"item": item_id}
