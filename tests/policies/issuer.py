"""An identity provider on this machine: real keys, a key set over real HTTP, and tokens, good and wrong."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

AUDIENCE = "shop"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]

Answer = tuple[int, Mapping[str, str], bytes]


@cache
def private_key(name: str) -> Any:
    """Return a private key. The names tell the kind; ``foreign`` ones are in no key set."""
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, int(name.rpartition("-")[2]))
    if name.startswith("p"):
        return ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1}[name.partition("-")[0]]())
    return ed25519.Ed25519PrivateKey.generate()


def jwk(name: str, **members: Any) -> dict[str, Any]:
    """Return the public key as a member of a key set."""
    algorithms = {"rs": RSAAlgorithm, "p2": ECAlgorithm, "p3": ECAlgorithm, "ed": OKPAlgorithm}
    found = json.loads(algorithms[name[:2]].to_jwk(private_key(name).public_key()))
    found.pop("key_ops", None)
    return {**found, **members}


def encode(part: Any) -> str:
    """Return a part of a token: JSON unless it is text or bytes already."""
    if not isinstance(part, bytes):
        part = (part if isinstance(part, str) else json.dumps(part)).encode()
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(header: Any, claims: Any, key: Any, algorithm: str) -> str:
    """Return a token whose signature is right for whatever stands in it."""
    text = f"{encode(header)}.{encode(claims)}"
    signer = get_default_algorithms()[algorithm]
    return f"{text}.{encode(signer.sign(text.encode(), signer.prepare_key(key)))}"


class Issuer:
    """requests: how often each path was asked for. answers: path to what is answered; tests may change it."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.answers: dict[str, Callable[[], Answer]] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests[self.path] += 1
                answer = issuer.answers.get(self.path, lambda: (404, {}, b""))
                status, headers, body = answer()
                with suppress(OSError):  # who asked may be gone
                    self.send_response(status)
                    for name, value in {"content-length": str(len(body)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.serve_keys(
            jwk("rsa-2048", kid="rsa"),
            jwk("p256", kid="ec"),
            jwk("ed", kid="ed"),
            jwk("rsa-b-2048", kid="ps", alg="PS256"),
        )
        discovery = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        self.answers["/.well-known/openid-configuration"] = lambda: (200, {}, json.dumps(discovery).encode())

    def serve_keys(self, *keys: Any, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps({"keys": keys}).encode()
        self.answers["/jwks"] = lambda: (200, headers or {}, body)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return good claims with changes; ``None`` leaves one out."""
        now = int(time.time())
        good = {"iss": self.url, "sub": "ada", "aud": AUDIENCE, "iat": now, "exp": now + 600, "scope": "read"}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(
        self,
        key: str = "rsa-2048",
        algorithm: str = "RS256",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return a token that is good but for what is changed; ``None`` in the header leaves a member out."""
        stated = {"alg": algorithm, "typ": "JWT", "kid": "rsa", **(header or {})}
        stated = {name: value for name, value in stated.items() if value is not None}
        return sign(stated, self.claims(**claims), private_key(key), algorithm)
