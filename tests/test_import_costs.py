"""What a cold start on AWS imports beyond Lambda's own runtime: each module costs every function that starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

import multicloud
import multicloud_aws
from multicloud.deploy.entry import render
from multicloud.model import define
from multicloud.provider import load_provider
from tests.deploy.written import modules

MOST_MODULES = 15
"""Of this SDK and the standard library together, for an API that answers JSON."""

HEAVY = {"asyncio", "typing", "dataclasses", "inspect", "importlib.metadata", "http", "http.client", "email", "attr"}
"""Modules that cost milliseconds; awslambdaric loads none of them."""

HELLO = """
from multicloud import Api, Request

api = Api("hello")

@api.get("/hello/{name}")
def hello(request: Request, name: str) -> dict:
    return {"message": f"Hello, {name}!"}
"""

POLICIES = (
    HELLO.replace("Api, Request", "PUBLIC, Api, Cors, Function, JwtAuthorizer, NotFound, Request, Throttle")
    + """
RATE = Throttle(rate=20, burst=40)
JWT = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])
SHARED = Cors(allow_origins=["*"])
PUBLIC
"""
)

QUIET = """
from multicloud import Api
api = Api("quiet")

@api.get("/hello/{name}")
async def hello(request, name):
    return await deeper(name)

async def deeper(name):
    return {"message": f"Hello, {name}!"}

@api.middleware
async def layer(request, call_next):
    response = await call_next(request)
    response.headers["x-layer"] = "1"
    return response
"""

PROGRAM = """
import json, sys
sys.path[:0] = [{bundle!r}, {site!r}]
import awslambdaric.bootstrap
sys.path.remove({site!r})
before = set(sys.modules)
import multicloud_entry
started = set(sys.modules) - before
event = {{
    "version": "2.0", "rawPath": "/hello/Ada", "rawQueryString": "", "headers": {{"accept": "*/*"}},
    "requestContext": {{"http": {{"method": "GET", "sourceIp": "192.0.2.1"}}, "stage": "$default"}},
    "isBase64Encoded": False,
}}
answer = multicloud_entry.handler(event, None)
import app
names = {{name: type(value).__module__ for name, value in vars(app).items() if not name.startswith("_")}}
print(json.dumps([sorted(started), sorted(set(sys.modules) - before - started), answer, names, sorted(before)]))
"""


def lay_out(folder: Path, source: str, *, event_loop: bool) -> Path:
    """Make a bundle as the bundler does: the user's code, the runtime, the provider's runtime, the entry."""
    bundle = folder / "bundle"
    package = Path(multicloud.__file__).parent
    shutil.copytree(
        package / "runtime", bundle / "multicloud" / "runtime", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(package / "__init__.py", bundle / "multicloud")
    (bundle / "multicloud_aws").mkdir()
    for name in ("__init__.py", "runtime.py"):
        shutil.copy(Path(multicloud_aws.__file__).parent / name, bundle / "multicloud_aws")
    with modules(bundle, app=source) as (app,):
        definition = define(app.api)
        files = render(definition, definition.functions[0], load_provider("aws"), "live", event_loop=event_loop)
    for name, content in files.items():
        (bundle / name).write_bytes(content)
    return bundle


def cold_start(folder: Path, source: str, *, event_loop: bool = False):
    """Start a function and answer one request: (modules of the start, of the request, the answer, the app's names)."""
    bundle = lay_out(folder, source, event_loop=event_loop)
    program = PROGRAM.format(bundle=str(bundle), site=sysconfig.get_path("purelib"))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *found, before = json.loads(done.stdout)
    assert not HEAVY & set(before), "Lambda's own runtime loads what is counted here as heavy"
    return found


def strangers(names):
    """Return the modules that are neither this SDK's, the application's nor the standard library's."""
    own = {"multicloud", "multicloud_aws", "multicloud_entry", "app"}
    return {name for name in names if name.partition(".")[0] not in own | sys.stdlib_module_names}


@pytest.mark.parametrize("source", [HELLO, POLICIES, QUIET], ids=["hello", "policies", "async"])
def test_a_cold_start_imports_few_modules_and_none_of_a_third_party(tmp_path, source):
    started, asked, answer, _ = cold_start(tmp_path, source)
    assert answer["body"] == '{"message":"Hello, Ada!"}'
    ours = [name for name in started if name not in ("app", "multicloud_entry")]
    # The stand-ins for policies and the loop of async parts are one module more each.
    assert len(ours) <= MOST_MODULES, ours
    assert len(asked) <= 2, asked
    assert not strangers([*started, *asked])
    assert not HEAVY & {*started, *asked}
    assert not [name for name in started if name.startswith("multicloud.model")]


def test_a_policy_named_beside_the_handlers_is_a_stand_in(tmp_path):
    _, _, answer, names = cold_start(tmp_path, POLICIES)
    assert answer["statusCode"] == 200
    assert {names[name] for name in ("RATE", "JWT", "SHARED", "PUBLIC")} == {"multicloud.runtime.standins"}


def test_an_async_handler_that_never_waits_runs_without_asyncio(tmp_path):
    started, asked, answer, _ = cold_start(tmp_path, QUIET, event_loop=False)
    assert (answer["statusCode"], answer["headers"]["x-layer"]) == (200, "1")
    assert "asyncio" not in {*started, *asked}


def test_where_the_bundle_may_wait_asyncio_is_loaded_for_the_first_request_alone(tmp_path):
    started, asked, answer, _ = cold_start(tmp_path, QUIET, event_loop=True)
    assert (answer["statusCode"], "asyncio" in started, "asyncio" in asked) == (200, False, True)


RUNTIME = sorted(path.stem for path in (Path(multicloud.__file__).parent / "runtime").glob("*.py"))


OWN_COSTS = {"__init__", "asgi", "fetching", "jwks", "timeouts", "tokens"}
"""Modules that a function asks for by what it does, and that pay for asyncio, or for HTTP and cryptography."""


@pytest.mark.parametrize("name", [name for name in RUNTIME if name not in OWN_COSTS])
def test_each_runtime_module_imports_the_standard_library_alone_and_nothing_heavy(name):
    code = f"""
    import sys
    sys.path.insert(0, {str(Path(multicloud.__file__).parents[1])!r})
    import json, logging, re, threading, traceback, enum  # what awslambdaric has loaded
    before = set(sys.modules)
    import multicloud.runtime.{name}
    print(*(set(sys.modules) - before))
    """
    done = subprocess.run([sys.executable, "-I", "-S", "-c", dedent(code)], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert not strangers(imported)
    assert not HEAVY & imported
    assert not [one for one in imported if one.startswith("multicloud.") and not one.startswith("multicloud.runtime")]
    assert not {"urllib", "urllib.parse", "concurrent.futures", "base64", "datetime", "uuid", "decimal"} & imported
