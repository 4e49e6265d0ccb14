"""``multicloud invoke``: one request to the API, in this process and without a server."""

from __future__ import annotations

import base64
import sys
from typing import Any
from urllib.parse import quote, urlencode

import click

from multicloud.cli.output import json_option, print_json, user_code
from multicloud.model import ApiDefinition, RouteDefinition
from multicloud.model.checks import nearest
from multicloud.model.policies import METHODS
from multicloud.project import Project
from multicloud.provider import HttpRequest, HttpResponse

_KEPT_IN_TARGET = "!#$%&'()*+,/:;=?@[]~"  # RFC 3986's reserved characters, and the percent sign of an escape


@click.command()
@click.argument("target", metavar="ROUTE|FUNCTION")
@click.option("--method", help="The method, where ROUTE does not state it.  [default: GET, with --data POST]")
@click.option("--data", help="The body.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header; may be repeated.")
@click.option("--query", "queries", multiple=True, metavar="NAME=VALUE", help="A query parameter; may be repeated.")
@json_option
def command(
    target: str,
    method: str | None,
    data: str | None,
    headers: tuple[str, ...],
    queries: tuple[str, ...],
    as_json: bool,
) -> None:
    """Send one request to the API, in this process.

    ROUTE is a method and a path, "GET /orders/1", or a path. FUNCTION is a route's operation_id, or the name of a
    function that has one route. A body is sent as JSON unless --header states another content type.

    The body of the answer goes to standard output, its status and headers to standard error. Exits with 1 if the
    status is 500 or more.
    """
    pairs = [_pair(header, ":", "--header") for header in headers]
    query = urlencode([_pair(text, "=", "--query") for text in queries])
    body = (data or "").encode()
    with user_code():
        project = Project.load()
        method, path = _resolve(target, method, data is not None, project)
        separator = "&" if "?" in path else "?"
        request = HttpRequest(method, f"{path}{separator}{query}" if query else path, _headers(pairs, body), body)
        response = project.connect()(request)
    if as_json:
        print_json(_plain(response))
    else:
        _print(response)
    if response.status_code >= 500:
        click.get_current_context().exit(1)


def _resolve(target: str, method: str | None, has_body: bool, project: Project) -> tuple[str, str]:
    """Return the method and the percent-encoded path that are meant."""
    word, _, rest = target.partition(" ")
    stated, path = (word, rest.lstrip()) if word in METHODS else ("", target)
    if stated and method and stated != method:
        raise click.UsageError(f"{target!r} states {stated}, --method states {method}: leave one out")
    if not path.startswith("/"):
        route = _named(project.definition(), path, method)
        return route.method, quote(route.path, safe=_KEPT_IN_TARGET)
    return stated or method or ("POST" if has_body else "GET"), quote(path, safe=_KEPT_IN_TARGET)


def _named(definition: ApiDefinition, name: str, method: str | None) -> RouteDefinition:
    """Return the one route that an operation_id, or the name of a function, stands for."""
    routes = [route for _, route in definition.routes if route.operation_id == name]
    routes = routes or [route for function, route in definition.routes if function.name == name]
    if not routes:
        known = [route.operation_id for _, route in definition.routes]
        known += [function.name for function in definition.functions]
        hint = nearest(name, known) or "'multicloud routes' lists them"
        raise click.BadParameter(f"no operation_id or function {name!r}; {hint}", param_hint="ROUTE|FUNCTION")
    matching = [route for route in routes if method in (None, route.method)]
    if len(matching) != 1 or matching[0].template.parameters:
        listed = ", ".join(f'"{route.method} {route.path}"' for route in matching or routes)
        raise click.BadParameter(
            f"{name!r} does not name one path; write the route: {listed}", param_hint="ROUTE|FUNCTION"
        )
    return matching[0]


def _pair(text: str, separator: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not found or not name:
        raise click.BadParameter(f"expected NAME{separator}VALUE, got {text!r}", param_hint=option)
    return name, value.strip() if separator == ":" else value


def _headers(pairs: list[tuple[str, str]], body: bytes) -> tuple[tuple[str, str], ...]:
    given = {name.lower() for name, _ in pairs}
    implied = {"content-type": "application/json", "content-length": str(len(body))} if body else {}
    return (*pairs, *((name, value) for name, value in implied.items() if name not in given))


def _plain(response: HttpResponse) -> dict[str, Any]:
    """Return an answer as plain values: ``body`` as text, or ``body_base64`` where it is not UTF-8."""
    plain: dict[str, Any] = {"status_code": response.status_code, "headers": [list(pair) for pair in response.headers]}
    try:
        return plain | {"body": response.body.decode()}
    except UnicodeDecodeError:
        return plain | {"body_base64": base64.b64encode(response.body).decode()}


def _print(response: HttpResponse) -> None:
    click.echo(str(response.status_code), err=True)
    for name, value in response.headers:
        click.echo(f"{name}: {value}", err=True)
    # A prompt must not follow the body on its line; a pipe gets the bytes as they are.
    ends_line = response.body.endswith(b"\n") or not response.body or not sys.stdout.isatty()
    click.echo(response.body, nl=not ends_line)
