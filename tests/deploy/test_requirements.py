"""Where a function's requirements come from."""

from __future__ import annotations

import pytest

from multicloud.deploy.requirements import declared
from multicloud.errors import BundleError

PYPROJECT = """
[project]
name = "My_Shop"
dependencies = ["multicloud[aws]", "attrs"]
[project.optional-dependencies]
orders = ["my-shop[db,Cache_x]", "orjson"]
db = ["psycopg"]
cache-x = ["redis", "my.shop[orders]"]
"""
SETUP_CFG = """
[metadata]
name = shop
[options]
install_requires =
    attrs>=24
    multicloud
[options.extras_require]
db = psycopg
all =
    %(db)s
    orjson; python_version > "3.8"
"""


def test_the_functions_own_come_before_the_projects(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    assert declared(tmp_path, ["idna"], []).lines == ("idna",)


def test_the_projects_are_used_where_the_function_states_none(tmp_path):
    (tmp_path / "requirements.txt").write_text("six\n")
    assert declared(tmp_path, (), ()).files == (tmp_path / "requirements.txt",)
    (tmp_path / "setup.cfg").write_text(SETUP_CFG)
    assert declared(tmp_path, (), ()).lines == ("attrs>=24", "multicloud")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    assert declared(tmp_path, (), ()).lines == ("multicloud[aws]", "attrs")


def test_a_pyproject_without_a_project_does_not_hide_requirements_txt(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 99\n")
    (tmp_path / "requirements.txt").write_text("six\n")
    assert declared(tmp_path, (), ()).files == (tmp_path / "requirements.txt",)


def test_extras_of_the_project_may_name_one_another(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    assert declared(tmp_path, ["idna"], ["Orders"]).lines == ("idna", "psycopg", "redis", "orjson")


def test_extras_of_a_setup_cfg(tmp_path):
    (tmp_path / "setup.cfg").write_text(SETUP_CFG)
    assert declared(tmp_path, ["idna"], ["all"]).lines == ("idna", "psycopg", 'orjson; python_version > "3.8"')


def test_an_unknown_extra_is_told_with_the_nearest(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    with pytest.raises(BundleError, match="'order'; did you mean orders"):
        declared(tmp_path, (), ["order"])


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BundleError, match=r"none\.txt: expected a file of requirements, but there is none"):
        bool(declared(tmp_path, "none.txt", ()))


@pytest.mark.parametrize("text", ["", "# nothing\n\n", "multicloud\n", "Multicloud[aws]==0.1  # the SDK\n"])
def test_nothing_but_the_sdk_itself_is_nothing(tmp_path, text):
    (tmp_path / "requirements.txt").write_text(text)
    assert not declared(tmp_path, (), ())


def test_files_that_a_file_includes_are_part_of_what_the_outcome_follows_from(tmp_path):
    (tmp_path / "requirements.txt").write_text("-r more.txt\n-c limits.txt\n")
    (tmp_path / "more.txt").write_text("six\n-r requirements.txt\n")
    (tmp_path / "limits.txt").write_text("six<2\n")
    contents = declared(tmp_path, (), ()).contents()
    assert sorted(contents) == ["-r more.txt\n-c limits.txt\n", "six\n-r requirements.txt\n", "six<2\n"]


def test_what_is_not_toml_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(BundleError, match="is not TOML"):
        declared(tmp_path, (), ())
