"""The barest API: plain handlers only, no middleware, no CORS. What the dispatcher's shortest way must answer alike."""

from __future__ import annotations

from typing import Any

from conformance_echo import canonical

from multicloud import Api, Cors, Request

bare = Api("bare")
open_to_all = Api("open", cors=Cors(allow_origins=["*"], expose_headers=["x-total"]))


@bare.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def echo(request: Request) -> Any:
    return canonical(request)


@bare.route("/any/{rest+}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def everything(request: Request, rest: str) -> Any:
    return canonical(request)


@bare.get("/items/{item}")
def item(request: Request, item: str) -> Any:
    return canonical(request)


@bare.get("/fails")
def fails() -> Any:
    raise RuntimeError("secret detail of the server")


@open_to_all.get("/echo")
def open_echo(request: Request) -> Any:
    return canonical(request)


@open_to_all.get("/fails")
def open_fails() -> Any:
    raise RuntimeError("secret detail of the server")
