"""The project of the ``guarded`` measurement: a token, a throttle that is never reached, and CORS."""

import os

from multicloud import Api, Cors, JwtAuthorizer, Throttle

issuer = os.environ["ISSUER_URL"]
api = Api(
    "guarded",
    authorizer=JwtAuthorizer(issuer=issuer, audience=["shop"], jwks_url=f"{issuer}/jwks"),
    throttle=Throttle(rate=100_000, burst=100_000),
    cors=Cors(allow_origins=["https://shop.example.com"]),
)


@api.get("/hello")
async def hello(request):
    return {"message": "hello"}
