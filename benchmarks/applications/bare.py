"""What ``guarded`` is without its policies."""

from multicloud import Api

api = Api("bare")


@api.get("/hello")
async def hello(request):
    return {"message": "hello"}
