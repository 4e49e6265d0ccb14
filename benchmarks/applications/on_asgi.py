"""The floor of an ASGI server: one answer, no framework."""

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"19")]


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b'{"message":"hello"}'})
