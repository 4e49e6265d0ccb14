"""The pytest plugin: one test, every provider.

A fixture named ``api`` is all that a test suite defines; ``client`` is then a ``TestClient`` of it, and a test that
takes ``client`` runs once for each event shape:

    @pytest.fixture
    def api():
        from app import api
        return api

    def test_hello(client):
        assert client.get("/hello/Ada").status_code == 200

``@pytest.mark.providers("local", "aws")`` on a test or a module names fewer.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from multicloud.testing.client import TestClient

SHAPES = {"local": "", "aws": "", "aws-rest": "", "gcp": "flask", "azure": "azure.functions"}
"""Event shapes to the module that each needs."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "providers(*shapes): the event shapes that `client` sends requests through")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``client`` once for each event shape."""
    if "client_shape" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("providers")
        metafunc.parametrize("client_shape", marker.args if marker else tuple(SHAPES), indirect=True)


@pytest.fixture
def client_shape(request: pytest.FixtureRequest) -> str:
    """Return the event shape of this run; a test fails, never skips, where a provider's package is missing."""
    shape: str = request.param
    module = SHAPES.get(shape, "")
    if module and _is_missing(module):
        provider = shape.partition("-")[0]
        pytest.fail(
            f"{module} is not installed: pip install 'multicloud[{provider}]', or mark the test with providers(...)",
            pytrace=False,
        )
    return shape


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:
        return True


@pytest.fixture
def client(api: object, client_shape: str) -> TestClient:
    """Return a client of the suite's ``api`` for this run's event shape. What forbids it is told without traceback."""
    from multicloud.errors import MulticloudError
    from multicloud.testing.client import TestClient

    try:
        return TestClient(api, client_shape)  # type: ignore[arg-type] # TestClient says what is wrong with another value
    except MulticloudError as error:
        pytest.fail(str(error), pytrace=False)
