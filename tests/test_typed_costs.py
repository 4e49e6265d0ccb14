"""What a typed handler adds to a cold start on AWS: two modules of ours, and what its own types need."""

from __future__ import annotations

import json

import pytest

from tests.test_import_costs import HEAVY, cold_start, strangers

PLAIN = """
from multicloud import Api
api = Api("typed")

@api.get("/hello/{name}")
def hello(name: str, limit: int = 5, loud: bool = False, tag: list[float] = []) -> dict[str, int | None]:
    return {"message": f"Hello, {name}!"}

@api.post("/other")
def other(body: dict[str, list[int]]): ...
"""
WITH_TYPES = """
from dataclasses import dataclass
from datetime import date
from multicloud import Api
api = Api("typed")

@dataclass
class Order:
    lines: list[str]
    day: date | None = None

@api.get("/hello/{name}")
def hello(name: str, day: date = date(2024, 1, 2)):
    return {"message": f"Hello, {name}!"}

@api.post("/orders")
def create(order: Order) -> Order:
    return order
"""
TYPED = ["multicloud.runtime.converters", "multicloud.runtime.typed"]
UNRELATED = {"datetime", "uuid", "decimal", "_strptime"}


def test_plain_types_need_no_module_but_ours_and_no_sooner_than_the_first_request(tmp_path):
    started, asked, answer, _ = cold_start(tmp_path, PLAIN)
    assert answer["body"] == '{"message":"Hello, Ada!"}'
    assert not set(TYPED) & set(started)
    assert set(TYPED) <= set(asked)
    assert not (HEAVY | UNRELATED) & {*started, *asked}
    assert not strangers([*started, *asked])


@pytest.mark.parametrize("source", [PLAIN, WITH_TYPES], ids=["plain", "classes"])
def test_a_function_inspects_no_annotation(tmp_path, source):
    started, asked, answer, _ = cold_start(tmp_path, source)
    assert json.loads(answer["body"]) == {"message": "Hello, Ada!"}
    assert not {name for name in (*started, *asked) if name.startswith(("attr", "pydantic", "multicloud.model"))}
    assert not {"uuid", "decimal", "asyncio"} & {*started, *asked}
