"""An API that reads all of a request and says nothing of it: what is left to fail is the runtime."""

from __future__ import annotations

from typing import Any

from conformance_echo import canonical
from conformance_mounts import asgi_app, wsgi_app

from multicloud import Api, Cors, Request

touch = Api("touch", cors=Cors(allow_origins=["https://shop.example"], allow_credentials=True))
touch.mount("/asgi", asgi_app)
touch.mount("/wsgi", wsgi_app)


@touch.route("/any/{rest+}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def read_all(request: Request, rest: str) -> Any:
    further = (request.raw_path, request.raw_query, request.cookies, request.deadline, rest, repr(request))
    return {"characters": len(ascii(canonical(request))) + len(ascii(further))}
