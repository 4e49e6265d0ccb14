"""Applications of other frameworks, mounted as they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import flask
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

started = {"times": 0}
finished: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    started["times"] += 1
    yield


asgi_app = FastAPI(lifespan=lifespan)


@asgi_app.api_route("/echo/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def asgi_echo(request: Request, rest: str) -> Any:
    return {
        "method": request.method,
        "path": request.url.path,
        "rest": rest,
        "query": request.query_params.multi_items(),
        "body": (await request.body()).decode("latin-1"),
        "header": request.headers.get("x-test"),
        "client": request.client.host if request.client else None,
    }


@asgi_app.get("/started")
async def asgi_started() -> Any:
    return {"started": started["times"] > 0}


@asgi_app.get("/typed/{number}")
def asgi_typed(number: int) -> Any:
    return {"number": number + 1}


@asgi_app.get("/cookies")
async def asgi_cookies(response: Response) -> Any:
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", max_age=60, httponly=True, secure=True)
    return {}


@asgi_app.get("/partitioned")
async def asgi_partitioned() -> Any:
    return JSONResponse({}, headers={"set-cookie": "a=1; Secure; Partitioned"})


@asgi_app.get("/stream")
async def asgi_stream() -> Any:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one,"
        yield b"two"

    return StreamingResponse(chunks(), media_type="text/csv")


async def work() -> None:
    await asyncio.sleep(0.01)
    finished.append("background")


@asgi_app.get("/background")
async def asgi_background(tasks: BackgroundTasks) -> Any:
    tasks.add_task(work)
    return {}


@asgi_app.get("/fails")
async def asgi_fails() -> Any:
    raise RuntimeError("secret detail of the server")


@asgi_app.get("/refuses")
async def asgi_refuses() -> Any:
    raise HTTPException(418, "I am a teapot.")


wsgi_app = flask.Flask("conformance")
wsgi_app.url_map.merge_slashes = (
    False  # else a redirect states the query, which payload 1.0 does not keep letter by letter
)


@wsgi_app.route("/echo/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def wsgi_echo(rest: str) -> Any:
    return {
        "method": flask.request.method,
        "path": flask.request.script_root + flask.request.path,
        "rest": rest,
        # Not flask.request.args: werkzeug keeps escapes that are not UTF-8, which payload 1.0 has lost.
        "query": parse_qsl(flask.request.query_string.decode("latin-1"), keep_blank_values=True),
        "body": flask.request.get_data().decode("latin-1"),
        "header": flask.request.headers.get("x-test"),
        "client": flask.request.remote_addr,
    }


@wsgi_app.get("/cookies")
def wsgi_cookies() -> Any:
    response = flask.Response("{}", mimetype="application/json")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", path="/b", httponly=True, secure=True)
    return response


@wsgi_app.get("/stream")
def wsgi_stream() -> Any:
    return flask.Response(iter([b"one,", b"two"]), mimetype="text/csv")


@wsgi_app.get("/fails")
def wsgi_fails() -> Any:
    raise RuntimeError("secret detail of the server")


@wsgi_app.get("/refuses")
def wsgi_refuses() -> Any:
    flask.abort(418, "I am a teapot.")
