"""One file is a whole API."""

from multicloud import Api, Request

api = Api("hello")


@api.get("/hello/{name}")
def hello(request: Request, name: str) -> dict[str, str]:
    """Greet someone by name."""
    return {"message": f"Hello, {name}!"}
