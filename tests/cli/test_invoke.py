"""``multicloud invoke``: one request, in process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Execute, Invoke

pytestmark = pytest.mark.usefixtures("project")


def test_the_body_is_on_stdout_and_all_else_on_stderr(execute: Execute) -> None:
    ended = execute("invoke", "GET /orders/1")
    assert ended.returncode == 0
    assert ended.stdout == '{"order_id":"1"}'
    assert ended.stderr == (
        "said while importing\nsaid while answering\n200\ncontent-type: application/json\ncontent-length: 16\n"
    )


def test_a_path_alone_is_a_get_and_with_data_a_post(invoke: Invoke) -> None:
    assert json.loads(invoke("invoke", "/orders/2").stdout) == {"order_id": "2"}
    assert json.loads(invoke("invoke", "/orders", "--data", '{"sku": 1}').stdout) == {"got": {"sku": 1}}


def test_method_and_header_are_sent(invoke: Invoke) -> None:
    result = invoke("invoke", "/orders", "--method", "POST", "--data", "[1]", "--header", "X-Kind: gift")
    assert "201\n" in result.stderr
    assert "x-kind: gift\n" in result.stderr
    assert "405\n" in invoke("invoke", "/orders/1", "--method", "DELETE").stderr


def test_query_parameters_are_encoded_and_added(invoke: Invoke) -> None:
    result = invoke("invoke", "GET /echo?a=1", "--query", "b=x y&z", "--query", "b=é", "--query", "c=")
    assert json.loads(result.stdout)["query"] == [["a", "1"], ["b", "x y&z"], ["b", "é"], ["c", ""]]


def test_a_path_is_percent_encoded_and_an_escape_kept(invoke: Invoke) -> None:
    assert json.loads(invoke("invoke", "GET /orders/a b").stdout) == {"order_id": "a b"}
    assert json.loads(invoke("invoke", "GET /orders/caf%C3%A9").stdout) == {"order_id": "café"}


def test_a_route_is_named_by_its_operation_id(invoke: Invoke) -> None:
    assert json.loads(invoke("invoke", "create_order", "--data", "1").stdout) == {"got": 1}


def test_a_function_with_one_route_of_a_method_is_named_by_its_name(project: Path, invoke: Invoke) -> None:
    assert json.loads(invoke("invoke", "orders", "--method", "POST", "--data", "1").stdout) == {"got": 1}


def test_a_name_that_is_no_single_path_is_told_with_the_routes(invoke: Invoke) -> None:
    many = invoke("invoke", "orders")
    assert many.exit_code == 2
    assert many.stderr.endswith(
        '\'orders\' does not name one path; write the route: "GET /orders/{order_id}", "POST /orders"\n'
    )
    assert invoke("invoke", "read_order").stderr.endswith('write the route: "GET /orders/{order_id}"\n')


def test_an_unknown_name_is_told_with_the_nearest(invoke: Invoke) -> None:
    result = invoke("invoke", "reed_order")
    assert result.exit_code == 2
    assert result.stderr.endswith("no operation_id or function 'reed_order'; did you mean 'read_order'?\n")
    assert invoke("invoke", "zzz").stderr.endswith("'zzz'; 'multicloud routes' lists them\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET /echo", "--method", "POST"), "'GET /echo' states GET, --method states POST: leave one out"),
        (("/echo", "--header", "x"), "Invalid value for --header: expected NAME:VALUE, got 'x'"),
        (("/echo", "--query", "=x"), "Invalid value for --query: expected NAME=VALUE, got '=x'"),
    ],
)
def test_wrong_usage_is_told(invoke: Invoke, arguments: tuple[str, ...], message: str) -> None:
    result = invoke("invoke", *arguments)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: {message}\n")


@pytest.mark.parametrize(("path", "status", "code"), [("/broken", 500, 1), ("/nowhere", 404, 0)])
def test_a_server_error_fails_and_a_client_error_does_not(invoke: Invoke, path: str, status: int, code: int) -> None:
    result = invoke("invoke", path)
    assert result.exit_code == code
    assert json.loads(result.stdout)["status"] == status


def test_json_holds_status_headers_and_body(invoke: Invoke) -> None:
    result = invoke("invoke", "/orders/1", "--json")
    assert json.loads(result.stdout) == {
        "status_code": 200,
        "headers": [["content-type", "application/json"], ["content-length", "16"]],
        "body": '{"order_id":"1"}',
    }


def test_a_body_that_is_no_text_is_written_as_it_is_and_base64_in_json(invoke: Invoke) -> None:
    assert invoke("invoke", "raw").stdout_bytes == b"\xff\x00"
    assert json.loads(invoke("invoke", "raw", "--json").stdout)["body_base64"] == "/wA="


def test_a_body_is_json_unless_a_header_says_otherwise(project: Path, invoke: Invoke) -> None:
    app = (project / "app.py").read_text().replace('@api.get("/echo")', '@api.post("/echo")')
    (project / "app.py").write_text(app)
    assert json.loads(invoke("invoke", "echo", "--data", "x").stdout)["type"] == "application/json"
    sent = invoke("invoke", "echo", "--data", "x", "--header", "Content-Type: text/plain").stdout
    assert json.loads(sent)["type"] == "text/plain"


def test_handlers_see_the_stage_of_the_environment(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICLOUD_STAGE", "prod")
    assert json.loads(invoke("invoke", "echo").stdout)["stage"] == "prod"
