"""The documentation at home: the document, the page in a real browser, and that no cloud has either."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator

import httpx
import pytest
from openapi_spec_validator import validate
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from multicloud import Api, Domain, JwtAuthorizer
from multicloud.model import define
from multicloud.testing import TestClient
from multicloud_local import documentation
from multicloud_local.gateway import create_application
from multicloud_local.server import background
from tests.providers.local.typed import api

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
OWN = ("data:", "blob:", "chrome:")
"""Addresses that leave nothing; the browser reads the last ones from itself, for its first empty tab."""
WAIT_SECONDS = 20
PATHS = [
    "/_multicloud/openapi.json",
    "/_multicloud/docs",
    "/_multicloud/docs/start.js",
    "/_multicloud/docs/swagger-ui-bundle.js",
    "/_multicloud/docs/swagger-ui.css",
]


def serving(own: Api, shape: str | None = None):
    return background(create_application(lambda: define(own), "local", shape))


@pytest.fixture(scope="module")
def server():
    with serving(api) as running:
        yield running


def get(server, path, method="GET"):
    return httpx.request(method, server.url + path)


def test_the_document_is_the_definition_s_at_home(server):
    answer = get(server, PATHS[0])
    document = json.loads(answer.content)
    validate(document)
    assert document["servers"] == [{"url": "/", "description": "The local gateway."}]
    assert document["info"]["title"] == "typed"
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_a_domain_in_the_definition_does_not_send_the_page_elsewhere():
    own = Api("own", domain=Domain("api.example.com"))
    own.get("/")(lambda: "x")
    with serving(own) as running:
        assert json.loads(get(running, PATHS[0]).content)["servers"][0]["url"] == "/"


@pytest.mark.parametrize("path", PATHS)
def test_everything_the_page_needs_is_here_and_may_load_from_here_alone(server, path):
    answer = get(server, path)
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    head = get(server, path, "HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(answer.content)))


@pytest.mark.parametrize("path", PATHS)
def test_the_page_s_paths_take_no_other_method(server, path):
    answer = get(server, path, "DELETE")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.content)["detail"] == "The path does not take this method."


@pytest.mark.parametrize("path", ["/_multicloud/", "/_multicloud/docs/", "/_multicloud"])
def test_other_paths_below_are_the_application_s(server, path):
    assert get(server, path).status_code == 404


def test_the_page_is_there_when_requests_take_a_cloud_s_way():
    with serving(api, "aws") as running:
        assert get(running, "/_multicloud/docs").status_code == 200
        assert get(running, "/hello/you").content == b"Hello, you!"


@pytest.mark.parametrize("shape", ["local", "aws", "aws-rest", "gcp", "azure"])
@pytest.mark.parametrize("path", PATHS)
def test_no_function_has_the_page(shape, path):
    assert TestClient(api, shape).get(path).status_code == 404


def test_without_its_package_the_page_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    documentation._asset.cache_clear()
    answer = documentation._asset("swagger-ui.css", "text/css")
    documentation._asset.cache_clear()
    assert answer.status == 404
    assert json.loads(answer.body)["detail"] == "The page needs the package openapi-ui-bundles; install it."


# In a browser.


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed; tests/emulators/install.sh installs them as root")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    for argument in ("disable-background-networking", "disable-component-update", "disable-sync"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.add_argument("--window-size=1200,4000")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    driver = webdriver.Chrome(options=options, service=Service(DRIVER, env=environment))
    try:
        yield driver
    finally:
        driver.quit()


def find(browser, selector):
    return WebDriverWait(browser, WAIT_SECONDS).until(lambda page: page.find_element(By.CSS_SELECTOR, selector))


def press(browser, selector):
    element = find(browser, selector)
    browser.execute_script("arguments[0].scrollIntoView()", element)
    WebDriverWait(browser, WAIT_SECONDS).until(lambda _: element.is_displayed() and element.is_enabled())
    element.click()


def try_out(browser, operation, fill):
    """Open an operation, fill its form, execute it; return what the page shows as the answer: (status, body)."""
    block = f"#operations-typed-{operation}"
    press(browser, f"{block} button.opblock-summary-control")
    find(browser, f"{block} button.execute")
    for selector, value in fill.items():
        element = find(browser, f"{block} {selector}")
        browser.execute_script("arguments[0].scrollIntoView()", element)
        element.clear()
        element.send_keys(value)
    press(browser, f"{block} button.execute")
    status = find(browser, f"{block} .live-responses-table .response .response-col_status")
    body = find(browser, f"{block} .live-responses-table .response .highlight-code")
    return status.text.split()[0], body.text


def test_a_call_from_the_page_shows_its_answer(server, browser):
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # of other tests
    browser.get(f"{server.url}/_multicloud/docs")
    assert find(browser, ".info .title").text.startswith("typed")
    status, body = try_out(browser, "hello", {"input[placeholder=name]": "Ada"})
    assert (status, "Hello, Ada!" in body) == ("200", True)
    status, body = try_out(browser, "create_order", {"textarea": json.dumps({"lines": [{"sku": "", "quantity": "x"}]})})
    assert status == "422"
    assert "/body/lines/0/quantity" in body
    assert "expected an integer, got a string" in body
    status, body = try_out(
        browser, "read_order", {"input[placeholder=order_id]": "00000000-0000-0000-0000-000000000002"}
    )
    assert (status, '"colour": "blue"' in body) == ("200", True)
    complaints = [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["level"] == "SEVERE" and "status of 422" not in entry["message"]
    ]
    assert complaints == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [one["params"]["request"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    urls = [request["url"] for request in requests if not request["url"].startswith(OWN)]
    assert len(urls) >= 8
    assert [url for url in urls if not url.startswith(f"{server.url}/")] == []


def test_a_token_can_be_pasted_where_an_issuer_is_named(browser):
    own = Api("guarded", authorizer=JwtAuthorizer("https://id.example.com/", ["shop"]))
    own.get("/")(lambda: "x")
    with serving(own) as running:
        browser.get(f"{running.url}/_multicloud/docs")
        press(browser, "button.authorize")
        assert find(browser, ".auth-container input").get_attribute("type") == "text"
        assert "bearer" in find(browser, ".auth-container").text.lower()
