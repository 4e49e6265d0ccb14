"""From a definition to zips and a manifest: complete, the same each time, made once, never half."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multicloud.deploy import bundle as bundling
from multicloud.deploy.reuse import can_be_trusted
from multicloud.deploy.sources import SourceFile
from multicloud.errors import BundleError, ConfigError
from multicloud.runtime.recorder import Function
from tests.deploy.projects import Project, cloud, make_wheel, members

REPOSITORY = Path(__file__).parents[2]
CANARY = "canary-b81e07"
PREFIXES = {"aws": "", "gcp": "", "azure": ".python_packages/lib/site-packages/"}


def wait_until_dates_count(project: Project) -> None:
    """Make the files look written long ago, as they are in a project; the change time needs a moment to pass."""
    newest = max(path.stat().st_ctime_ns for path in [project.root, *project.root.rglob("*")])
    deadline = time.monotonic() + 5
    while time.time_ns() < newest + 60_000_000 and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("name", PREFIXES)
def test_a_bundle_holds_the_project_its_dependencies_and_the_runtime_in_the_clouds_layout(project, wheels, name):
    make_wheel(wheels, "small")
    (project.root / "requirements.txt").write_text("small\n")
    (project.root / "data").mkdir()
    (project.root / "data" / "prices.csv").write_text("1\n")
    bundles = project.bundle(cloud(name))
    names, prefix = project.names(bundles), PREFIXES[name]
    assert {f"{project.module}.py", "data/prices.csv"} <= names
    packages = {"small/__init__.py", "multicloud/__init__.pyc", "multicloud/runtime/application.pyc"}
    assert {
        prefix + path for path in (*packages, f"multicloud_{name}/runtime.pyc", f"multicloud_{name}/__init__.pyc")
    } <= names
    assert not [path for path in names if "multicloud/model" in path or path.endswith("provider.py")]
    tag = bundles.entries[0].python_version.replace(".", "")
    sources = {path for path in names if path.endswith(".py")}
    compiled = {
        path.replace("__pycache__/", "").replace(f".cpython-{tag}.pyc", ".py")
        for path in names
        if "__pycache__/" in path
    }
    assert compiled == sources


def test_a_bundle_answers_a_request_where_nothing_else_is_installed(project):
    (project.root / f"{project.module}.py").write_text(
        "from multicloud import Api, Cors\n"
        "api = Api('x', cors=Cors(['https://a.example']))\n"
        "def hello(request):\n    return {'a': 1}\n"
    )
    bundles = project.bundle(cloud("aws"))
    event = {
        "version": "2.0", "routeKey": "$default", "rawPath": "/hello", "rawQueryString": "", "headers": {"host": "h"},
        "isBase64Encoded": False,
        "requestContext": {"http": {"method": "GET", "path": "/hello", "sourceIp": "127.0.0.1"}, "requestId": "r"},
    }  # fmt: skip
    script = (
        "import json, sys\nfrom multicloud_entry import handler\n"
        "class Context:\n    aws_request_id = 'r'\n    def get_remaining_time_in_millis(self): return 9000\n"
        f"print(json.dumps(handler({event!r}, Context())))"
    )
    path = str(project.output / bundles.entries[0].file)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {path!r})\n{script}"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])["statusCode"] == 200, done.stderr


def test_the_manifest_says_what_was_bundled(project):
    bundles = project.bundle()
    (entry,) = json.loads((project.output / "manifest.json").read_text())["functions"]
    content = (project.output / entry["file"]).read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["bytes"] == len(content)
    assert entry["unzipped_bytes"] == sum(len(one) for one in members(project.output / entry["file"]).values())
    assert entry["routes"] == [["GET", "/hello"]]
    assert (entry["name"], entry["provider"], entry["architecture"]) == ("hello", "aws", "x86_64")
    assert entry["entry_point"] == "multicloud_entry.handler"
    assert bundles.entries[0].sha256 == entry["sha256"]


def test_each_function_has_a_bundle_of_its_own(project, wheels):
    make_wheel(wheels, "small")
    orders = Function("orders", dependencies=["small"], architecture="arm64")
    orders.get("/orders")(f"{project.module}:hello")
    bundles = project.bundle(functions=[orders])
    assert [(entry.name, entry.architecture) for entry in bundles.entries] == [
        ("hello", "x86_64"),
        ("orders", "arm64"),
    ]
    hello, second = (set(members(project.output / entry.file)) for entry in bundles.entries)
    assert "small/__init__.py" in second - hello


TREES = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c d", "\u00e9"]), min_size=1, max_size=3).map(
        lambda parts: "/".join(parts) + ".py"
    ),
    st.binary(max_size=60).map(lambda content: content.replace(b"\r", b"")),
    max_size=6,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, st.randoms(), st.sampled_from([0o000, 0o022, 0o077]))
def test_equal_projects_are_equal_bytes_whatever_order_umask_and_dates(project, tmp_path_factory, tree, random, umask):
    digests = set()
    for _ in range(2):
        twin = Project(tmp_path_factory.mktemp("twin"), project.module)
        files = [*tree.items(), (f"{project.module}.py", (project.root / f"{project.module}.py").read_bytes())]
        random.shuffle(files)
        previous = os.umask(umask)
        umask = 0o022
        try:
            for name, content in files:
                path = twin.root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                os.utime(path, (random.randrange(2**31), random.randrange(2**31)))
            digests.add(twin.bundle().entries[0].sha256)
        finally:
            os.umask(previous)
    assert len(digests) == 1


def in_another_process(project: Project, seed: str, output: Path, patch: str = "") -> subprocess.Popen[str]:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from tests.deploy.projects import Project, cloud, bundle\n"
        f"{patch}\n"
        f"project = Project(Path({str(project.root)!r}), {project.module!r})\n"
        f"print(bundle(project.definition(), cloud(), project.root, Path({str(output)!r})).entries[0].sha256)"
    )
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "providers"), str(project.root)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_with_other_hash_seeds_write_the_same_bytes(project, tmp_path):
    digests = []
    for seed in ("1", "2"):
        shutil.rmtree(project.root / ".multicloud", ignore_errors=True)
        digests.append(in_another_process(project, seed, tmp_path / seed).communicate(timeout=60)[0])
    assert digests[0] == digests[1] != ""


def test_no_secret_of_the_project_is_in_a_zip_or_a_notice(project):
    for name in (".env", "prod.pem", ".git/config", ".aws/credentials", "id_rsa"):
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).write_text(CANARY)
    (project.root / "account.json").write_text(json.dumps({"private_key": CANARY}))
    (project.root / "link.txt").symlink_to(".env")
    bundles = project.bundle()
    content = b"".join(members(project.output / bundles.entries[0].file).values())
    assert CANARY.encode() not in content
    assert len(bundles.notices) == 7
    assert CANARY not in "".join(bundles.notices)


def test_nothing_is_written_or_read_again_when_nothing_changed(project, wheels, uv_runs, monkeypatch):
    make_wheel(wheels, "small")
    (project.root / "requirements.txt").write_text("small\n")
    (project.root / ".env").write_text("x")
    wait_until_dates_count(project)
    first = project.bundle()
    before = {path: path.stat() for path in project.output.iterdir()}
    monkeypatch.setattr(bundling, "read_sources", lambda files: pytest.fail("a file was read"))
    again = project.bundle()
    assert again.entries == first.entries
    assert again.notices == first.notices != ()
    assert (first.written, again.written) == (("hello",), ())
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: found.st_mtime_ns for path, found in before.items()
    }
    assert len(uv_runs) == 1


def test_a_file_that_was_touched_but_not_changed_is_read_and_no_zip_written(project):
    project.bundle()
    os.utime(project.root / f"{project.module}.py", (1, 1))
    assert project.bundle().written == ()


def test_a_change_that_keeps_size_and_date_is_seen(project):
    path = project.root / "a.txt"
    path.write_text("one")
    wait_until_dates_count(project)
    first = project.bundle()
    found = path.stat()
    path.write_text("two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert project.bundle().entries[0].sha256 != first.entries[0].sha256


def test_dates_count_only_if_the_next_write_will_change_them():
    file = SourceFile("a.txt", "/a.txt", (3, 10**9, 2 * 10**9, 7), executable=False)
    assert not can_be_trusted([file], 2 * 10**9 + 1_000_000)
    assert can_be_trusted([file], 2 * 10**9 + 100_000_000)


@pytest.mark.parametrize("change", ["file", "executable", "route", "python", "layout", "requirements", "ignored"])
def test_whatever_a_bundle_follows_from_makes_it_anew(project, wheels, change):
    make_wheel(wheels, "small")
    (project.root / "a.txt").write_text("one")
    (project.root / "requirements.txt").write_text("small\n")
    project.bundle(python_version="3.11")
    provider, version, options = cloud(), "3.11", {}
    if change == "file":
        (project.root / "b.txt").touch()
    elif change == "executable":
        (project.root / "a.txt").chmod(0o755)
    elif change == "ignored":
        (project.root / ".multicloudignore").write_text("a.txt\n")
    elif change == "route":
        options["timeout_seconds"] = 5
    elif change == "python":
        version = "3.12"
    elif change == "layout":
        provider = cloud(packages_prefix="packages")
    elif change == "requirements":
        (project.root / "requirements.txt").write_text("small==1.0\n")
    assert project.bundle(provider, version, **options).written == ("hello",)


def test_a_changed_module_does_not_install_or_pack_dependencies_again(project, wheels, uv_runs, monkeypatch):
    make_wheel(wheels, "small")
    (project.root / "requirements.txt").write_text("small\n")
    first = project.bundle()
    (project.root / "more.py").write_text("x = 1\n")
    packed = []
    pack = bundling.pack
    monkeypatch.setattr(bundling, "pack", lambda found: packed.extend(one.name for one in found) or pack(found))
    second = project.bundle()
    assert len(uv_runs) == 1
    assert {name for name in packed if name.endswith(".py")} == {
        f"{project.module}.py",
        "more.py",
        "multicloud_entry.py",
    }
    assert [path.name for path in project.output.glob("*.zip")] == ["hello.zip"]
    assert second.entries[0].sha256 != first.entries[0].sha256


def test_a_zip_that_was_damaged_or_deleted_is_made_again(project):
    first = project.bundle().entries[0]
    for damage in (Path.unlink, lambda path: path.write_bytes(b"no zip")):
        damage(project.output / first.file)
        assert project.bundle().entries[0] == first
        assert members(project.output / first.file)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("multicloud_entry.py", "what is generated"),
        ("multicloud/runtime/router.py", "the SDK's runtime"),
        ("multicloud_aws/runtime.py", "the SDK's runtime"),
        ("small/__init__.py", "the dependencies"),
        ("Multicloud_Entry.py", "case alone"),
        ("small", "is a file in your project and a folder in the dependencies"),
    ],
)
def test_a_file_of_the_project_in_the_place_of_another_part_is_refused_by_name(project, wheels, name, owner):
    make_wheel(wheels, "small")
    (project.root / "requirements.txt").write_text("small\n")
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    (project.root / name).write_text("x = 1\n")
    with pytest.raises(BundleError) as caught:
        project.bundle()
    assert name in str(caught.value)
    assert owner in str(caught.value)


def test_too_much_is_refused_before_uv_is_started_and_the_largest_parts_are_told(project, wheels, uv_runs):
    make_wheel(wheels, "small")
    (project.root / "requirements.txt").write_text("small\n")
    for size in range(1, 8):
        (project.root / f"part{size}").mkdir()
        (project.root / f"part{size}" / "a.bin").write_bytes(os.urandom(size * 200_000))
    with pytest.raises(BundleError) as caught:
        project.bundle(cloud(max_unzipped_bytes=1_000_000))
    message = str(caught.value)
    assert message.startswith("function hello: 5.")
    assert "at most 1.0 MB" in message
    assert "part7 1.4 MB, part6 1.2 MB, part5 1.0 MB, part4 0.8 MB, part3 0.6 MB; leave out" in message
    assert uv_runs == []


def test_too_large_dependencies_are_refused(project, wheels):
    make_wheel(wheels, "large", files={"large/a.bin": b"\0" * 2_000_000})
    (project.root / "requirements.txt").write_text("large\n")
    with pytest.raises(BundleError, match=r"unzipped.*large 2\.0 MB"):
        project.bundle(cloud(max_unzipped_bytes=1_000_000))


def test_too_large_a_zip_is_refused_and_not_written(project):
    (project.root / "noise.bin").write_bytes(os.urandom(500_000))
    with pytest.raises(BundleError, match=r"zipped.*noise\.bin 0\.5 MB"):
        project.bundle(cloud(max_zip_bytes=400_000))
    assert not list(project.output.glob("*.zip"))


def test_a_run_that_fails_leaves_the_former_output(project):
    project.bundle()
    before = {path.name: path.read_bytes() for path in project.output.iterdir()}
    (project.root / "noise.bin").write_bytes(os.urandom(500_000))
    orders = Function("orders", dependencies=["no-such-package-at-all @ file:///nowhere.whl"])
    orders.get("/orders")(f"{project.module}:hello")
    with pytest.raises(BundleError, match="function orders"):
        project.bundle(functions=[orders])
    assert before.items() <= {path.name: path.read_bytes() for path in project.output.iterdir()}.items()
    assert json.loads(before["manifest.json"])["functions"][0]["file"] in before


@pytest.mark.parametrize("step", ["write_archive", "publish", "Record.write"])
def test_a_run_that_is_killed_leaves_the_former_output_and_the_next_one_ends_well(project, step):
    first = project.bundle().entries[0]
    former = {name: (project.output / name).read_bytes() for name in ("manifest.json", first.file)}
    (project.root / "more.py").write_text("x = 1\n")
    kill = "lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)"
    patch = f"import os, signal\nfrom multicloud.deploy import bundle as module\nmodule.{step} = {kill}"
    process = in_another_process(project, "1", project.output, patch)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert {name: (project.output / name).read_bytes() for name in former} == former
    entry = project.bundle().entries[0]
    assert entry.sha256 != first.sha256
    assert "more.py" in members(project.output / entry.file)
    assert sorted(path.name for path in project.output.iterdir()) == ["hello.zip", "manifest.json"]


def test_a_module_that_does_not_compile_is_bundled_with_a_notice(project):
    (project.root / "old.py").write_text("print 'two'\n")
    bundles = project.bundle()
    assert "old.py" in project.names(bundles)
    assert any(notice.startswith("old.py does not compile for Python") for notice in bundles.notices)


def test_a_python_version_that_the_provider_does_not_run_is_told(project):
    with pytest.raises(ConfigError, match=r"3\.12"):
        project.bundle(python_version="2.7")


def test_a_provider_that_bundles_nothing_says_so(project):
    provider = cloud()
    provider.layout = None
    with pytest.raises(BundleError, match="nothing to bundle"):
        project.bundle(provider)


def test_an_output_folder_that_the_project_is_in_is_refused(project):
    with pytest.raises(BundleError, match="a folder for bundles alone"):
        bundling.bundle(project.definition(), cloud(), project.root, project.root)


@pytest.mark.parametrize(("source", "loop"), [("", False), ("import asyncio\n", True)])
def test_the_event_loop_is_there_where_something_may_wait_on_it(project, source, loop):
    path = project.root / f"{project.module}.py"
    path.write_text(source + path.read_text())
    bundles = project.bundle()
    entry = members(project.output / bundles.entries[0].file)["multicloud_entry.py"].decode()
    assert f"'event_loop': {loop}," in entry
    assert project.bundle().written == ()


def test_what_a_function_loads_beside_itself_brings_its_dependencies_and_a_notice(project, wheels):
    make_wheel(wheels, "small")
    other = Function("other", dependencies=["small"])
    other.get("/other")(f"{project.module}:hello")
    importlib.import_module(project.module).other = other  # as if this module had imported it
    bundles = project.bundle(functions=[other])
    assert "small/__init__.py" in members(project.output / "hello.zip")
    notice = "function hello also gets the dependencies of other, which is loaded with it; define the middleware"
    assert any(text.startswith(notice) for text in bundles.notices)
