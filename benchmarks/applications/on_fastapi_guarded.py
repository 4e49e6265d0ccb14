"""What ``guarded`` does, with FastAPI and PyJWT as their documentation shows; without a throttle, which neither has."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

issuer = os.environ["ISSUER_URL"]
keys = jwt.PyJWKClient(f"{issuer}/jwks")
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.com"])


async def claims(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]):
    try:
        key = keys.get_signing_key_from_jwt(sent.credentials)
        return jwt.decode(sent.credentials, key, algorithms=["RS256"], audience="shop", issuer=issuer)
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.get("/hello")
async def hello(claims: Annotated[dict, Depends(claims)]):
    return {"message": "hello"}
