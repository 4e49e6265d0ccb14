"""The same policies in the clouds' own Python runtimes and behind the local gateway, each a process, over a socket."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from multicloud.deploy.assembly import runtime_files
from multicloud.deploy.entry import render
from multicloud.model import define
from multicloud.provider import HttpRequest, HttpResponse, load_provider
from multicloud_local.gateway import create_application
from multicloud_local.server import background
from tests.conformance import wire
from tests.emulators import serve
from tests.emulators.processes import modules_of
from tests.policies.guarded import ORIGIN, PROJECT, guarded
from tests.policies.issuer import Issuer
from tests.policies.test_gate import SCOPES, WAYS
from tests.policies.wrong_credentials import API_KEYS, AUTHORIZATIONS, KEY

PROCESSES = ("local", "aws", "aws-rest", "gcp", "azure")
SECRETS = ("MULTICLOUD_SECRET_PARTNER_KEY", "MULTICLOUD_SECRET_ROBOT_KEY")


class Running:
    """The processes, each started when it is first asked for."""

    def __init__(self, issuer: Issuer, folder: Path) -> None:
        self.issuer = issuer
        self._folder = folder
        self._ports: dict[str, int] = {}
        self.stack = ExitStack()

    def get(self, process: str, path: str, headers: dict[str, str]) -> HttpResponse:
        pairs = tuple({"origin": ORIGIN, **headers}.items())
        return self.send(process, HttpRequest("GET", path, pairs))

    def send(self, process: str, request: HttpRequest) -> HttpResponse:
        if process not in self._ports:
            self._ports[process] = self._start(process)
        return wire.send(self._ports[process], request)

    def _start(self, process: str) -> int:
        if process == "local":
            definition = define(guarded(self.issuer))
            return self.stack.enter_context(background(create_application(lambda: definition, "test", None))).port
        provider = process.partition("-")[0]
        layout = load_provider(provider).layout
        assert layout is not None
        environment = {name: os.environ[name] for name in SECRETS}
        return self.stack.enter_context(serve(process, self._lay_out(provider), layout.entry_point, environment)).port

    def _lay_out(self, name: str) -> Path:
        """Write the function's bundle, in which this machine may be the issuer as in development."""
        folder = self._folder / name
        if folder.exists():
            return folder
        folder.mkdir()
        provider, definition = load_provider(name), define(guarded(self.issuer))
        layout = provider.layout
        assert layout is not None
        for path, content in render(definition, definition.functions[0], provider, "test", event_loop=True).items():
            assert b"CONFIG" not in content or b"'development': False" in content
            (folder / path).write_bytes(content.replace(b"'development': False", b"'development': True"))
        shutil.copy(PROJECT / "guarded_api.py", folder)
        packages = folder / layout.packages_prefix
        for file in runtime_files(layout):
            (packages / file.name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.location, packages / file.name)
        installed = Path(sysconfig.get_path("purelib"))
        for module in modules_of(sys.executable, ("PyJWT", "cryptography")).split(","):
            for source in (installed / module, *installed.glob(f"{module}.*.so")):
                if source.exists():
                    (packages / source.name).symlink_to(source)
        return folder


@pytest.fixture(scope="module")
def running(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(issuer, tmp_path_factory.mktemp("functions"))
    with found.stack:
        yield found


def sendable(value: str) -> bool:
    """Tell whether a header's value crosses a socket as it stands."""
    return value.isascii() and value.isprintable() and value == value.strip()


def challenge(answer: HttpResponse) -> str | None:
    headers = dict(answer.headers)
    return headers.get("www-authenticate") or headers.get("x-amzn-remapped-www-authenticate")


@pytest.mark.parametrize("process", PROCESSES)
def test_wrong_tokens_are_401(process, running):
    for name, make in AUTHORIZATIONS.items():
        sent = make(running.issuer)
        if not sendable(sent):
            continue
        answer = running.get(process, "/who", {"authorization": sent})
        assert answer.status_code == 401, (name, answer)
        assert dict(answer.headers)["access-control-allow-origin"] == ORIGIN, name
        assert (challenge(answer) or "").startswith('Bearer realm="guarded"'), name


@pytest.mark.parametrize("process", PROCESSES)
def test_wrong_keys_are_401(process, running):
    for name, key in API_KEYS.items():
        if sendable(key):
            answer = running.get(process, "/keys", {"x-api-key": key})
            assert answer.status_code == 401, (name, answer)


@pytest.mark.parametrize("process", PROCESSES)
def test_any_one_of_the_alternatives_is_enough(process, running):
    for path, headers, status, _ in WAYS:
        token = f"Bearer {running.issuer.token()}"
        sent = {name: token if value == "TOKEN" else value for name, value in headers.items()}
        answer = running.get(process, path, sent)
        assert answer.status_code == status, (path, headers, answer)
        assert b"secret detail" not in answer.body


@pytest.mark.parametrize("process", PROCESSES)
def test_all_scopes_are_needed_each_exactly(process, running):
    for path, scope, status in SCOPES:
        token = running.issuer.token(scope=scope)
        answer = running.get(process, path, {"authorization": f"Bearer {token}"})
        assert answer.status_code == status, (path, scope, answer)


@pytest.mark.parametrize("process", PROCESSES)
def test_what_is_beyond_a_throttle_or_quota_is_429(process, running):
    answers = [
        running.get(process, path, {"x-api-key": KEY}) for path in ("/slow", "/slow-each", "/few") for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429] * 3
    for answer in answers:
        headers = dict(answer.headers)
        assert ("retry-after" in headers) == (answer.status_code == 429)
        assert headers["ratelimit-policy"].startswith('"throttle";q=')
        assert headers["ratelimit"].startswith('"throttle";r=')


@pytest.mark.parametrize("process", PROCESSES)
def test_the_authorizer_comes_before_the_size(process, running):
    body = b"x" * (4 * 1024 * 1024 + 1)
    length = (("content-length", str(len(body))),)
    assert running.send(process, HttpRequest("POST", "/who", length, body)).status_code == 401
    allowed = (*length, ("authorization", f"Bearer {running.issuer.token()}"))
    assert running.send(process, HttpRequest("POST", "/who", allowed, body)).status_code == 413
