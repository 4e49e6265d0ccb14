"""Conformance cases as data: what ``cases/*.yaml`` states, and whether an answer is what a case expects.

A case names its rule in the contract (``R1`` to ``R49``, or a section's word), a request, and the one answer that every
platform must give. ``except`` names a platform's documented gap of ``gaps.yaml`` and what comes instead there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import yaml

from multicloud.provider import HttpRequest, HttpResponse
from multicloud.runtime.errors import REASONS

HERE = Path(__file__).parent
SHAPES = ("local", "aws", "aws-rest", "aws-url", "aws-alb", "gcp", "azure")
PROCESSES = ("local-process", "aws-process", "aws-rest-process", "gcp-process", "azure-process")
REQUEST_KEYS = {"line", "headers", "body", "base64", "many_headers", "many_cookies"}
EXPECTED_KEYS = {
    "absent",
    "base64",
    "echo",
    "extensions",
    "headers",
    "json",
    "problem",
    "repeated",
    "set_cookie",
    "status",
    "text",
}
DIFFERENCE_KEYS = EXPECTED_KEYS | {"unsent", "foreign"}
BODILESS = ("GET", "HEAD", "OPTIONS")
LEAKS = (b"secret detail", b"Traceback", b".py", b"site-packages")
MASKED = "masked"


@attrs.frozen
class Difference:
    """A documented difference. where: shapes and processes. gap: a key of ``gaps.yaml``. expected: what comes instead.

    In expected, ``unsent`` says that the request cannot reach the runtime at all, ``foreign`` that the platform answers
    itself, so that only the status is compared.
    """

    where: Sequence[str]
    gap: str
    expected: Mapping[str, Any]


@attrs.frozen
class Case:
    """One case. theme: its file. api: which of the project's APIs answers it."""

    theme: str
    id: str
    rule: str
    api: str
    request: HttpRequest
    expected: Mapping[str, Any]
    differences: Sequence[Difference] = ()

    def difference(self, platform: str) -> Difference | None:
        """Return the documented difference of a shape or process, if there is one."""
        return next((difference for difference in self.differences if platform in difference.where), None)

    def expected_on(self, platform: str) -> Mapping[str, Any]:
        """Return what to expect of a shape or process."""
        difference = self.difference(platform)
        if difference is None:
            return self.expected
        if {"unsent", "foreign"} & difference.expected.keys():
            return difference.expected
        return {**self.expected, **difference.expected}


@cache
def load_gaps() -> Mapping[str, Mapping[str, str]]:
    """Return the documented gaps of platforms: name to ``source`` and ``text``."""
    gaps: Mapping[str, Mapping[str, str]] = yaml.safe_load((HERE / "gaps.yaml").read_text("utf-8"))
    return gaps


@cache
def load_cases() -> tuple[Case, ...]:
    """Return every case of ``cases/*.yaml``. Raises ValueError for one that is not well formed."""
    files = sorted((HERE / "cases").glob("*.yaml"))
    cases = [_read(path.stem, each) for path in files for each in yaml.safe_load(path.read_text("utf-8"))]
    names = [case.id for case in cases]
    if len(set(names)) != len(names):
        raise ValueError(f"cases named twice: {sorted({name for name in names if names.count(name) > 1})}")
    return tuple(cases)


def _read(theme: str, stated: dict[str, Any]) -> Case:
    unknown = stated.keys() - {"id", "rule", "api", "request", "expected", "except"}
    unknown |= stated["expected"].keys() - EXPECTED_KEYS
    differences = [Difference(each["where"], each["gap"], each["expected"]) for each in stated.get("except", ())]
    for difference in differences:
        unknown |= set(difference.where) - {*SHAPES, *PROCESSES}
        unknown |= difference.expected.keys() - DIFFERENCE_KEYS
        unknown |= {difference.gap} - load_gaps().keys()
    if unknown:
        raise ValueError(f"{theme}: case {stated.get('id')}: not known: {sorted(unknown)}")
    return Case(
        theme,
        f"{theme}-{stated['id']}",
        stated["rule"],
        stated.get("api", "api"),
        _request(stated["request"]),
        stated["expected"],
        differences,
    )


def _request(stated: str | dict[str, Any]) -> HttpRequest:
    stated = {"line": stated} if isinstance(stated, str) else stated
    if stated.keys() - REQUEST_KEYS:
        raise ValueError(f"a request has no {sorted(stated.keys() - REQUEST_KEYS)}")
    method, _, target = _text(stated["line"]).partition(" ")
    headers = [(name, _text(value)) for name, value in stated.get("headers", ())]
    headers += [(f"x-test-{number}", "v") for number in range(stated.get("many_headers", 0))]
    if "many_cookies" in stated:
        headers.append(("Cookie", "; ".join(f"c{number}={number}" for number in range(stated["many_cookies"]))))
    body = base64.b64decode(stated["base64"]) if "base64" in stated else _text(stated.get("body", "")).encode()
    if body or method not in BODILESS:
        headers.append(("Content-Length", str(len(body))))
    return HttpRequest(method, target, tuple(headers), body)


def _text(stated: str | Mapping[str, Any]) -> str:
    """Return a text, or one stated as ``{before, repeat, times, after}``."""
    if isinstance(stated, str):
        return stated
    return stated.get("before", "") + stated["repeat"] * stated["times"] + stated.get("after", "")


# Comparing.


def mismatches(case: Case, platform: str, answer: HttpResponse) -> list[str]:
    """Return how an answer differs from what a case expects of a shape or process; empty if it does not."""
    expected = case.expected_on(platform)
    found = [
        f"the answer shows {leak!r}" for leak in LEAKS if leak in answer.body or leak in str(answer.headers).encode()
    ]
    if answer.status_code != expected["status"]:
        found.append(f"status {answer.status_code}, expected {expected['status']}")
    if expected.get("foreign"):
        return found
    headers = joined_headers(answer)
    for name, value in expected.get("headers", {}).items():
        if headers.get(name) != value:
            found.append(f"header {name}: {headers.get(name)!r}, expected {value!r}")
    found += [
        f"header {name}: {headers[name]!r}, expected none" for name in expected.get("absent", ()) if name in headers
    ]
    if "set_cookie" in expected and set_cookies(answer) != [_cookie(value) for value in expected["set_cookie"]]:
        found.append(f"set-cookie: {set_cookies(answer)}, expected {expected['set_cookie']}")
    found += _body_mismatches(case, expected, answer)
    return [f"{line}\n  body: {answer.body[:300]!r}" for line in found]


def _body_mismatches(case: Case, expected: Mapping[str, Any], answer: HttpResponse) -> list[str]:
    if "echo" in expected:
        return _echo_mismatches({**default_echo(case.request), **expected["echo"]}, answer)
    if "problem" in expected:
        wanted = {
            "type": "about:blank",
            "title": REASONS.get(expected["status"], "Error"),
            "status": expected["status"],
            "detail": expected["problem"],
            "request_id": MASKED,
            **expected.get("extensions", {}),
        }
        content_type = joined_headers(answer).get("content-type")
        if content_type != "application/problem+json":
            return [f"content-type {content_type!r}, expected a problem document"]
        body = json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()
    elif "json" in expected:
        body = json.dumps(expected["json"], ensure_ascii=False, separators=(",", ":")).encode()
    elif "repeated" in expected:
        body = _text(expected["repeated"]).encode()
    elif "base64" in expected:
        body = base64.b64decode(expected["base64"])
    elif "text" in expected:
        body = expected["text"].encode()
    else:
        return []
    return [] if masked(answer.body) == body else [f"body {masked(answer.body)[:300]!r}, expected {body[:300]!r}"]


def _echo_mismatches(wanted: Mapping[str, Any], answer: HttpResponse) -> list[str]:
    try:
        seen = json.loads(answer.body)
    except ValueError:
        return [f"the body is no echo: {answer.body[:300]!r}"]
    return [
        f"{name}: {seen.get(name)!r}, expected {value!r}" for name, value in wanted.items() if seen.get(name) != value
    ]


def default_echo(request: HttpRequest) -> dict[str, Any]:
    """Return what a handler must see of a request unless the case says otherwise."""
    body = b"" if request.method in BODILESS else request.body
    echo = {
        "method": request.method,
        "query": [],
        "cookies": {},
        "body": base64.b64encode(body).decode(),
        "sha256": hashlib.sha256(body).hexdigest(),
        "client_ip": "127.0.0.1",
        "identity": None,
        "has_id": True,
        "has_deadline": True,
        "trace": None,
    }
    if "%" not in request.raw_path:
        echo["path"] = request.raw_path
    return echo


def masked(body: bytes) -> bytes:
    """Return a body with its request id hidden; an id must be there to be hidden."""
    return re.sub(rb'"request_id":"[^"]+"', f'"request_id":"{MASKED}"'.encode(), body)


def joined_headers(answer: HttpResponse) -> dict[str, str]:
    """Return the headers but for Set-Cookie, repeats joined; names in lower case."""
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        name = name.lower()
        if name != "set-cookie":
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def set_cookies(answer: HttpResponse) -> list[tuple[str, frozenset[str]]]:
    """Return each Set-Cookie as its pair and its attributes; the order of attributes and their case mean nothing."""
    return [_cookie(value) for name, value in answer.headers if name.lower() == "set-cookie"]


def _cookie(value: str) -> tuple[str, frozenset[str]]:
    pair, *attributes = value.split(";")
    return pair.strip(), frozenset(attribute.strip().lower() for attribute in attributes)


COMPARED = ("content-type", "allow", "vary", "location", "etag", "cache-control", "x-total", "x-layer", "x-status-seen")


def canonical_answer(answer: HttpResponse, method: str) -> dict[str, Any]:
    """Return what two platforms' answers to one request must have in common."""
    headers = joined_headers(answer)
    kept = {name: value for name, value in headers.items() if name in COMPARED or name.startswith("access-control-")}
    if not answer.body and (method != "HEAD" or answer.status_code in (204, 304)):
        kept.pop("content-type", None)  # some platforms state one even without a body: gap stated-content-type
    if "allow" in kept:
        kept["allow"] = ", ".join(sorted(kept["allow"].split(", ")))  # a mounted application states it in any order
    return {
        "status": answer.status_code,
        **kept,
        "set-cookie": set_cookies(answer),
        "body": masked(answer.body),
    }
