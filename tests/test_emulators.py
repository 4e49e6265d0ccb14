"""The test clouds themselves: hand-written bundles show that each host does what its platform is documented to do."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.emulators import Host, StartupError, azure_http, azure_routes, lambda_host, serve

AWS = """
import base64, importlib, json, os, time

def handler(event, context):
    path = event.get("rawPath") or event["path"]
    first, _, rest = path[1:].partition("/")
    if first == "crash": raise RuntimeError("a secret detail")
    if first == "exit": os._exit(7)
    if first == "sleep": time.sleep(30)
    if first == "malformed": return {"statusCode": 200, "body": {"not": "text"}}
    if first == "big": return {"statusCode": 200, "body": "x" * int(rest)}
    if first == "split": return {"statusCode": 200, "headers": {"x-a": "1\\r\\nx-b: 2"}}
    if first == "value": return {"plain": "value"}
    if first == "cookies":
        lines = ["a=1; Path=/; Partitioned", "b=x y"]
        if "rawPath" in event: return {"statusCode": 200, "cookies": lines, "headers": {"X-One": 1}}
        return {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": lines}, "headers": {"WWW-Authenticate": "Basic"}}
    if first == "body":
        return {"statusCode": 200, "isBase64Encoded": event["isBase64Encoded"], "body": event["body"],
                "headers": {"content-type": "application/octet-stream"}}
    if first == "import":
        try: answer = importlib.import_module(rest).__file__
        except ImportError as error: answer = repr(error)
        return {"statusCode": 200, "body": json.dumps(answer)}
    if first == "environment": return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
    return {"statusCode": 200, "body": json.dumps(event), "headers": {"content-type": "application/json"}}
"""

GCP = """
import importlib, json, os
import flask

def handler(request):
    first, _, rest = request.path[1:].partition("/")
    if first == "crash": raise RuntimeError("a secret detail")
    if first == "exit": os._exit(7)
    if first == "cookies": return "", 200, [("Set-Cookie", "a=1; Path=/; Partitioned"), ("Set-Cookie", "b=x y")]
    if first == "body": return request.get_data(), 200, {"content-type": "application/octet-stream"}
    if first == "import":
        try: answer = importlib.import_module(rest).__file__
        except ImportError as error: answer = repr(error)
        return json.dumps(answer)
    if first == "environment": return json.dumps(dict(os.environ))
    seen = {"path": request.path, "raw": request.environ["RAW_URI"], "headers": dict(request.headers),
            "query": request.args.to_dict(flat=False), "cookies": request.cookies.to_dict(flat=False)}
    return json.dumps(seen), 200, {"content-type": "application/json"}
"""

AZURE = """
import importlib, json, os
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.function_name("handler")
@app.route(route="{*path}")
def handler(req: func.HttpRequest) -> func.HttpResponse:
    first, _, rest = req.route_params.get("path", "").partition("/")
    if first == "crash": raise RuntimeError("a secret detail")
    if first == "exit": os._exit(7)
    if first == "empty": return func.HttpResponse(status_code=204)
    if first == "cookies":
        response = func.HttpResponse("")
        for line in ("a=1; Path=/; Partitioned", "b=x==y/z; Path=/; SameSite=Lax; HttpOnly; Secure; Max-Age=60"):
            response.headers.add("Set-Cookie", line)
        response.headers.add("Vary", "Accept")
        response.headers.add("Vary", "Origin")
        return response
    if first == "body": return func.HttpResponse(req.get_body(), mimetype="application/octet-stream")
    if first == "import":
        try: answer = importlib.import_module(rest).__file__
        except ImportError as error: answer = repr(error)
        return func.HttpResponse(json.dumps(answer))
    if first == "environment": return func.HttpResponse(json.dumps(dict(os.environ)))
    seen = {"url": req.url, "route": dict(req.route_params), "headers": dict(req.headers), "params": dict(req.params)}
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")
"""

HOST_JSON = '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}'
BUNDLES = {
    "aws": ({"app.py": AWS}, "app.handler"),
    "aws-rest": ({"app.py": AWS}, "app.handler"),
    "gcp": ({"main.py": GCP}, "handler"),
    "azure": ({"function_app.py": AZURE, "host.json": HOST_JSON}, "function_app"),
}
SHAPES = pytest.mark.parametrize("shape", list(BUNDLES))
OWN_PACKAGE = {"aws": "", "aws-rest": "", "gcp": "", "azure": ".python_packages/lib/site-packages/"}


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def send(host: Host, method: str, target: str, headers: Sequence[tuple[str, str]] = (), body: Any = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)
    chunked = ("Transfer-Encoding", "chunked") in headers
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None and not chunked:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body, encode_chunked=chunked)
    response = connection.getresponse()
    answer = Answer(response.status, response.getheaders(), response.read())
    connection.close()
    return answer


def send_raw(host: Host, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR) if b"close" not in text else None
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running: dict[str, tuple[Any, Host]] = {}

    def host(shape: str) -> Host:
        if shape not in running:
            files, entry_point = BUNDLES[shape]
            # A package of the name of ours inside the bundle: the one that may be imported.
            own = {OWN_PACKAGE[shape] + "multicloud/__init__.py": ""}
            context = serve(shape, write(tmp_path_factory.mktemp("bundle"), files | own), entry_point, {"GIVEN": "1"})
            running[shape] = context, context.__enter__()
        return running[shape][1]

    yield host
    for context, _ in running.values():
        context.__exit__(None, None, None)


@SHAPES
def test_a_binary_body_comes_back_as_it_was_sent(shape: str, hosts: Any) -> None:
    blob = bytes(range(256)) * 300
    answer = send(hosts(shape), "POST", "/body", [("Content-Type", "application/octet-stream")], blob)
    assert (answer.status, answer.body) == (200, blob)


@SHAPES
def test_a_handler_that_raises_gives_the_platforms_answer_and_the_instance_goes_on(shape: str, hosts: Any) -> None:
    host = hosts(shape)
    answer = send(host, "GET", "/crash")
    assert b"secret" not in answer.body
    assert answer.status == (502 if shape == "aws-rest" else 500)
    assert "a secret detail" in host.log()
    if shape == "aws":
        assert answer.json() == {"message": "Internal Server Error"}
    if shape == "azure":
        assert answer.body == b""
    assert send(host, "GET", "/after").status == 200


@SHAPES
def test_a_process_that_dies_is_started_again(shape: str, hosts: Any) -> None:
    host = hosts(shape)
    try:
        status = send(host, "GET", "/exit").status
    except http.client.RemoteDisconnected:
        status = 0
    assert status == {"aws": 500, "aws-rest": 502, "gcp": 0, "azure": 500}[shape]
    deadline = time.monotonic() + 10
    while True:
        try:
            assert send(host, "GET", "/after").status == 200
            return
        except OSError:
            assert time.monotonic() < deadline


@SHAPES
def test_the_process_has_the_functions_environment_and_not_ours(shape: str, hosts: Any) -> None:
    seen = send(hosts(shape), "GET", "/environment").json()
    assert seen["GIVEN"] == "1"
    assert not {name for name in seen if name.startswith("PYTEST")}
    assert os.environ["PYTEST_CURRENT_TEST"]


@SHAPES
def test_only_the_bundle_and_the_runtimes_packages_can_be_imported(shape: str, hosts: Any) -> None:
    host = hosts(shape)
    assert f"bundle/{OWN_PACKAGE[shape]}multicloud/__init__.py" in send(host, "GET", "/import/multicloud").json()
    for module in ("multicloud_aws", "multicloud.model", "tests", "pytest", "httptools"):
        assert f"No module named '{module}'" in send(host, "GET", f"/import/{module}").json()


@SHAPES
def test_a_bundle_that_cannot_be_imported_fails_with_the_end_of_the_log(shape: str, tmp_path: Path) -> None:
    files, entry_point = BUNDLES[shape]
    broken = {name: text if name.endswith(".json") else "import not_there_at_all" for name, text in files.items()}
    with pytest.raises(StartupError, match="not_there_at_all"), serve(shape, write(tmp_path, broken), entry_point):
        pass


@SHAPES
def test_a_zip_is_served_in_well_under_a_second_and_ends_with_the_context(shape: str, tmp_path: Path) -> None:
    files, entry_point = BUNDLES[shape]
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    with serve(shape, bundle, entry_point) as host:
        assert send(host, "POST", "/body", (), b"zipped").body == b"zipped"
        assert 0 < host.startup_ms < 5_000
    with pytest.raises(ProcessLookupError):
        os.kill(host.pid, 0)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", host.port))


def test_an_http_api_decodes_the_path_cuts_it_at_a_question_mark_and_leaves_the_query_raw(hosts: Any) -> None:
    event = send(hosts("aws"), "GET", "/a%20b%2Fc/%ff/d%3Fe/f?x=1&x=2&y=&z=%20+").json()
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/a b/c/�/d"
    assert event["rawQueryString"] == "x=1&x=2&y=&z=%20+"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "", "z": "  "}


def test_an_http_api_joins_headers_and_takes_cookies_out_of_them(hosts: Any) -> None:
    headers = [("X-A", "1"), ("x-a", "2"), ("Cookie", "k=v; l=w"), ("X-Forwarded-For", "6.6.6.6")]
    event = send(hosts("aws"), "GET", "/", headers).json()
    assert event["headers"]["x-a"] == "1,2"
    assert event["headers"]["x-forwarded-for"] == "6.6.6.6, 127.0.0.1"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["k=v", "l=w"]
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["stage"] == "$default"
    assert "body" not in event


@pytest.mark.parametrize(
    ("content_type", "body", "is_text"),
    [
        ("application/json; charset=utf-8", b'{"a": "\xc3\xa9"}', True),
        ("text/csv", b"a,b", True),
        ("application/xml", b"<a/>", True),
        ("text/plain", b"\xff", False),
        ("application/x-www-form-urlencoded", b"a=1", False),
        ("application/vnd.api+json", b"{}", False),
    ],
)
def test_an_http_api_sends_text_types_as_text_and_the_rest_as_base64(
    content_type: str, body: bytes, is_text: bool, hosts: Any
) -> None:
    event = send(hosts("aws"), "POST", "/", [("Content-Type", content_type)], body).json()
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == (body.decode() if is_text else base64.b64encode(body).decode())


def test_an_http_api_answers_cookies_values_and_malformed_results_as_documented(hosts: Any) -> None:
    host = hosts("aws")
    answer = send(host, "GET", "/cookies")
    assert answer.values("set-cookie") == ["a=1; Path=/; Partitioned", "b=x y"]
    assert answer.values("x-one") == ["1"]
    value = send(host, "GET", "/value")
    assert (value.json(), value.values("content-type")) == ({"plain": "value"}, ["application/json"])
    malformed = send(host, "GET", "/malformed")
    assert (malformed.status, malformed.json()) == (500, {"message": "Internal Server Error"})
    split = send(host, "GET", "/split")
    assert (split.status, split.values("x-b")) == (500, [])


def test_a_chunked_body_reaches_lambda(hosts: Any) -> None:
    chunks = [b"one", b"two"]
    headers = [("Transfer-Encoding", "chunked"), ("Content-Type", "text/plain")]
    event = send(hosts("aws"), "POST", "/", headers, chunks).json()
    assert (event["body"], event["headers"]["content-length"]) == ("onetwo", "6")


def test_lambda_carries_six_megabytes_either_way(hosts: Any) -> None:
    host = hosts("aws")
    assert send(host, "GET", "/big/6000000").status == 200
    assert send(host, "GET", "/big/6300000").status == 500
    # Base64 makes 4.8 MB of binary too much.
    assert send(host, "POST", "/big/1", (), bytes(4_500_000)).status == 200
    assert send(host, "POST", "/big/1", (), bytes(4_800_000)).status == 413


def test_an_invocation_that_overruns_is_killed_and_the_next_one_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_host, "INVOCATION_SECONDS", 0.5)
    with serve("aws", write(tmp_path, {"app.py": AWS}), "app.handler") as host:
        assert send(host, "GET", "/sleep").status == 500
        monkeypatch.setattr(lambda_host, "INVOCATION_SECONDS", 20)
        assert send(host, "GET", "/after").status == 200


def test_a_rest_api_keeps_the_path_encoded_and_sends_lists(hosts: Any) -> None:
    headers = [("X-A", "1"), ("X-A", "2"), ("Content-Type", "application/json")]
    event = send(hosts("aws-rest"), "POST", "/a%20b%2Fc?x=1&x=%32;y=", headers, b"{}").json()
    assert "version" not in event
    assert (event["path"], event["pathParameters"]) == ("/a%20b%2Fc", {"proxy": "a b/c"})
    assert event["requestContext"]["path"] == "/prod/a%20b%2Fc"
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert (event["headers"]["X-A"], event["multiValueHeaders"]["X-A"]) == ("2", ["1", "2"])
    assert (event["isBase64Encoded"], event["body"]) == (True, base64.b64encode(b"{}").decode())


def test_a_rest_api_renames_www_authenticate_and_refuses_what_is_malformed(hosts: Any) -> None:
    host = hosts("aws-rest")
    answer = send(host, "GET", "/cookies")
    assert answer.values("set-cookie") == ["a=1; Path=/; Partitioned", "b=x y"]
    assert answer.values("x-amzn-remapped-www-authenticate") == ["Basic"]
    assert answer.values("www-authenticate") == []
    assert send(host, "GET", "/?a={b}").status == 400
    assert send(host, "GET", "/value").status == 502


def test_functions_framework_decodes_the_path_and_keeps_the_raw_one(hosts: Any) -> None:
    seen = send(hosts("gcp"), "GET", "/a%20b%2Fc?x=1&x=2&y=", [("X-A", "1"), ("x-a", "2"), ("Cookie", "k=v")]).json()
    assert (seen["path"], seen["raw"]) == ("/a b/c", "/a%20b%2Fc?x=1&x=2&y=")
    assert seen["query"] == {"x": ["1", "2"], "y": [""]}
    assert seen["headers"]["X-A"] == "1,2"
    assert seen["cookies"] == {"k": ["v"]}
    assert send(hosts("gcp"), "GET", "/cookies").values("set-cookie") == ["a=1; Path=/; Partitioned", "b=x y"]


def test_azure_gives_a_re_encoded_url_merged_parameters_and_joined_headers(hosts: Any) -> None:
    target = "/a%20b%2Fc/x/../d%252Fe?q=1&Q=2&z=&q="
    headers = [("X-A", "1"), ("x-a", "2"), ("Cookie", "k=v"), ("X-WAWS-Unencoded-URL", "/forged")]
    seen = send(hosts("azure"), "GET", target, headers).json()
    assert seen["url"].partition("127.0.0.1:")[2].partition("/")[2] == "a%20b%2Fc/d%2Fe?q=1&Q=2&z=&q="
    assert seen["params"] == {"q": "1,2"}
    assert seen["route"] == {"path": "a b%2Fc/d%2Fe"}
    assert seen["headers"]["x-a"] == "1,2"
    assert seen["headers"]["cookie"] == "k=v"
    assert seen["headers"]["x-waws-unencoded-url"] == target


def test_azure_drops_a_chunked_body(hosts: Any) -> None:
    assert send(hosts("azure"), "POST", "/body", [("Transfer-Encoding", "chunked")], [b"lost"]).body == b""


def test_azure_keeps_the_last_header_drops_odd_cookies_and_rewrites_the_others(hosts: Any) -> None:
    answer = send(hosts("azure"), "GET", "/cookies")
    assert answer.values("vary") == ["Origin"]
    rewritten = "b=x%3D%3Dy%2Fz; max-age=60; path=/; secure; samesite=lax; httponly"
    assert answer.values("set-cookie") == [rewritten]


def test_azure_states_a_content_type_even_without_a_body(hosts: Any) -> None:
    answer = send(hosts("azure"), "GET", "/empty")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.values("content-type") == ["text/plain; charset=utf-8"]
    assert send(hosts("azure"), "GET", "/").status == 200


def test_azure_routes_by_prefix_and_method_and_asks_for_the_key(tmp_path: Path) -> None:
    source = """
import azure.functions as func
app = func.FunctionApp()
@app.route(route="items/{id:int}", methods=["GET"])
def item(req: func.HttpRequest) -> func.HttpResponse: return func.HttpResponse("item " + req.route_params["id"])
@app.route(route="items/{name}")
def named(req: func.HttpRequest) -> func.HttpResponse: return func.HttpResponse("named")
"""
    bundle = write(tmp_path, {"function_app.py": source, "host.json": '{"version": "2.0"}'})
    with serve("azure", bundle, "function_app.py") as host:
        key = [("x-functions-key", host.function_key)]
        assert send(host, "GET", "/api/items/7").status == 401
        assert send(host, "GET", "/api/items/7", key).body == b"item 7"
        assert send(host, "GET", f"/api/Items/x/?code={host.function_key}").body == b"named"
        assert send(host, "POST", "/api/items/7", key).body == b"named"
        assert send(host, "GET", "/items/7", key).status == 404
        assert b"up and running" in send(host, "GET", "/").body


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("a/{*rest}", "/a/b//c/", {"rest": "b//c/"}),
        ("a/{*rest}", "/a", {}),
        ("{*rest}", "/", {}),
        ("a/{b}", "/A/x/", {"b": "x"}),
        ("a/{b}", "/a//", None),
        ("a/{b?}", "/a", {}),
        ("a/{b:int}", "/a/x", None),
        ("a", "/a/b", None),
    ],
)
def test_a_template_matches_as_in_asp_net(template: str, path: str, values: dict[str, str] | None) -> None:
    assert azure_routes.parse("id", template, (), "anonymous", "req").match(path) == values


@pytest.mark.parametrize(
    ("raw", "decoded", "escaped"),
    [
        ("/a%20b", "/a b", "/a%20b"),
        ("/%2F%2f", "/%2F%2f", "/%2F%2f"),
        ("/%252F", "/%2F", "/%2F"),
        ("/%ff/%E2%82/%E2%82%AC", "/%ff/%E2%82/€", "/%ff/%E2%82/%E2%82%AC"),
        ("/a/%2e%2e/b/.", "/b/", "/b/"),
        ("/100%25", "/100%", "/100%25"),
        ("//a;b=1", "//a;b=1", "//a;b=1"),
    ],
)
def test_a_path_is_read_as_by_kestrel(raw: str, decoded: str, escaped: str) -> None:
    assert azure_http.decoded_path(raw) == decoded
    assert azure_http.escaped_path(decoded) == escaped


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"nonsense\r\n\r\n",
    ],
)
def test_the_front_refuses_ambiguous_requests(head: bytes, hosts: Any) -> None:
    assert send_raw(hosts("aws"), head).startswith(b"HTTP/1.1 400 ")


def test_the_front_answers_pipelined_requests_in_order_and_sends_no_body_for_head(hosts: Any) -> None:
    first = b"GET /value HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"HEAD /value HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = send_raw(hosts("aws"), first + last)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.count(b'{"plain":"value"}') == 1
    assert received.endswith(b"connection: close\r\n\r\n")
