"""The measured API on FastAPI, behind a server."""

from typing import Annotated

from fastapi import FastAPI, Header, Query
from pydantic import BaseModel

app = FastAPI()


class Line(BaseModel):
    sku: str
    units: int


class Order(BaseModel):
    name: str
    lines: list[Line]


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "hello"}


@app.get("/items/{item_id}")
async def read_item(
    item_id: str,
    limit: int,
    text: str,
    colour: Annotated[list[str], Query()],
    accept_language: Annotated[str, Header()],
    x_correlation_id: Annotated[str, Header()],
) -> dict[str, object]:
    return {
        "item": item_id,
        "limit": limit,
        "colours": colour,
        "text": text,
        "language": accept_language,
        "correlation": x_correlation_id,
    }


@app.post("/items", status_code=201)
async def create_item(order: Order) -> dict[str, object]:
    return {"name": order.name, "units": sum(line.units for line in order.lines)}
