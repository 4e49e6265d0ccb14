"""What of a project goes into a function, and what is refused."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from multicloud.deploy.sources import case_collisions, find_sources, read_sources
from multicloud.errors import BundleError

CANARY = "canary-4f1c9d"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----\n"


def put(root: Path, *names: str, content: str = "x = 1\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def found(root: Path) -> tuple[list[str], list[str]]:
    sources = find_sources(root)
    members, notices = read_sources(sources.files)
    return [member.name for member in members], [*sources.notices, *notices]


def refusal(root: Path) -> str:
    with pytest.raises(BundleError) as caught:
        find_sources(root)
    return str(caught.value)


def test_source_and_other_files_of_the_project_go_in(tmp_path):
    put(tmp_path, "app.py", "shop/orders.py", "shop/prices.csv", "templates/a.html", "tests/test_app.py", "py.typed")
    names, notices = found(tmp_path)
    assert names == ["app.py", "py.typed", "shop/orders.py", "shop/prices.csv", "templates/a.html", "tests/test_app.py"]
    assert notices == []


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".env.prod", ".ENV", "deep/down/.env.local", "server.pem", "server.key", "id_rsa", "id_rsa.old",
        "id_ed25519", ".git/config", "shop/.git/config", ".git", ".hg/store", ".aws/credentials",
        "credentials.json", ".netrc", ".npmrc", ".pypirc", "local.settings.json", ".ssh/config",
    ],
)  # fmt: skip
def test_a_secret_by_its_name_stays_out_and_the_user_is_told(tmp_path, name):
    put(tmp_path, "app.py")
    put(tmp_path, name, content=CANARY)
    names, notices = found(tmp_path)
    assert names == ["app.py"]
    (notice,) = notices
    assert notice.startswith("left out ")
    assert CANARY not in notice


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sa.json", '{"type": "service_account", "private_key": "' + CANARY + '"}'),
        ("deploy_key", KEY),
        ("config/tls.txt", KEY.replace("RSA ", "")),
    ],
)
def test_a_secret_by_its_content_stays_out_and_the_user_is_told(tmp_path, name, content):
    put(tmp_path, "app.py")
    put(tmp_path, name, content=content)
    names, notices = found(tmp_path)
    assert names == ["app.py"]
    assert len(notices) == 1
    assert name in notices[0]
    assert CANARY not in notices[0]


@pytest.mark.parametrize(
    "name",
    [
        "env/pyvenv.cfg", "__pycache__/app.cpython-311.pyc", "shop/__pycache__/a.pyc", ".mypy_cache/a",
        "node_modules/a.js", "web/node_modules/a.js", "dist/app.whl", "build/lib/app.py", "shop.egg-info/PKG-INFO",
        ".multicloud/cache/a", "multicloud.toml", "pyproject.toml", "requirements.txt", ".pytest_cache/a",
        "old.pyc",
    ],
)  # fmt: skip
def test_what_tools_put_beside_the_source_stays_out_without_a_word(tmp_path, name):
    put(tmp_path, "app.py", name)
    assert found(tmp_path) == (["app.py"], [])


def test_a_package_of_the_users_named_build_goes_in(tmp_path):
    put(tmp_path, "build/__init__.py", "web/dist/app.js")
    assert found(tmp_path)[0] == ["build/__init__.py", "web/dist/app.js"]


def test_the_output_folder_stays_out(tmp_path):
    put(tmp_path, "app.py", "out/hello.zip")
    assert [file.name for file in find_sources(tmp_path, [tmp_path / "out"]).files] == ["app.py"]


def test_the_ignore_file_speaks_as_gitignore_does(tmp_path):
    put(tmp_path, "app.py", "a.csv", "keep.csv", "tests/test_app.py", "shop/tests/b.py", "deep/a.log")
    put(tmp_path, ".multicloudignore", content="# data\n*.csv\n!keep.csv\n/tests/\ndeep/**\n")
    assert found(tmp_path)[0] == ["app.py", "keep.csv", "shop/tests/b.py"]


def test_the_ignore_file_keeps_what_looks_like_a_secret(tmp_path):
    put(tmp_path, "certs/ca.pem", ".env.example")
    put(tmp_path, ".multicloudignore", content="!/certs/ca.pem\n!.env.example\n")
    assert found(tmp_path) == ([".env.example", "certs/ca.pem"], [])


def test_a_link_inside_goes_in_as_what_it_points_to(tmp_path):
    put(tmp_path, "shared/text.txt", content="shared\n")
    (tmp_path / "linked.txt").symlink_to("shared/text.txt")
    (tmp_path / "folder").symlink_to(tmp_path / "shared", target_is_directory=True)
    members, _ = read_sources(find_sources(tmp_path).files)
    assert {member.name: member.content for member in members} == dict.fromkeys(
        ["shared/text.txt", "linked.txt", "folder/text.txt"], b"shared\n"
    )


@pytest.mark.parametrize("target", [".env", ".git/config", "venv/lib/secret.py"])
def test_a_link_does_not_bring_in_what_is_left_out(tmp_path, target):
    put(tmp_path, ".env", ".git/config", "venv/lib/secret.py", "venv/pyvenv.cfg", content=CANARY)
    (tmp_path / "innocent.txt").symlink_to(target)
    names, notices = found(tmp_path)
    assert names == []
    assert any("innocent.txt" in notice for notice in notices)


@pytest.mark.parametrize(
    "target", ["../outside/secret.txt", "../outside", "/etc/passwd", "shop/../../outside/secret.txt"]
)
def test_a_link_out_of_the_project_is_refused_by_name_and_target(tmp_path, target):
    put(tmp_path, "project/shop/a.py", "outside/secret.txt")
    (tmp_path / "project/link").symlink_to(target)
    message = refusal(tmp_path / "project")
    assert "link: a link to" in message
    assert "outside of the project" in message
    assert os.path.realpath(tmp_path / "project" / target) in message


def test_a_sibling_whose_name_begins_like_the_project_is_outside(tmp_path):
    put(tmp_path, "project/a.py", "project-old/a.py")
    (tmp_path / "project/link.py").symlink_to("../project-old/a.py")
    assert "outside of the project" in refusal(tmp_path / "project")


def test_links_that_lead_in_a_circle_are_refused(tmp_path):
    put(tmp_path, "a/x.py")
    (tmp_path / "a/up").symlink_to("..", target_is_directory=True)
    assert "a/up: a link to a folder" in refusal(tmp_path)


def test_links_that_multiply_without_end_are_refused(tmp_path):
    for depth in range(20):
        (tmp_path / f"{depth}").mkdir()
        for side in "lr":
            (tmp_path / f"{depth}" / side).symlink_to(f"../{depth + 1}", target_is_directory=True)
    put(tmp_path, "20/x.py")
    assert "more than 65535 files" in refusal(tmp_path)


def test_a_link_to_nothing_is_refused(tmp_path):
    (tmp_path / "gone.py").symlink_to("never.py")
    (tmp_path / "self").symlink_to("self")
    message = refusal(tmp_path)
    assert "gone.py" in message
    assert "self" in message


def test_pipes_and_sockets_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        message = refusal(tmp_path)
    assert "pipe: a device" in message
    assert "sock: a device" in message


@pytest.mark.parametrize("name", [b"caf\xff.py", b"a\nb.py", b"a\\b.py", b"\x1b[2J.txt"])
def test_a_name_that_does_not_survive_every_unzip_is_refused(tmp_path, name):
    (tmp_path / os.fsdecode(name)).touch()
    assert "its name" in refusal(tmp_path)


def test_a_refused_file_that_is_ignored_does_no_harm(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    put(tmp_path, "app.py")
    put(tmp_path, ".multicloudignore", content="pipe\n")
    assert found(tmp_path)[0] == ["app.py"]


def test_names_that_differ_in_case_alone_are_refused(tmp_path):
    put(tmp_path, "Shop.py", "shop.py")
    assert "Shop.py" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["a", "b"], []),
        (["a/x", "a/y"], []),
        (["a/x", "A/y"], [("A", "a")]),
        (["caf\u00e9", "cafe\u0301"], [("cafe\u0301", "caf\u00e9")]),
        (["stra\u00dfe", "STRASSE"], [("STRASSE", "stra\u00dfe")]),
        (["a", "a/b"], []),
    ],
)
def test_paths_that_some_file_systems_take_for_one_are_told(names, pairs):
    assert case_collisions(names) == pairs


def test_all_refused_files_are_told_at_once_but_not_without_end(tmp_path):
    for number in range(30):
        os.mkfifo(tmp_path / f"pipe{number:02}")
    message = refusal(tmp_path)
    assert "pipe00" in message
    assert "pipe09" in message
    assert "pipe10" not in message
    assert "and 20 more" in message


def test_hard_links_and_setuid_files_are_plain_files(tmp_path):
    put(tmp_path, "run.sh")
    os.link(tmp_path / "run.sh", tmp_path / "twin.sh")
    (tmp_path / "run.sh").chmod(0o6755)
    members, _ = read_sources(find_sources(tmp_path).files)
    assert [(member.name, member.executable) for member in members] == [("run.sh", True), ("twin.sh", True)]


def test_a_project_that_is_a_virtual_environment_is_refused(tmp_path):
    put(tmp_path, "pyvenv.cfg", "app.py")
    assert "virtual environment" in refusal(tmp_path)
