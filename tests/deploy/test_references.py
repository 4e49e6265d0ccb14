"""Every object of the user's is found again by the expression that names it, or has no name and says so."""

from __future__ import annotations

import importlib
import sys

import pytest

from multicloud.deploy.references import Reference, find_reference, load
from multicloud.errors import DefinitionError
from tests.deploy.written import modules

APP = """
import functools
from multicloud import Api, Function

class OwnError(Exception):
    class InnerError(Exception): ...

class Greeter:
    def __call__(self, request): return "called"
    def greet(self, request): return "greeted"
    @staticmethod
    def fixed(request): return "fixed"

def first(request): return "first"
def made(request, word): return word

half = functools.partial(made, word="half")
greeter = Greeter()
bound = greeter.greet

api = Api("app")

@api.get("/rebound")
def _(request): return "one"

@api.post("/rebound")
def _(request): return "two"

api.get("/lambda")(lambda request: "lambda")
api.get("/list")([lambda request: "in a list"][0])

@api.middleware
def _(request, call_next): return call_next(request)

@api.exception_handler(KeyError, OwnError)
def _(request, error): return "caught", 409

api.mount("/app", lambda environ, start_response: [])
"""


@pytest.fixture
def app(tmp_path):
    with modules(tmp_path, app=APP) as (module,):
        yield module


def found(reference):
    """Return what a reference's expression names in a module that imports it."""
    return eval(reference.expression("_0"), {"_0": importlib.import_module(reference.module)})


@pytest.mark.parametrize(
    "name",
    ["first", "half", "greeter", "bound", "Greeter.fixed", "OwnError", "OwnError.InnerError", "api"],
)
def test_what_has_a_name_is_found_by_it(app, name):
    value = app
    for part in name.split("."):
        value = getattr(value, part)
    reference = find_reference(value, None, "")
    assert reference == Reference("app", name)
    assert found(reference) is value


@pytest.mark.parametrize("error", [KeyError, OSError, UnicodeDecodeError, BaseException])
def test_builtin_exceptions_are_found_where_they_live(error):
    assert found(find_reference(error, None, "")) is error


def test_a_library_s_exception_is_found_in_it():
    import json
    import subprocess

    assert found(find_reference(json.JSONDecodeError, None, "")) is json.JSONDecodeError
    assert found(find_reference(subprocess.TimeoutExpired, None, "")) is subprocess.TimeoutExpired


def test_what_lost_its_name_is_found_through_its_recorder(app):
    for route in app.api.routes:
        path = f'["{route.method} {route.path}"]'
        assert found(find_reference(route.handler, app.api, path)) is route.handler, path
    assert found(find_reference(app.api.middlewares[0], app.api, ".middlewares[0]")) is app.api.middlewares[0]
    pair = app.api.exception_handlers[1]
    assert found(find_reference(pair[1], app.api, ".exception_handlers[1][1]")) is pair[1]
    assert found(find_reference(app.api.mounts[0][1], app.api, ".mounts[0][1]")) is app.api.mounts[0][1]


def test_a_rebound_name_is_never_taken_for_the_object_it_no_longer_names(app):
    first_underscore = app.api.routes[0].handler
    assert first_underscore.__qualname__ == "_"
    assert find_reference(first_underscore, None, "") is None


def test_what_has_neither_a_name_nor_a_recorder_has_no_reference(app):
    assert find_reference(lambda request: 1, None, "") is None
    assert find_reference(app.Greeter(), None, "") is None

    def local(request): ...

    assert find_reference(local, None, "") is None
    nameless = type(app.api)("nameless")
    assert find_reference(lambda request: 1, nameless, ".middlewares[0]") is None


def test_what_lives_in_the_program_itself_cannot_be_imported(monkeypatch):
    def handler(request): ...

    handler.__module__, handler.__qualname__ = "__main__", "handler"
    monkeypatch.setattr(sys.modules["__main__"], "handler", handler, raising=False)
    assert find_reference(handler, None, "") is None


def test_a_recorder_is_named_where_it_was_made_rather_than_where_it_was_collected(tmp_path):
    parts = 'from multicloud import Function\npart = Function("part")\npart.get("/")(lambda request: 1)\n'
    whole = 'from multicloud import Api\nfrom zz_part import part\napi = Api("whole", functions=[part])\n'
    with modules(tmp_path, zz_part=parts, aa_whole=whole) as (part, _):
        assert find_reference(part.part, None, "") == Reference("zz_part", "part")


def test_a_name_given_as_text_is_loaded(app):
    assert load("app:first") is app.first
    assert load("app:Greeter.fixed") is app.Greeter.fixed
    assert load("os.path:join").__name__ == "join"
    assert load(app.first) is app.first


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("nowhere:x", "No module named 'nowhere'"),
        ("app:nothing", "has no attribute 'nothing'"),
        ("app:Greeter.nothing", "has no attribute 'nothing'"),
    ],
)
def test_a_name_that_leads_nowhere_says_where_it_ends(app, name, got):
    with pytest.raises(DefinitionError) as caught:
        load(name)
    (problem,) = caught.value.problems
    assert (problem.place, problem.expected) == (f"handler {name}", "a name that can be imported")
    assert got in problem.got
