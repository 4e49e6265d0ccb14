"""schemathesis reads the document that the gateway serves and sends what it says, and what it forbids, to the gateway.

No answer may be a 5xx; each must have a status, a media type and a body that the document promises; what fits the
document must be taken, and what does not must be refused.
"""

from __future__ import annotations

from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from schemathesis import GenerationMode

from multicloud.model import define
from multicloud_local.gateway import create_application
from multicloud_local.server import background
from tests.providers.local.typed import api

EXAMPLES = 60
OPERATIONS = [(str(route.template), route.method) for _, route in define(api).routes]
TEXT_ALONE = ("/hello/{name}", "GET")
"""Any text is right here, so nothing wrong can be sent."""


@pytest.fixture(scope="module")
def schema():
    with background(create_application(lambda: define(api), "local", None)) as running:
        yield schemathesis.openapi.from_url(f"{running.url}/_multicloud/openapi.json")


def test_the_whole_document_is_tried(schema):
    found = {(operation.ok().path, operation.ok().method.upper()) for operation in schema.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        (*operation, mode)
        for operation in OPERATIONS
        for mode in GenerationMode
        if (operation, mode) != (TEXT_ALONE, GenerationMode.NEGATIVE)
    ],
)
def test_the_gateway_does_what_its_document_says(schema, path, method, mode):
    operation = schema[path][method]

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        # Refused in any path, which no schema of one parameter says: a control character.
        assume(all(unquote(str(value)).isprintable() for value in (case.path_parameters or {}).values()))
        case.call_and_validate()

    run()
