"""The measured API on Starlette, behind Mangum or a server."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request):
    return JSONResponse({"message": "hello"})


async def read_item(request):
    query, headers = request.query_params, request.headers
    return JSONResponse(
        {
            "item": request.path_params["item_id"],
            "limit": int(query["limit"]),
            "colours": query.getlist("colour"),
            "text": query["text"],
            "language": headers["accept-language"],
            "correlation": headers["x-correlation-id"],
        }
    )


async def create_item(request):
    order = await request.json()
    return JSONResponse({"name": order["name"], "units": sum(line["units"] for line in order["lines"])}, 201)


app = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/items/{item_id}", read_item),
        Route("/items", create_item, methods=["POST"]),
    ]
)


async def show(request):
    return JSONResponse({"item": request.path_params.get("item_id")})
