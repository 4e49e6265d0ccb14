"""What is fetched, and above all what is not: each refusal against a real server or the real resolver's answer."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from multicloud.runtime import fetching
from multicloud.runtime.fetching import MAX_BYTES, FetchError, fetch, is_public
from tests.policies.issuer import Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    found = Issuer()
    yield found
    found.stop()


def refusal(url: str, *, allow_loopback: bool = True) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, allow_loopback=allow_loopback)
    return str(caught.value)


def test_a_document_and_how_long_it_may_be_kept(issuer):
    issuer.answers["/a?b=1"] = lambda: (200, {"Cache-Control": "public, Max-Age=700, immutable"}, b"{}")
    document = fetch(f"{issuer.url}/a?b=1", allow_loopback=True)
    assert (document.content, document.max_age_seconds) == (b"{}", 700)
    issuer.answers["/c"] = lambda: (200, {}, b"x" * MAX_BYTES)
    document = fetch(f"{issuer.url}/c", allow_loopback=True)
    assert (len(document.content), document.max_age_seconds) == (MAX_BYTES, None)


@pytest.mark.parametrize("value", ["no-store", "max-age=soon", "max-age=-1", "max-age", ""])
def test_a_cache_control_that_says_nothing_useful(value, issuer):
    issuer.answers["/a"] = lambda: (200, {"cache-control": value}, b"{}")
    assert fetch(f"{issuer.url}/a", allow_loopback=True).max_age_seconds is None


def test_this_machine_is_not_asked_outside_development(issuer):
    issuer.answers["/a"] = lambda: (200, {}, b"{}")
    assert refusal(f"{issuer.url}/a", allow_loopback=False) == "neither https nor this machine"
    https = issuer.url.replace("http:", "https:")
    assert refusal(f"{https}/a", allow_loopback=False) == "an address inside a network"
    assert not issuer.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 204, 400, 404, 500])
def test_a_redirect_is_not_followed_and_an_error_is_none(status, issuer):
    issuer.answers["/a"] = lambda: (status, {"location": f"{issuer.url}/b"}, b"")
    issuer.answers["/b"] = lambda: (200, {}, b"{}")
    assert refusal(f"{issuer.url}/a") == f"status {status}"
    assert issuer.requests == {"/a": 1}


def test_more_than_the_limit_is_refused_whether_declared_or_not(issuer):
    issuer.answers["/a"] = lambda: (200, {}, b"x" * (MAX_BYTES + 1))
    assert refusal(f"{issuer.url}/a") == "more than 150000 bytes"
    issuer.answers["/b"] = lambda: (200, {"content-length": "10000000"}, b"x" * 10_000_000)
    assert refusal(f"{issuer.url}/b") == "more than 150000 bytes"


def test_a_body_shorter_than_declared_and_an_encoded_one_are_refused(issuer):
    issuer.answers["/a"] = lambda: (200, {"content-length": "100", "connection": "close"}, b"{}")
    assert refusal(f"{issuer.url}/a") == "a body shorter than declared"
    issuer.answers["/b"] = lambda: (200, {"content-encoding": "gzip"}, b"\x1f\x8b")
    assert refusal(f"{issuer.url}/b") == "an encoded body"


@pytest.mark.parametrize("pace", ["silent", "drip"])
def test_a_slow_server_is_left_at_the_timeout(pace, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.4)
    broken = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with closing(connection):
            try:
                while pace == "drip":
                    connection.sendall(b"H")
                    time.sleep(0.02)
                connection.settimeout(5)
                while connection.recv(1000):
                    pass
                broken.append(True)
            except OSError:
                broken.append(True)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        begun = time.monotonic()
        assert refusal(f"http://127.0.0.1:{listener.getsockname()[1]}/") == "no answer in time"
        assert time.monotonic() - begun < 3
        thread.join(5)
    assert broken, "the connection was left open"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "//127.0.0.1/a",
        "http://user@127.0.0.1/a",
        "https://",
        "http://[::1",
        "",
        "http://127.0.0.1:99999/a",
        "http://127.0.0.1:x/a",
        "gopher://127.0.0.1",
    ],
)
def test_what_is_no_http_url_is_refused(url):
    assert refusal(url)


def test_a_port_that_nobody_listens_on():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert "ConnectionRefusedError" in refusal(f"http://127.0.0.1:{port}/")


INSIDE = [
    "127.0.0.1", "127.255.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.2.1", "203.0.113.1", "::1", "::",
    "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:a9fe:a9fe::1", "2002:7f00:1::",
    "ff02::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_of_the_internet_is_never_connected_to(address, monkeypatch):
    assert not is_public(address)
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: resolved)
    monkeypatch.setattr(fetching.socket, "create_connection", lambda *_: pytest.fail("connected"))
    assert refusal("https://id.example.com/jwks", allow_loopback=False) == "an address inside a network"


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]
)
def test_an_address_of_the_internet_is(address):
    assert is_public(address)


def test_one_inner_address_among_outer_ones_is_enough_to_refuse(monkeypatch):
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: resolved)
    monkeypatch.setattr(fetching.socket, "create_connection", lambda *_: pytest.fail("connected"))
    assert refusal("https://id.example.com/jwks") == "an address inside a network"


def test_plain_http_is_for_this_machine_alone(monkeypatch):
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: resolved)
    assert refusal("http://id.example.com/jwks") == "neither https nor this machine"


def test_a_certificate_must_be_trusted_and_of_the_host(tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        port = server.server_port
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(f"https://localhost:{port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch(f"https://localhost:{port}/", allow_loopback=True).content == b"{}"
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(f"https://127.0.0.1:{port}/")
    finally:
        server.shutdown()
        server.server_close()
