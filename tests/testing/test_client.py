from __future__ import annotations

import json

import pytest

from multicloud import Cookie, Response
from multicloud.errors import DefinitionError, MissingDependency, ProviderError
from multicloud.model import IamAuthorizer, define
from multicloud.provider import HttpRequest, load_provider, provider_entry_points
from multicloud.runtime.recorder import Api
from multicloud.testing import TestClient

SHAPES = [shape for name in provider_entry_points() for shape in load_provider(name).shapes]


def echo() -> Api:
    api = Api("echo")

    @api.route("/{path+}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def answer(request, path):
        return Response(
            {
                "method": request.method,
                "path": request.path,
                "query": request.query.multi_items(),
                "headers": {name: request.headers.get(name) for name in ("x-a", "content-type", "content-length")},
                "cookies": request.cookies,
                "body": request.body.decode(),
                "seen": [request.provider, request.stage],
            },
            201,
            headers={"x-b": "1"},
            cookies=[Cookie("a", "1"), Cookie("b", "2")],
        )

    return api


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_reaches_the_handler_through_every_shape(shape):
    client = TestClient(echo(), shape, stage="qa")
    response = client.request(
        "POST",
        "/café/a b?x=1",
        headers=[("X-A", "1"), ("X-A", "2")],
        params={"y": ["2", "3"], "z": ""},
        json={"k": "é"},
        cookies={"c": "1", "d": "2"},
    )
    seen = response.json()
    assert (seen["method"], seen["path"]) == ("POST", "/café/a b")
    assert seen["query"] == [["x", "1"], ["y", "2"], ["y", "3"], ["z", ""]]
    assert seen["headers"]["x-a"] == "1,2"
    assert seen["headers"]["content-type"] == "application/json"
    assert int(seen["headers"]["content-length"]) == len(seen["body"].encode())
    assert json.loads(seen["body"]) == {"k": "é"}
    assert seen["cookies"] == {"c": "1", "d": "2"}
    assert seen["seen"] == [shape.partition("-")[0], "qa"]
    assert (response.status_code, response.headers["X-B"]) == (201, "1")
    assert response.cookies == {"a": "1", "b": "2"}
    assert len(response.set_cookies) == 2
    assert response.text == response.content.decode()


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_each_method_has_a_call_of_its_name(method):
    assert getattr(TestClient(echo()), method)("/x", headers={"X-A": "1"}).json()["method"] == method.upper()


def test_head_and_options_have_one_too():
    client = TestClient(echo())
    assert (client.head("/x").status_code, client.head("/x").content) == (201, b"")
    assert "GET" in client.options("/x").headers["allow"]


def test_an_escape_in_a_path_is_kept():
    assert TestClient(echo()).get("/a%2Fb%20c").json()["path"] == "/a/b c"


def test_a_request_can_be_sent_exactly_as_it_stands():
    response = TestClient(echo()).send(HttpRequest("GET", "/%41", (("X-A", "1"),)))
    assert json.loads(response.body)["path"] == "/A"


def test_a_body_is_sent_as_it_is():
    client = TestClient(echo())
    assert client.post("/x", content="é").json()["body"] == "é"
    assert client.post("/x", content=b"raw").json()["body"] == "raw"


def test_what_is_no_json_says_so():
    api = Api("text")
    api.get("/")(lambda request: b"\xff")
    response = TestClient(api).get("/")
    assert response.text == "\ufffd"
    with pytest.raises(ValueError, match=r".*"):
        response.json()


def test_a_definition_is_taken_as_well_as_an_api():
    assert TestClient(define(echo())).get("/x").status_code == 201


def test_an_unknown_shape_names_the_known_ones():
    with pytest.raises(ProviderError, match=r"aws, aws-rest, aws-url, aws-alb"):
        TestClient(echo(), "aws-xml")
    with pytest.raises(ProviderError, match=r"no provider 'nowhere'; installed: .*aws.*local"):
        TestClient(echo(), "nowhere")


def test_a_faulty_api_is_a_definition_error():
    with pytest.raises(DefinitionError, match="at least one route"):
        TestClient(Api("empty"))
    with pytest.raises(DefinitionError):
        TestClient("app:api")


def test_a_refused_feature_is_a_definition_error():
    private = Api("private", authorizer=IamAuthorizer())
    private.get("/")(lambda request: 1)
    for name in ("local", "azure", "gcp"):
        with pytest.raises(DefinitionError, match=r"authorizer\.iam"):
            TestClient(private, name)


@pytest.mark.parametrize(("shape", "module"), [("gcp", "flask"), ("azure", "azure.functions")])
def test_a_missing_package_says_which_command_installs_it(shape, module, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingDependency, match=rf"pip install 'multicloud\[{shape}\]'"):
        TestClient(echo(), shape)


def test_requests_at_the_same_time_are_answered_apart():
    from concurrent.futures import ThreadPoolExecutor

    client = TestClient(echo(), "gcp")
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda number: client.get(f"/{number}").json()["path"], range(40)))
    assert paths == [f"/{number}" for number in range(40)]
