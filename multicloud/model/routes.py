"""Routes and mounts: what answers under which path, as frozen values that check themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from typing import Any

import attrs

from multicloud.errors import Problem
from multicloud.model.authorizers import Authorizer, alternatives, authorizers
from multicloud.model.calls import read_route
from multicloud.model.checks import (
    Checked,
    bare,
    callable_or_name,
    each,
    expects,
    flag,
    instance,
    listed,
    matching,
    one_of,
    optional,
    prose,
    show,
    text,
    whole,
)
from multicloud.model.policies import METHODS, Quota, Throttle
from multicloud.model.templates import PathTemplate, parse_template, split_template, template

__all__ = ["MountDefinition", "PathTemplate", "RouteDefinition", "handler_name", "parse_template"]

_LONGEST_OPERATION_ID = 80  # Azure API Management's limit, the lowest of the three

_scope = matching(r"[!#-\[\]-~]{1,128}", "a scope without spaces, quotes or backslashes (RFC 6749, 3.3)")
_operation_id = matching(
    rf"[A-Za-z_][A-Za-z0-9_.-]{{0,{_LONGEST_OPERATION_ID - 1}}}",
    f"1 to {_LONGEST_OPERATION_ID} letters, digits, '_', '.' or '-', a letter or '_' first",
)


def handler_name(handler: object) -> str:
    """Return a handler's name as an operation_id can bear it; ``"handler"`` if it has none."""
    while hasattr(handler, "func"):  # functools.partial
        handler = handler.func
    name = handler.rpartition(":")[2] if isinstance(handler, str) else getattr(handler, "__name__", None)
    name = name if isinstance(name, str) else type(handler).__name__
    name = re.sub(r"[^A-Za-z0-9_]+", "_", name.rpartition(".")[2]).strip("_").lstrip("0123456789")
    return name[:_LONGEST_OPERATION_ID] or "handler"


def _template_of(route: RouteDefinition) -> PathTemplate:
    """Return the template of a route; one without segments if its path is wrong, which is reported elsewhere."""
    return split_template(route.path) if not any(template(route.path)) else PathTemplate(())


@attrs.frozen
class RouteDefinition(Checked):
    """One method on one path, and the handler that answers.

    method: one of ``METHODS``; GET answers HEAD as well. path: the template, as ``multicloud.model.templates`` says.
    handler: a callable, or its name as ``module:qualname``; ``multicloud.model.calls`` says what it may take.
    operation_id: unique in the API; default the handler's name. summary: one line; description: Markdown; tags,
    deprecated: for the API's documentation. scopes: all of them must be granted, else 403; default none. authorizer:
    one, or a list of alternatives, kept as a tuple; None (default): the function's or API's. throttle, quota: None: the
    same. cache_seconds: for how long anyone may keep the answer of a GET route, 1 to 31536000; None (default): the
    handler decides. middleware: callables ``(request, call_next)`` around this handler alone, the outermost first.
    template: the path taken apart. Raises DefinitionError.
    """

    method: str = attrs.field(metadata=expects(one_of(*METHODS)))
    path: str = attrs.field(metadata=expects(template))
    handler: Callable[..., Any] | str = attrs.field(metadata=expects(callable_or_name))
    operation_id: str = attrs.field(
        default=attrs.Factory(lambda self: handler_name(self.handler), takes_self=True), metadata=expects(_operation_id)
    )
    summary: str = attrs.field(default="", metadata=expects(prose(200)))
    description: str = attrs.field(default="", metadata=expects(prose(10_000)))
    tags: tuple[str, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(text(100))))
    deprecated: bool = attrs.field(default=False, metadata=expects(flag))
    scopes: tuple[str, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(_scope)))
    authorizer: tuple[Authorizer, ...] | None = attrs.field(
        default=None, converter=alternatives, metadata=expects(authorizers)
    )
    throttle: Throttle | None = attrs.field(default=None, metadata=expects(optional(instance(Throttle))))
    quota: Quota | None = attrs.field(default=None, metadata=expects(optional(instance(Quota))))
    cache_seconds: int | None = attrs.field(default=None, metadata=expects(optional(whole(1, 31_536_000, "seconds"))))
    middleware: tuple[Callable[..., Any] | str, ...] = attrs.field(
        default=(), converter=listed, metadata=expects(each(callable_or_name))
    )
    template: PathTemplate = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(_template_of, takes_self=True)
    )

    @property
    def place(self) -> str:
        """``route GET /orders/{id}``."""
        return f"route {bare(self.method)} {bare(self.path)}"

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Require a handler that fits the path, and GET where answers are kept."""
        if not {"handler", "path"} & wrong and callable(self.handler):
            for problem in read_route(self.handler, self.template, self.method)[1]:
                yield attrs.evolve(problem, place=self.at(f"handler {show(self.handler)}"))
        if self.cache_seconds is not None and not {"cache_seconds", "method"} & wrong and self.method != "GET":
            yield Problem(
                self.at("cache_seconds"), "None, because only answers to GET are kept", str(self.cache_seconds)
            )


@attrs.frozen
class MountDefinition(Checked):
    """An ASGI or WSGI application that answers every path at and below a prefix that no route matches.

    prefix: a path without parameters and without ``/`` at its end, or ``/`` alone. Of several, the longest wins.
    app: the application, or its name as ``module:qualname``. kind: ``asgi`` or ``wsgi``. Raises DefinitionError.
    """

    prefix: str = attrs.field(metadata=expects(template))
    app: Callable[..., Any] | str = attrs.field(metadata=expects(callable_or_name))
    kind: str = attrs.field(metadata=expects(one_of("asgi", "wsgi")))

    @property
    def place(self) -> str:
        """``mount /legacy``."""
        return f"mount {bare(self.prefix)}"

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Require a literal prefix that does not end in a slash."""
        if "prefix" in wrong or self.prefix == "/":
            return
        if "{" in self.prefix:
            yield Problem(
                self.at("prefix"), "a path without parameters", show(self.prefix), "the mounted app routes by itself"
            )
        if self.prefix.endswith("/"):
            yield Problem(self.at("prefix"), "a path without '/' at its end", show(self.prefix))
