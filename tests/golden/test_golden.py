"""The generated entry files of a fixed API, byte for byte: a change of what is deployed is seen in review.

After a change that is meant: ``python -m tests.golden.entries``.
"""

from __future__ import annotations

import ast
import inspect
from types import SimpleNamespace

import azure.functions as func
import flask
import pytest

from multicloud.provider import HttpRequest
from multicloud_aws.exchange import LambdaContext, http_api_event
from multicloud_gcp.exchange import build_environ
from tests.golden.entries import FOLDER, entries, kept


def test_the_same_files_are_generated():
    assert sorted(entries()) == sorted(kept())


@pytest.mark.parametrize("name", sorted(entries()))
def test_a_file_is_the_one_that_is_kept(name):
    assert entries()[name].decode() == kept()[name].decode()


@pytest.mark.parametrize("name", [name for name in sorted(kept()) if name.endswith(".py")])
def test_a_kept_module_is_python_that_a_person_can_read(name):
    text = (FOLDER / name).read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree).startswith("Function ")
    assert "\t" not in text


def executed(name):
    namespace: dict = {"__name__": "entry"}
    exec(compile(kept()[name], name, "exec"), namespace)
    return namespace


def ask_aws(function, target):
    handler = executed(f"aws/{function}/multicloud_entry.py")["handler"]
    result = handler(http_api_event(HttpRequest("GET", target)), LambdaContext(2e9))
    return result["statusCode"], result["body"], result["headers"]["x-shop"]


def ask_gcp(function, target):
    native = executed(f"gcp/{function}/main.py")["main"](flask.Request(build_environ(HttpRequest("GET", target))))
    return native.status_code, native.get_data(as_text=True), native.headers["x-shop"]


def ask_azure(function, target):
    import asyncio

    app = executed(f"azure/{function}/function_app.py")["app"]
    (registered,) = app.get_functions()
    assert registered.get_function_name() == function
    call = registered.get_user_function()
    request = func.HttpRequest(method="GET", url="https://shop.azurewebsites.net" + target, body=b"")
    native = call(request, SimpleNamespace(invocation_id="i"))
    native = asyncio.run(native) if inspect.iscoroutine(native) else native
    return native.status_code, native.get_body().decode(), native.headers["x-shop"]


@pytest.mark.parametrize("ask", [ask_aws, ask_gcp, ask_azure])
@pytest.mark.parametrize(
    ("function", "target", "body"),
    [
        ("orders", "/orders/5", '{"order":"5"}'),
        ("orders", "/files/a/b", "a/b"),
        ("orders", "/legacy/x", "legacy"),
        ("shop", "/orders/5/state", "5 is open"),
    ],
)
def test_a_kept_module_answers(ask, function, target, body):
    assert ask(function, target) == (200, body, "live")
