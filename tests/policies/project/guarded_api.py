"""An API with every policy that the runtime enforces, as a user's project would hold it."""

from __future__ import annotations

from multicloud import (
    PUBLIC,
    Api,
    ApiKeyAuthorizer,
    Cors,
    Forbidden,
    FunctionAuthorizer,
    Identity,
    JwtAuthorizer,
    Quota,
    Request,
    Throttle,
)

ORIGIN = "https://shop.example"
KEYS = ApiKeyAuthorizer(keys={"partner": "partner-key", "robot": "robot-key"})


def who(request: Request) -> dict:
    identity = request.identity
    if identity is None:
        return {"subject": None}
    return {"subject": identity.subject, "scopes": sorted(identity.scopes), "key": identity.api_key_id}


def door(request: Request) -> Identity | None:
    """Let in whoever knows a word; a banned one is told so, and one word breaks it."""
    word = request.headers["x-word"]
    if word == "banned":
        raise Forbidden("You know why.")
    if word == "broken":
        raise ValueError("secret detail")
    if word == "lie":
        return True  # type: ignore[return-value]
    return Identity(word, ["read"]) if word.startswith("open") else None


async def async_door(request: Request) -> Identity | None:
    return door(request)


def wrapped_async_door(request: Request):
    return async_door(request)


def wsgi_app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"mounted"]


def guarded(issuer: str) -> Api:
    """Return the API that trusts an issuer, given its URL."""
    jwt = JwtAuthorizer(
        issuer=issuer,
        audience=["shop", "till"],
        jwks_url=f"{issuer}/jwks",
        algorithms=["RS256", "PS256", "ES256", "EdDSA"],
    )
    doors = {
        "plain": FunctionAuthorizer(door, identity_headers=["x-word"]),
        "async": FunctionAuthorizer(async_door, identity_headers=["x-word"]),
        "wrapped": FunctionAuthorizer(wrapped_async_door, identity_headers=["X-Word"], cache_seconds=60),
    }
    api = Api("guarded", authorizer=jwt, cors=Cors(allow_origins=[ORIGIN], allow_credentials=True))
    api.get("/who")(who)
    api.post("/who")(who)
    api.get("/public", authorizer=PUBLIC)(who)
    api.get("/read", scopes=["read"])(who)
    api.get("/read-write", scopes=["read", "write"])(who)
    api.get("/keys", authorizer=KEYS)(who)
    api.get("/either", authorizer=[jwt, KEYS])(who)
    api.get("/either-read", authorizer=[KEYS, jwt], scopes=["read"])(who)
    for name, authorizer in doors.items():
        api.get(f"/door/{name}", authorizer=authorizer)(who)
        api.get(f"/door/{name}/write", authorizer=authorizer, scopes=["write"])(who)
    api.get("/door-or-key", authorizer=[doors["plain"], KEYS])(who)
    api.get("/slow", authorizer=PUBLIC, throttle=Throttle(rate=0.01, burst=2))(who)
    api.get("/slow-each", authorizer=KEYS, throttle=Throttle(rate=0.01, burst=2, per="caller"))(who)
    api.get("/slow-address", authorizer=PUBLIC, throttle=Throttle(rate=0.01, burst=2, per="address"))(who)
    api.get("/few", authorizer=PUBLIC, quota=Quota(2, "day"), throttle=Throttle(rate=0.01, burst=50))(who)
    api.mount("/mounted", wsgi_app)
    return api
