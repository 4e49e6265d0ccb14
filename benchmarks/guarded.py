"""Policies: what a token, a throttle and CORS cost the local gateway, and what one verification costs by itself.

All connections of a run bear one token, as a client does until it expires; a second table tells a token that is new
from one that was seen before.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from benchmarks.bundles import project_of
from benchmarks.load import requests_per_second, tool
from benchmarks.report import Table
from benchmarks.rounds import interleave, ratio
from benchmarks.subjects import APPLICATIONS
from multicloud.runtime.request import Request
from multicloud.runtime.tokens import JwtVerifier

TITLE = "a JWT, a throttle and CORS"
ROUNDS = 5
SECONDS = 2
CONNECTIONS = 32
TOKENS = 1000
BARE, GUARDED, FASTAPI = "multicloud run, no policies", "multicloud run, guarded", "uvicorn + FastAPI + PyJWT"
NEW, SEEN, PYJWT = "multicloud, a new token", "multicloud, a token seen before", "jwt.decode, the same claims required"
CLAIMS = ["iss", "sub", "aud", "iat", "exp"]


class Issuer:
    """An identity provider with one RSA key of 2048 bits, whose set is served on loopback."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        public = {**json.loads(RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "a", "use": "sig"}
        body = json.dumps({"keys": [public]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def token(self, number: int = 0) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": f"user-{number}",
            "aud": "shop",
            "iat": now,
            "exp": now + 3600,
            "scope": "read",
        }
        return jwt.encode(claims, self.key, "RS256", headers={"kid": "a"})


class Bearing(Request):
    """A request that is nothing but its token."""

    def __init__(self, token: str) -> None:
        super().__init__("GET", "/", None)
        self._plain = {"authorization": f"Bearer {token}"}

    def plain_headers(self) -> dict[str, str]:
        return self._plain


def measure(rounds: int = ROUNDS) -> list[Table]:
    """Return the two tables."""
    issuer = Issuer()
    header = f"authorization: Bearer {issuer.token()}"
    ours = [sys.executable, "-m", "multicloud.cli", "run", "--port", "{port}"]
    uvicorn = [sys.executable, "-m", "uvicorn", "--port", "{port}", "--no-access-log", "--log-level", "warning"]
    servers = {
        BARE: (ours, project_of((APPLICATIONS / "bare.py").read_text("utf-8"))),
        GUARDED: (ours, project_of((APPLICATIONS / "guarded.py").read_text("utf-8"))),
        FASTAPI: ([*uvicorn, "on_fastapi_guarded:app"], APPLICATIONS),
    }
    speed = interleave(servers, rounds, lambda name: _speed(*servers[name], issuer, header), warm_up=False)
    rows = [
        (name, median(speed[name]), ratio(speed[name], speed[BARE]), ratio(speed[name], speed[FASTAPI]))
        for name in servers
    ]
    note = f"GET /hello, an async handler, one worker, {CONNECTIONS} connections, load from {tool()} on the same cores"
    return [
        Table(note, ("", "requests/s", f"x {BARE}", f"x {FASTAPI}"), rows),
        _verifications(issuer, rounds),
    ]


def _verifications(issuer: Issuer, rounds: int) -> Table:
    verifier = JwtVerifier(
        {
            "issuer": issuer.url,
            "audience": ("shop",),
            "jwks_url": f"{issuer.url}/jwks",
            "algorithms": ("RS256",),
            "leeway_seconds": 60,
        },
        None,  # type: ignore[arg-type] # no loop is needed from plain code
        allow_loopback=True,
    )
    tokens = [issuer.token(number) for number in range(TOKENS)]
    requests = [Bearing(token) for token in tokens]
    public = issuer.key.public_key()
    assert all(verifier.verify(request) for request in requests)

    def run(name: str) -> float:
        if name == NEW:
            verifier._verified.clear()
        begun = time.thread_time()
        if name == PYJWT:
            for token in tokens:
                jwt.decode(token, public, algorithms=["RS256"], audience="shop", issuer=issuer.url, options=required)
        else:
            for request in requests:
                verifier.verify(request)
        return (time.thread_time() - begun) / TOKENS * 1e6

    required: jwt.types.Options = {"require": CLAIMS}
    taken = interleave((NEW, SEEN, PYJWT), rounds, run)
    rows = [(name, median(taken[name])) for name in (NEW, SEEN, PYJWT)]
    return Table(f"one RS256 token, keys at hand, processor time, {TOKENS} tokens", ("", "microseconds"), rows)


def _speed(command: list[str], folder: Path, issuer: Issuer, header: str) -> float:
    with _running(command, folder, issuer, header) as port:
        requests_per_second(port, CONNECTIONS, 1, (header,))
        return requests_per_second(port, CONNECTIONS, SECONDS, (header,))


@contextmanager
def _running(command: list[str], folder: Path, issuer: Issuer, header: str) -> Iterator[int]:
    """Run a server and yield its port once it answers. Raises RuntimeError if it does not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environment = {**os.environ, "ISSUER_URL": issuer.url, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [part.format(port=port) for part in command], cwd=folder, env=environment, stderr=subprocess.DEVNULL
    )
    name, _, value = header.partition(": ")
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hello", headers={name: value})
    deadline = time.monotonic() + 20
    try:
        while True:
            with suppress(OSError), urllib.request.urlopen(request, timeout=5):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} does not serve")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)
