"""multicloud.toml, the environment and the user's module: what they decide, and every message about what is wrong."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from multicloud.errors import ConfigError, DefinitionError, ProviderError
from multicloud.project import Project
from multicloud.provider import HttpRequest

APP = """\
from multicloud import Api

api = Api("{name}")


@api.get("/name")
def name() -> str:
    return "{name}"
"""
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("STAGE", "PROVIDER", "REGION", "PROJECT_ID", "SUBSCRIPTION_ID", "ENDPOINT_URL", "PYTHON"):
        monkeypatch.delenv(f"MULTICLOUD_{key}", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes files of a project and returns the path of its multicloud.toml."""

    def write_files(toml: str | None = None, folder: str = "shop", **files: str) -> Path:
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            (root / f"{name}.py").write_text(text)
        if toml is not None:
            (root / "multicloud.toml").write_text(toml)
        return root / "multicloud.toml"

    return write_files


def lines_of(error: pytest.ExceptionInfo[ConfigError | DefinitionError]) -> list[str]:
    return [str(problem) for problem in error.value.problems]


def config_problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as error:
        Project.load(path)
    return lines_of(error)


def definition_problems(path: Path) -> list[str]:
    with pytest.raises(DefinitionError) as error:
        Project.load(path).definition()
    return lines_of(error)


# What a project is.


def test_one_file_is_a_project_named_as_its_folder_on_this_machine(write: Write) -> None:
    project = Project.load(write(folder="My Shop", app=APP.format(name="one")))
    assert (project.name, project.api) == ("my-shop", "app:api")
    assert project.definition().name == "one"
    stage = project.stage()
    assert (stage.name, stage.provider, stage.region, stage.python) == ("local", "local", None, RUNNING)


def test_a_folder_whose_name_has_nothing_to_keep_still_has_a_name(write: Write) -> None:
    assert Project.load(write(folder="2026", app=APP.format(name="one"))).name == "api"


def test_neither_file_nor_app_is_told_with_what_to_do(write: Write) -> None:
    path = write()
    assert config_problems(path) == [
        f"{path}: expected a project, got neither that file nor an app.py; "
        "make one with 'multicloud init', or change to its folder"
    ]


def test_a_file_of_another_name_must_exist(write: Write) -> None:
    path = write(app=APP.format(name="one")).with_name("other.toml")
    assert config_problems(path) == [f"{path}: expected a file that can be read, got No such file or directory"]


def test_the_file_decides_over_the_defaults(write: Write) -> None:
    path = write(
        '[project]\nname = "shop-api"\napi = "api:app"\n', api=APP.format(name="one").replace("api =", "app = api =")
    )
    project = Project.load(path)
    assert (project.name, project.api, project.root) == ("shop-api", "api:app", path.parent)
    assert project.definition().name == "one"


def test_a_file_with_a_byte_order_mark_is_read(write: Write) -> None:
    path = write()
    path.write_text('[project]\nname = "bom"\n', "utf-8-sig")
    assert Project.load(path).name == "bom"


def test_a_project_can_be_pickled_for_a_reloading_server(write: Write) -> None:
    project = Project.load(write('[stages.prod]\nprovider = "aws"\n'))
    assert pickle.loads(pickle.dumps(project)) == project


# What a stage is.

CLOUDS = """\
[project]
name = "shop"
provider = "local"
region = "eu-central-1"
python = "3.11"

[stages.prod]
provider = "aws"
region = "eu-west-1"
endpoint_url = "http://127.0.0.1:4566"

[stages.backup]
provider = "gcp"
project_id = "shop-prod"
python = "3.12"

[stages.third]
provider = "azure"
subscription_id = "00000000-0000-0000-0000-000000000000"
endpoint_url = "https://management.example.com/"
"""


def test_a_stage_has_its_own_settings_and_the_project_s_where_it_has_none(write: Write) -> None:
    project = Project.load(write(CLOUDS))
    prod, backup, third = (project.stage(name) for name in ("prod", "backup", "third"))
    assert (prod.provider, prod.region, prod.python, prod.endpoint_url) == (
        "aws", "eu-west-1", "3.11", "http://127.0.0.1:4566",
    )  # fmt: skip
    assert (backup.provider, backup.region, backup.python, backup.project_id) == (
        "gcp", "eu-central-1", "3.12", "shop-prod",
    )  # fmt: skip
    assert third.subscription_id == "00000000-0000-0000-0000-000000000000"
    assert third.endpoint_url == "https://management.example.com/"


def test_an_option_wins_over_the_environment_over_the_stage_over_the_project(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(CLOUDS)
    assert Project.load(path).stage("local").python == "3.11"
    assert Project.load(path).stage("backup").python == "3.12"
    monkeypatch.setenv("MULTICLOUD_PYTHON", "3.13")
    assert Project.load(path).stage("backup").python == "3.13"
    assert Project.load(path).stage("backup", python="3.11").python == "3.11"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PROVIDER", "azure"), ("REGION", "west"), ("PROJECT_ID", "p1"), ("SUBSCRIPTION_ID", "s1"),
     ("ENDPOINT_URL", "https://x.example")],
)  # fmt: skip
def test_every_setting_of_a_stage_has_a_variable(
    write: Write, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"MULTICLOUD_{variable}", value)
    assert getattr(Project.load(write(CLOUDS)).stage("prod"), variable.lower()) == value


def test_an_empty_variable_states_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICLOUD_PROVIDER", "")
    assert Project.load(write(CLOUDS)).stage("prod").provider == "aws"


def test_the_environment_names_the_stage_where_the_call_does_not(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICLOUD_STAGE", "backup")
    project = Project.load(write(CLOUDS))
    assert project.stage().name == "backup"
    assert project.stage("prod").name == "prod"


@pytest.mark.parametrize("name", ["local", "dev"])
def test_local_and_dev_are_stages_without_a_table(write: Write, name: str) -> None:
    stage = Project.load(write('[project]\nprovider = "gcp"\n')).stage(name)
    assert (stage.name, stage.provider) == (name, "gcp")


def test_python_is_the_provider_s_newest_where_it_does_not_run_this_one(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multicloud_gcp.provider.GcpProvider.python_versions", ("3.8", "3.9"))
    assert Project.load(write(CLOUDS.replace('python = "3.11"\n', "").replace('python = "3.12"\n', ""))).stage(
        "backup"
    ).python == "3.9"  # fmt: skip


# What is wrong with it.


def test_every_problem_of_a_file_is_told_at_once_with_its_place_and_the_nearest_key(write: Write) -> None:
    path = write(
        """\
colour = "red"
[project]
nam = "shop"
api = "app"
python = 3.12
project_id = "p"
[stages.prod]
regon = "eu-west-1"
provider = 3
endpoint_url = "http://cloud.example.com"
[stages.Prod_2]
name = "x"
"""
    )
    assert config_problems(path) == [
        "multicloud.toml: colour: expected a known setting, got 'colour'; known are [project], [stages.NAME]",
        "multicloud.toml: project.nam: expected a known setting, got 'nam'; did you mean 'name'?",
        "multicloud.toml: project.project_id: expected a known setting, got 'project_id'; it belongs in [stages.NAME]",
        "multicloud.toml: project.api: expected 'module:attribute' or the path of an OpenAPI document "
        "(.json, .yaml, .yml), got 'app'; write 'app:api'",
        "multicloud.toml: project.python: expected a version of Python such as '3.12', got 3.12; "
        "TOML reads it as a number: put it in quotes",
        "multicloud.toml: stages.prod.regon: expected a known setting, got 'regon'; did you mean 'region'?",
        "multicloud.toml: stages.prod.provider: expected a provider's name such as 'aws', got 3",
        "multicloud.toml: stages.prod.endpoint_url: expected an https URL (http for a loopback host alone) "
        "without a query, got 'http://cloud.example.com'; credentials would be sent in the clear",
        "multicloud.toml: stages.Prod_2: expected 1 to 20 lower-case letters, digits and inner hyphens, a letter "
        "first, got 'Prod_2'",
        "multicloud.toml: stages.Prod_2.name: expected a known setting, got 'name'; it belongs in [project]",
    ]


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ("[project\n", "line 1, column 9"),
        ('[project]\nname = "a"\nregion =\n', "line 3, column 9"),
        ('x = """', "end of document"),
    ],
)
def test_a_syntax_error_is_told_with_its_line(write: Write, toml: str, place: str) -> None:
    [problem] = config_problems(write(toml))
    assert problem.startswith(f"multicloud.toml: {place}: expected TOML, got a syntax error: ")


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("project = 1\n", "multicloud.toml: project: expected a table of settings, got 1"),
        ("stages = 1\n", "multicloud.toml: stages: expected a table for each stage, got 1; write [stages.NAME]"),
        ("[stages]\nprod = 'aws'\n", "multicloud.toml: stages.prod: expected a table of settings, got 'aws'"),
    ],
)
def test_a_file_of_the_wrong_form_is_told_with_its_place(write: Write, toml: str, problem: str) -> None:
    assert config_problems(write(toml)) == [problem]


def test_a_file_that_is_not_utf8_is_told(write: Write) -> None:
    path = write()
    path.write_bytes(b'[project]\nname = "caf\xe9"\n')
    assert config_problems(path) == ["multicloud.toml: expected text in UTF-8, got the byte 0xe9"]


@pytest.mark.parametrize("url", ["https://user:secret@cloud.example.com", "ftp://cloud.example.com", "https://x/?a=1"])
def test_an_endpoint_that_is_no_plain_url_is_refused_without_its_password(write: Write, url: str) -> None:
    [problem] = config_problems(write(f'[stages.prod]\nendpoint_url = "{url}"\n'))
    assert problem.startswith("multicloud.toml: stages.prod.endpoint_url: expected an https URL")
    assert "secret" not in problem


def test_every_problem_of_the_environment_is_told_at_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(CLOUDS)
    monkeypatch.setenv("MULTICLOUD_REGION", "EU West")
    monkeypatch.setenv("MULTICLOUD_PYTHON", "2.7")
    assert config_problems(path) == [
        "MULTICLOUD_REGION: expected a region's name such as 'eu-west-1', got 'EU West'",
        "MULTICLOUD_PYTHON: expected a version of Python such as '3.12', got '2.7'",
    ]


@pytest.mark.parametrize(
    ("name", "hint"), [("prd", "did you mean 'prod'?"), ("qa", "add [stages.qa] to multicloud.toml")]
)
def test_an_unknown_stage_is_told_with_the_nearest(write: Write, name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        Project.load(write(CLOUDS)).stage(name)
    assert lines_of(error) == [f"stage: expected one of prod, backup, third, local, dev, got '{name}'; {hint}"]


def test_an_unknown_stage_in_the_environment_is_told_as_such(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICLOUD_STAGE", "prd")
    with pytest.raises(ConfigError, match="MULTICLOUD_STAGE: expected one of prod, backup") as error:
        Project.load(write(CLOUDS)).stage()
    assert error.value.exit_code == 2


def test_a_provider_that_is_not_installed_is_told_where_it_was_stated(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(CLOUDS.replace('"azure"', '"azur"'))
    with pytest.raises(ConfigError) as error:
        Project.load(path).stage("third")
    assert lines_of(error) == [
        "multicloud.toml: stages.third.provider: expected an installed provider (aws, azure, gcp, local), got 'azur'; "
        "did you mean 'azure'?"
    ]
    monkeypatch.setenv("MULTICLOUD_PROVIDER", "gpc")
    with pytest.raises(ConfigError, match=r"MULTICLOUD_PROVIDER: .* did you mean 'gcp'"):
        Project.load(path).stage("prod")


def test_a_python_that_the_provider_does_not_run_is_told_where_it_was_stated(write: Write) -> None:
    with pytest.raises(ConfigError) as error:
        Project.load(write(CLOUDS)).stage("backup", python="3.7")
    assert lines_of(error)[0].startswith("--python: expected a Python that gcp runs (3.")
    with pytest.raises(ConfigError, match=r"multicloud.toml: project\.python: .* got '3\.7'"):
        Project.load(write(CLOUDS.replace("3.11", "3.7"))).stage("prod")


# The user's module.


def test_an_import_error_is_one_sentence_with_file_and_line(write: Write) -> None:
    path = write(app="import orders\n", orders="\nimport no_such_package\n")
    assert definition_problems(path) == [
        "orders.py:2: expected the module 'app' to import, got ModuleNotFoundError: No module named 'no_such_package'; "
        "install what provides 'no_such_package', or correct the import"
    ]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1\ny = x +\n", "app.py:2: expected the module 'app' to import, got SyntaxError: invalid syntax"),
        ("\n\n1 / 0\n", "app.py:3: expected the module 'app' to import, got ZeroDivisionError: division by zero"),
        ("import json\njson.loads('[')\n", "app.py:2: expected the module 'app' to import, got JSONDecodeError: "
         "Expecting value: line 1 column 2 (char 1)"),
        ("import sys\nsys.exit(3)\n", "app.py:2: expected the module 'app' to import, got SystemExit: 3"),
    ],
)  # fmt: skip
def test_an_error_while_importing_is_told_at_the_deepest_line_of_the_user(
    write: Write, source: str, problem: str
) -> None:
    assert definition_problems(write(app=source)) == [problem]


def test_wrong_policies_and_wrong_routes_are_told_together_each_policy_with_its_line(write: Write) -> None:
    app = """
from multicloud import Api, Cors, Throttle
api = Api("shop", cors=Cors(allow_origins=["*"], allow_credentials=True))
@api.get("items", throttle=Throttle(rate=-1, burst=0))
def items(): ...
"""
    places = [problem.partition(": expected")[0] for problem in definition_problems(write(app=app))]
    assert places[:3] == ["app.py:3: Cors: allow_origins", "app.py:4: Throttle: rate", "app.py:4: Throttle: burst"]
    assert "route GET items: path" in places[3:]


def test_a_policy_that_is_wrong_by_itself_is_told_with_its_line(write: Write) -> None:
    problem, *_ = definition_problems(write(app="from multicloud import Throttle\nT = Throttle(rate=-1, burst=1)\n"))
    assert problem.startswith("app.py:2: Throttle: rate: expected ")


@pytest.mark.parametrize(
    ("api", "problem"),
    [
        ("ap:api", "a module in {root}, got 'ap', which is not there; did you mean 'app'?"),
        ("app:aip", "an attribute of app, got 'aip' in 'app:aip', which is not there; did you mean 'api'?"),
        ("app:name", "the name of an Api, got 'app:name', the module's function"),
        ("app:Api", "the name of an Api, got 'app:Api', the class Api"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_the_nearest(write: Write, api: str, problem: str) -> None:
    path = write(f'[project]\napi = "{api}"\n', app=APP.format(name="one"))
    assert definition_problems(path) == [f"multicloud.toml: project.api: expected {problem.format(root=path.parent)}"]


def test_a_module_of_the_standard_library_s_name_is_refused_not_confused(write: Write) -> None:
    path = write('[project]\napi = "json:api"\n', json=APP.format(name="one"))
    [problem] = definition_problems(path)
    assert problem.startswith(f"multicloud.toml: project.api: expected the module 'json' of {path.parent}, got another")
    assert problem.endswith("; rename yours")


def test_two_projects_of_one_process_do_not_see_each_other_s_modules(write: Write) -> None:
    using = "from orders import NAME\n" + APP.replace('"{name}"', "NAME")
    first = Project.load(write(folder="first", app=using, orders="NAME = 'one'\n"))
    second = Project.load(write(folder="second", app=using, orders="NAME = 'two'\n"))
    third = Project.load(write(folder="third", app=using))
    assert [project.definition().name for project in (first, second, first)] == ["one", "two", "one"]
    with pytest.raises(DefinitionError, match="No module named 'orders'"):
        third.definition()


def test_the_project_s_folder_comes_first_on_the_path_once(write: Write) -> None:
    project = Project.load(write(app=APP.format(name="one")))
    project.definition()
    project.definition()
    assert sys.path[0] == str(project.root)
    assert sys.path.count(str(project.root)) == 1


# OpenAPI documents.

CONTRACT = """\
openapi: 3.1.0
info: {title: Shop, version: 1.0.0}
paths:
  /name:
    get: {operationId: name, x-multicloud-handler: "handlers:name", responses: {}}
"""


def test_an_openapi_document_is_the_definition(write: Write) -> None:
    path = write('[project]\napi = "openapi.yaml"\n', handlers="def name() -> str:\n    return 'contract'\n")
    path.with_name("openapi.yaml").write_text(CONTRACT)
    project = Project.load(path)
    assert [route.path for _, route in project.definition().routes] == ["/name"]
    assert project.connect()(HttpRequest("GET", "/name")).body == b"contract"


def test_a_handler_that_the_document_names_must_exist(write: Write) -> None:
    path = write('[project]\napi = "openapi.yaml"\n', handlers="def nam() -> str:\n    return 'contract'\n")
    path.with_name("openapi.yaml").write_text(CONTRACT)
    assert definition_problems(path) == [
        "openapi.yaml: route GET /name: expected an attribute of handlers, got 'name' in 'handlers:name', which is not "
        "there; did you mean 'nam'?"
    ]


def test_a_document_that_is_absent_is_told(write: Write) -> None:
    [problem] = definition_problems(write('[project]\napi = "openapi.json"\n'))
    assert problem.startswith("openapi.json: expected an OpenAPI document in JSON or YAML, got [Errno 2]")


def test_a_project_writes_its_openapi_document(write: Write) -> None:
    document = Project.load(write(app=APP.format(name="one"))).openapi()
    assert document["info"]["title"] == "one"
    assert [*document["paths"]] == ["/name"]


# One request, in process.


@pytest.mark.parametrize("shape", ["local", "aws", "aws-rest", "gcp", "azure"])
def test_a_request_goes_through_an_event_shape(write: Write, shape: str) -> None:
    exchange = Project.load(write(app=APP.format(name="one"))).connect(shape)
    response = exchange(HttpRequest("GET", "/name"))
    assert (response.status_code, response.body) == (200, b"one")


def test_handlers_see_the_stage(write: Write) -> None:
    app = "from multicloud import Api\napi = Api('one')\n@api.get('/')\ndef f(request): return request.stage\n"
    project = Project.load(write(CLOUDS, app=app))
    assert project.connect(stage="prod")(HttpRequest("GET", "/")).body == b"prod"


def test_an_unknown_shape_is_told_with_the_known(write: Write) -> None:
    project = Project.load(write(app=APP.format(name="one")))
    with pytest.raises(ProviderError, match=r"no event shape 'aws-soap'; aws has aws, aws-rest"):
        project.connect("aws-soap")
