from __future__ import annotations

from pathlib import Path

import pytest

from multicloud.model import FunctionDefinition, RouteDefinition
from tests.model.problems import places_of, problems_of

ROUTE = RouteDefinition("GET", "/", "app:handler")


def function(name="orders", **settings):
    return FunctionDefinition(name, routes=[ROUTE], **settings)


@pytest.mark.parametrize("name", ["a", "a1", "orders", "orders-2", "a" * 40])
def test_a_name_that_every_cloud_takes_is_accepted(name):
    assert function(name).name == name


@pytest.mark.parametrize("name", ["", "1a", "-a", "a-", "Orders", "a_b", "a.b", "é", "a" * 41, "a\n", None, 5])
def test_a_name_that_some_cloud_refuses_is_refused(name):
    (problem,) = problems_of(lambda: function(name))
    assert problem.place.startswith("function ")
    assert problem.place.endswith(": name")


def test_the_defaults_are_those_of_the_docstring():
    made = function()
    assert (made.memory_mb, made.timeout_seconds, made.architecture) == (512, 29, "x86_64")
    assert (made.min_instances, made.max_instances, made.concurrency) == (0, None, None)
    assert (dict(made.environment), dict(made.secrets), made.dependencies, made.extras) == ({}, {}, (), ())


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("memory_mb", 127),
        ("memory_mb", 32_769),
        ("memory_mb", 512.0),
        ("timeout_seconds", 0),
        ("timeout_seconds", 30),
        ("min_instances", -1),
        ("max_instances", 0),
        ("concurrency", 1001),
        ("architecture", "amd64"),
        ("dependencies", ""),
        ("dependencies", 5),
        ("extras", "web"),
        ("throttle", (5, 5)),
        ("quota", 5),
        ("authorizer", "jwt"),
        ("middleware", [5]),
        ("environment", ["A"]),
    ],
)
def test_a_setting_out_of_range_is_reported_by_name(field, wrong):
    (problem,) = problems_of(lambda: function(**{field: wrong}))
    assert problem.place.split("[")[0] == f"function orders: {field}"


def test_a_timeout_over_the_portable_limit_is_refused_with_the_reason():
    (problem,) = problems_of(lambda: function(timeout_seconds=60))
    assert "gateway" in problem.hint


def test_fewer_instances_at_most_than_at_least_is_refused():
    assert places_of(lambda: function(min_instances=3, max_instances=2)) == ["function orders: min_instances"]
    assert function(min_instances=2, max_instances=2)


@pytest.mark.parametrize(
    "name",
    [
        "AWS_REGION",
        "aws_region",
        "X_GOOGLE_A",
        "FUNCTIONS_WORKER_RUNTIME",
        "WEBSITE_RUN_FROM_PACKAGE",
        "PORT",
        "K_SERVICE",
        "FUNCTION_TARGET",
        "AzureWebJobsStorage",
        "MULTICLOUD_STAGE",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "A",
        "1A",
        "A-B",
        "A.B",
        "",
        "A=B",
        "É1",
    ],
)
def test_a_variable_that_a_platform_reserves_or_refuses_is_refused(name):
    assert places_of(lambda: function(environment={name: "x"})) == [f"function orders: environment[{name}]"]
    assert places_of(lambda: function(secrets={name: "x"})) == [f"function orders: secrets[{name}]"]


@pytest.mark.parametrize("name", ["LOG_LEVEL", "AB", "Table_1", "PORTAL", "KEY", "AWSOME"])
def test_any_other_variable_is_accepted(name):
    assert dict(function(environment={name: "x"}).environment) == {name: "x"}


def test_the_value_of_a_variable_is_text_and_is_never_shown():
    (problem,) = problems_of(lambda: function(environment={"API_TOKEN": b"hunter2"}))
    assert "hunter2" not in str(problem)
    assert places_of(lambda: function(environment={"ABC": "a\0b"})) == ["function orders: environment[ABC]"]


def test_a_secret_is_a_reference_and_its_value_is_never_shown():
    (problem,) = problems_of(lambda: function(secrets={"DB_PASSWORD": "correct horse!"}))
    assert problem.place == "function orders: secrets[DB_PASSWORD]"
    assert "horse" not in str(problem)


def test_a_variable_is_set_once_whatever_its_case_because_one_cloud_ignores_it():
    assert places_of(lambda: function(environment={"TOKEN": "x"}, secrets={"TOKEN": "y"})) == [
        "function orders: secrets[TOKEN]"
    ]
    assert places_of(lambda: function(environment={"TOKEN": "x", "Token": "y"})) == [
        "function orders: environment[Token]"
    ]


def test_variables_that_do_not_fit_the_smallest_cloud_are_refused():
    assert places_of(lambda: function(environment={"AB": "x" * 4095})) == ["function orders: environment"]
    assert function(environment={"AB": "x" * 4094})


def test_a_function_answers_something():
    assert places_of(lambda: FunctionDefinition("orders")) == ["function orders: routes"]


def test_dependencies_are_a_list_or_the_path_of_one():
    assert function(dependencies=["httpx>=0.27"]).dependencies == ("httpx>=0.27",)
    assert function(dependencies=Path("orders/requirements.txt")).dependencies == "orders/requirements.txt"


def test_exception_handlers_are_pairs_of_a_class_and_a_callable():
    def answer(request, error): ...

    assert function(exception_handlers=[(ValueError, answer)]).exception_handlers == ((ValueError, answer),)
    assert places_of(lambda: function(exception_handlers=[(ValueError, 5), (5, answer), ValueError])) == [
        "function orders: exception_handlers[0]",
        "function orders: exception_handlers[1]",
        "function orders: exception_handlers[2]",
    ]


def test_a_functions_variables_cannot_be_changed_and_functions_can_be_told_apart():
    made = function(environment={"AB": "x"})
    with pytest.raises(TypeError):
        made.environment["AB"] = "y"  # type: ignore[index]
    assert made == function(environment={"AB": "x"})
    assert made != function()
    assert len({made, function(environment={"AB": "x"}), function(memory_mb=1024)}) == 2
