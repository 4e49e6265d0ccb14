"""Functions: the parts of an API that deploy, scale and fail on their own, as frozen values that check themselves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

import attrs

from multicloud.errors import Problem
from multicloud.model.authorizers import Authorizer, alternatives, authorizers
from multicloud.model.checks import (
    Check,
    Checked,
    bare,
    callable_or_name,
    each,
    expects,
    frozen,
    instance,
    listed,
    mapping,
    matching,
    one_of,
    optional,
    reference,
    show,
    text,
    whole,
)
from multicloud.model.policies import Quota, Throttle
from multicloud.model.routes import MountDefinition, RouteDefinition

LONGEST_API_NAME, LONGEST_FUNCTION_NAME = 40, 32
"""Characters. The names that a cloud sees are made of both and the stage, and are 64 characters at most."""

_LONGEST_ENVIRONMENT = 4096  # bytes of names and values together: AWS Lambda's limit, the lowest of the three

_RESERVED = re.compile(
    # What the platforms set themselves: AWS Lambda's "Defined runtime environment variables", Cloud Run's container
    # contract and Cloud Functions' reserved names, Azure Functions' application settings; MULTICLOUD_ is the SDK's own.
    r"(AWS|X_GOOGLE|FUNCTIONS|WEBSITE|MULTICLOUD)_.*|AZUREWEBJOBS.*"
    r"|LAMBDA_(TASK_ROOT|RUNTIME_DIR)|K_(SERVICE|REVISION|CONFIGURATION)|FUNCTION_(TARGET|SIGNATURE_TYPE)"
    r"|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|PORT|PATH|PYTHONPATH|LD_LIBRARY_PATH",
    re.ASCII | re.IGNORECASE,
)


def cloud_name(longest: int) -> Check:
    """Check for a name within the alphabet that all clouds share, of at most longest characters."""
    return matching(
        rf"(?=.{{1,{longest}}}$)[a-z]([a-z0-9-]*[a-z0-9])?",
        f"1 to {longest} lower-case letters, digits and inner hyphens, a letter first",
    )


def _variable(value: Any) -> Iterator[Problem]:
    """Check for the name of an environment variable that every cloud lets us set."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{1,127}", value, re.ASCII):
        yield Problem("", "a name of 2 to 128 letters, digits and '_', a letter first", show(value))
    elif _RESERVED.fullmatch(value):
        yield Problem("", "a name that no platform reserves", show(value), f"name it APP_{value} for instance")


def _variable_text(value: Any) -> Iterator[Problem]:
    """Check for the value of an environment variable, without showing it."""
    if not isinstance(value, str):
        yield Problem("", "a string", f"a value of type {type(value).__name__}")
    elif "\0" in value:
        yield Problem("", "text without NUL", "text with NUL")


def _path_or_list(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value if isinstance(value, str) else listed(value)


def _dependencies(value: Any) -> Iterable[Problem]:
    return text(1024)(value) if isinstance(value, str) else each(text(1024))(value)


def exception_pairs(value: Any) -> Iterator[Problem]:
    """Check for pairs of an exception class and the callable that answers for it."""
    if not isinstance(value, tuple):
        yield Problem("", "a list of pairs (exception class, handler)", show(value))
        return
    for index, pair in enumerate(value):
        error, handler = pair if isinstance(pair, tuple) and len(pair) == 2 else (None, None)
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            yield Problem(f"[{index}]", "an exception class and its handler", show(error if error else pair))
        elif not callable(handler):
            yield Problem(f"[{index}]", f"a callable for {error.__name__}", show(handler))


@attrs.frozen
class FunctionDefinition(Checked):
    """A deployed unit: some routes and mounts, and how much they are given.

    name: 1 to 32 lower-case letters, digits and inner hyphens. routes, mounts: at least one of either.
    middleware: callables ``(request, call_next)`` around every handler, the outermost first. exception_handlers: pairs
    (exception class, handler). memory_mb: 128 to 32768 (Cloud Run's limit; a provider refuses what it does not have),
    default 512. timeout_seconds: 1 to 29, default 29, which is what every gateway waits for. min_instances: kept warm,
    0 (default) to 1000. max_instances: 1 to 1000; None (default): the cloud's own. concurrency: requests in one
    instance at a time, 1 to 1000; None (default): the cloud's own. architecture: ``x86_64`` (default) or ``arm64``.
    environment: variables as text, at most 4,096 bytes in all. secrets: variable -> name of the stored secret.
    dependencies: requirements, or the path of a file that lists them; default those of the project. extras: the
    project's extras to install. authorizer, throttle, quota: as a route's; None (default): the API's.
    recorder: the ``Function`` or ``Api`` it was recorded by. Raises DefinitionError.
    """

    name: str = attrs.field(metadata=expects(cloud_name(LONGEST_API_NAME)))
    routes: tuple[RouteDefinition, ...] = attrs.field(
        default=(), converter=listed, metadata=expects(each(instance(RouteDefinition)))
    )
    mounts: tuple[MountDefinition, ...] = attrs.field(
        default=(), converter=listed, metadata=expects(each(instance(MountDefinition)))
    )
    middleware: tuple[Callable[..., Any] | str, ...] = attrs.field(
        default=(), converter=listed, metadata=expects(each(callable_or_name))
    )
    exception_handlers: tuple[tuple[type[BaseException], Callable[..., Any]], ...] = attrs.field(
        default=(), converter=listed, metadata=expects(exception_pairs)
    )
    memory_mb: int = attrs.field(default=512, metadata=expects(whole(128, 32_768, "MB")))
    timeout_seconds: int = attrs.field(
        default=29,
        metadata=expects(
            whole(1, 29, "seconds", "no gateway waits longer on every cloud; answer 202 and go on elsewhere")
        ),
    )
    min_instances: int = attrs.field(default=0, metadata=expects(whole(0, 1000)))
    max_instances: int | None = attrs.field(default=None, metadata=expects(optional(whole(1, 1000))))
    concurrency: int | None = attrs.field(default=None, metadata=expects(optional(whole(1, 1000, "requests"))))
    architecture: str = attrs.field(default="x86_64", metadata=expects(one_of("x86_64", "arm64")))
    environment: Mapping[str, str] = attrs.field(
        factory=dict, converter=frozen, hash=False, metadata=expects(mapping(_variable, _variable_text))
    )
    secrets: Mapping[str, str] = attrs.field(
        factory=dict, converter=frozen, hash=False, metadata=expects(mapping(_variable, reference))
    )
    dependencies: tuple[str, ...] | str = attrs.field(
        default=(), converter=_path_or_list, metadata=expects(_dependencies)
    )
    extras: tuple[str, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(text(100))))
    authorizer: tuple[Authorizer, ...] | None = attrs.field(
        default=None, converter=alternatives, metadata=expects(authorizers)
    )
    throttle: Throttle | None = attrs.field(default=None, metadata=expects(optional(instance(Throttle))))
    quota: Quota | None = attrs.field(default=None, metadata=expects(optional(instance(Quota))))
    recorder: Any = attrs.field(default=None, eq=False, repr=False)

    @property
    def place(self) -> str:
        """``function orders``."""
        return f"function {bare(self.name)}"

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Require something to answer, instances that fit together and variables that can all be set."""
        if not {"routes", "mounts"} & wrong and not (self.routes or self.mounts):
            yield Problem(self.at("routes"), "at least one route or mount", "none")
        if not {"min_instances", "max_instances"} & wrong and self.min_instances > (self.max_instances or 1000):
            yield Problem(
                self.at("min_instances"), f"at most max_instances ({self.max_instances})", str(self.min_instances)
            )
        if not {"environment", "secrets"} & wrong:
            yield from self._variables()

    def _variables(self) -> Iterator[Problem]:
        # Application settings on Azure ignore case, so two names that differ in it alone are one there.
        seen: dict[str, str] = {}
        for name in (*self.environment, *self.secrets):
            folded = name.casefold()
            if folded in seen:
                field = "secrets" if name in self.secrets else "environment"
                yield Problem(
                    self.at(f"{field}[{name}]"), "each variable once, whatever its case", f"{seen[folded]} as well"
                )
            seen[folded] = name
        size = sum(len(name.encode()) + len(value.encode()) for name, value in self.environment.items())
        if size > _LONGEST_ENVIRONMENT:
            hint = "put it into a file of the bundle"
            yield Problem(self.at("environment"), f"at most {_LONGEST_ENVIRONMENT} bytes in all", f"{size} bytes", hint)
