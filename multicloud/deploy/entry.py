"""From a definition to what a function runs: the config literals, and the generated entry module around them.

``compile_application`` is what the local gateway and the test client run directly; ``render`` writes the same into an
entry module, in which the user's callables are imported by name. The config is made of plain literals:

    api, function, stage, provider    names
    development                       True where a mistake should fail loudly: local, tests
    event_loop                        False if nothing in the bundle can wait on asyncio
    async                             whether anything of the user's is a coroutine function
    limits                            body_bytes, header_bytes, headers, url_bytes
    cors                              the fields of ``Cors``, or None
    middleware                        pairs (object, is_async) around every function
    exception_handlers                triples (class object, object, is_async) for every function
    functions                         name, timeout_seconds, middleware, exception_handlers of each
    routes                            method, path, parameters, function, handler, async, request, arguments, middleware
    typed                             of a typed route: arguments, each (name, source, shape, whether it is required,
                                      whether its absence is None), and returns, a shape or None
    records                           what shapes refer to, as ``multicloud.deploy.shapes`` says; absent without any
    static, tree                      what ``multicloud.runtime.router.build`` made of the routes
    policies                          the gates, as ``multicloud.deploy.gates`` says; absent without any. A route or
                                      mount that has one states its number as gate
    caching                           as ``multicloud.deploy.caching`` says; absent where nothing is kept
    shared                            template -> methods that other functions of the API serve on it
    mounts                            prefix, function, app, kind; the longest prefix first

where ``object`` is an index into the tuple of the user's objects.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from multicloud.deploy.caching import caching_literals
from multicloud.deploy.gates import GateCompiler, check_secrets
from multicloud.deploy.references import Reference, find_reference, load
from multicloud.deploy.shapes import ShapeCompiler
from multicloud.errors import DefinitionError, Problem
from multicloud.model import ApiDefinition, FunctionDefinition
from multicloud.model.calls import call_plan
from multicloud.provider import EntrySource, Provider
from multicloud.runtime.router import build

LIMITS = {"body_bytes": 4 * 1024 * 1024, "header_bytes": 8 * 1024, "headers": 100, "url_bytes": 4 * 1024}
"""The portable limits (CONTRACT.md, section 1)."""


@attrs.define
class _Compiler:
    """Collects the user's objects while the config refers to them by index."""

    definition: ApiDefinition
    objects: list[Any] = attrs.field(factory=list)
    sources: list[tuple[str, Any, str]] = attrs.field(factory=list)
    """For each object: its place in the user's words, the recorder that holds it, and where in the recorder."""
    has_async: bool = False
    development: bool = False
    shapes: ShapeCompiler = attrs.field(init=False)
    gates: GateCompiler = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.shapes = ShapeCompiler(lambda cls: self.add(cls, f"class {cls.__qualname__} of a typed handler", None, ""))
        self.gates = GateCompiler(
            self.definition, lambda handler, place: (self.add(handler, place, None, ""), self.is_async(handler))
        )

    def add(self, value: Any, place: str, recorder: Any, path: str) -> int:
        self.objects.append(load(value))
        self.sources.append((place, recorder, path))
        return len(self.objects) - 1

    def layers(self, layers: Sequence[Any], place: str, recorder: Any) -> tuple[tuple[int, bool], ...]:
        return tuple(
            (self.add(layer, f"{place}: middleware", recorder, f".middlewares[{number}]"), self.is_async(layer))
            for number, layer in enumerate(layers)
        )

    def exception_handlers(self, pairs: Sequence[Any], place: str, recorder: Any) -> tuple[tuple[int, int, bool], ...]:
        place = f"{place}: exception_handlers"
        return tuple(
            (
                self.add(error, place, recorder, f".exception_handlers[{number}][0]"),
                self.add(handler, place, recorder, f".exception_handlers[{number}][1]"),
                self.is_async(handler),
            )
            for number, (error, handler) in enumerate(pairs)
        )

    def is_async(self, value: Any) -> bool:
        value = load(value)
        called = getattr(value, "__call__", None)  # noqa: B004 - an instance's own method is asked for
        found = inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(called)
        self.has_async = self.has_async or found
        return found

    def routes(self, function: FunctionDefinition, number: int) -> Iterable[dict[str, Any]]:
        for route in function.routes:
            found = f'["{route.method} {route.path}"]'
            index = self.add(route.handler, route.place, function.recorder, found)
            plan = call_plan(self.objects[index], route.template, route.method)
            self.has_async = self.has_async or plan.is_async
            parameters = route.template.parameters
            takes_all = bool(parameters) and plan.parameters in (None, parameters)
            typed = self.shapes.typed(plan, development=self.development)
            compiled = {
                "method": route.method,
                "path": route.path,
                "parameters": parameters,
                "function": number,
                "handler": index,
                "async": plan.is_async,
                "request": plan.wants_request,
                "arguments": None if takes_all else plan.parameters or (),
                "middleware": tuple(
                    (self.add(layer, f"{route.place}: middleware", None, ""), self.is_async(layer))
                    for layer in route.middleware
                ),
            }
            gate = self.gates.gate(function, route)
            compiled = compiled if gate is None else {**compiled, "gate": gate}
            yield compiled if typed is None else {**compiled, "typed": typed}

    def mounts(self, function: FunctionDefinition, number: int) -> Iterable[dict[str, Any]]:
        for position, mount in enumerate(function.mounts):
            app = self.add(mount.app, mount.place, function.recorder, f".mounts[{position}][1]")
            self.has_async = self.has_async or mount.kind == "asgi"
            compiled = {"prefix": mount.prefix.rstrip("/"), "function": number, "app": app, "kind": mount.kind}
            gate = self.gates.gate(function, mount)
            yield compiled if gate is None else {**compiled, "gate": gate}


def compile_application(
    definition: ApiDefinition,
    functions: Sequence[FunctionDefinition],
    *,
    provider: str,
    stage: str,
    development: bool,
    event_loop: bool = True,
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return (config, objects) of some functions of an API, as the module's docstring says."""
    config, compiler = _compile(definition, functions, provider, stage, development, event_loop)
    return config, tuple(compiler.objects)


def _compile(
    definition: ApiDefinition,
    functions: Sequence[FunctionDefinition],
    provider: str,
    stage: str,
    development: bool,
    event_loop: bool,
) -> tuple[dict[str, Any], _Compiler]:
    compiler = _Compiler(definition, development=development)
    check_secrets(definition)
    place, recorder = definition.place, definition.recorder
    routes = [route for number, function in enumerate(functions) for route in compiler.routes(function, number)]
    mounts = [mount for number, function in enumerate(functions) for mount in compiler.mounts(function, number)]
    static, tree = build((route["method"], route["path"]) for route in routes)
    config = {
        "api": definition.name,
        "function": functions[0].name,
        "stage": stage,
        "provider": provider,
        "development": development,
        "event_loop": event_loop,
        "limits": LIMITS,
        "cors": None if definition.cors is None else attrs.asdict(definition.cors),
        "middleware": compiler.layers(definition.middleware, place, recorder),
        "exception_handlers": compiler.exception_handlers(definition.exception_handlers, place, recorder),
        "functions": tuple(
            {
                "name": function.name,
                "timeout_seconds": function.timeout_seconds,
                "middleware": compiler.layers(function.middleware, function.place, function.recorder),
                "exception_handlers": compiler.exception_handlers(
                    function.exception_handlers, function.place, function.recorder
                ),
            }
            for function in functions
        ),
        "routes": tuple(routes),
        "static": static,
        "tree": tree,
        "shared": _shared(definition, functions),
        "mounts": tuple(sorted(mounts, key=lambda mount: -len(mount["prefix"]))),
    }
    policies = compiler.gates.literals()
    if policies is not None:
        config["policies"] = policies
    caching = caching_literals(definition, functions)
    if caching is not None:
        config["caching"] = caching
    config["async"] = compiler.has_async
    if compiler.shapes.records:
        config["records"] = tuple(compiler.shapes.records)
    return config, compiler


def _shared(definition: ApiDefinition, functions: Sequence[FunctionDefinition]) -> dict[str, tuple[str, ...]]:
    """Return the methods that other functions serve on templates of these: a 405 must name them."""
    names = {function.name for function in functions}
    own = {route.path for function in functions for route in function.routes}
    shared: dict[str, list[str]] = {}
    for function, route in definition.routes:
        if function.name not in names and route.path in own:
            shared.setdefault(route.path, []).append(route.method)
    return {path: tuple(sorted(methods)) for path, methods in sorted(shared.items())}


def render(
    definition: ApiDefinition, function: FunctionDefinition, provider: Provider, stage: str, *, event_loop: bool
) -> Mapping[str, bytes]:
    """Return the generated files of a function's bundle: path inside the zip to content.

    event_loop: whether anything in the bundle can wait on asyncio. Raises DefinitionError for handlers that cannot be
    imported by name.
    """
    config, compiler = _compile(definition, [function], provider.name, stage, False, event_loop)
    return provider.render_entry(_source(definition, function, config, _references(compiler)))


def loaded_functions(definition: ApiDefinition, function: FunctionDefinition) -> tuple[FunctionDefinition, ...]:
    """Return the other functions that are loaded with one, since a module that its entry imports holds them.

    That is so where the API's middleware is defined beside the ``Api`` itself: their dependencies are needed as well.
    """
    _, compiler = _compile(definition, [function], "", "", False, True)
    held = [value for name in _modules(_references(compiler)) for value in vars(sys.modules[name]).values()]
    return tuple(
        other
        for other in definition.functions
        if other is not function and other.recorder is not None and any(value is other.recorder for value in held)
    )


def _references(compiler: _Compiler) -> list[Reference]:
    """Return how to name each of the user's objects. Raises DefinitionError for those that have no name."""
    references, problems = [], []
    for value, (place, recorder, path) in zip(compiler.objects, compiler.sources, strict=True):
        reference = find_reference(value, recorder, path)
        if reference is None:
            hint = "define it at the top level of a module and give it a name of its own"
            problems.append(Problem(place, "something that can be imported by name", repr(value), hint))
        else:
            references.append(reference)
    if problems:
        raise DefinitionError(problems)
    return references


def _modules(references: Sequence[Reference]) -> list[str]:
    return sorted({reference.module for reference in references})


def _source(
    definition: ApiDefinition, function: FunctionDefinition, config: dict[str, Any], references: Sequence[Reference]
) -> EntrySource:
    """Return what the provider writes its entry module from; each module is imported once, in a fixed order."""
    aliases = {module: f"_{number}" for number, module in enumerate(_modules(references))}
    return EntrySource(
        api=definition.name,
        function=function.name,
        imports=tuple(aliases.items()),
        objects=tuple(reference.expression(aliases[reference.module]) for reference in references),
        config=config,
    )


def render_config(source: EntrySource, *, imports: Sequence[str], tail: Sequence[str]) -> str:
    """Return an entry module, for ``Provider.render_entry``.

    imports: what the provider needs. tail: lines that make the platform's entry point of ``CONFIG`` and ``OBJECTS``.
    """
    lines = [
        f'"""Function {source.function} of API {source.api}: entry point, generated by multicloud. Edits are lost."""',
        "",
        *imports,
        *(f"import {module} as {alias}" for module, alias in source.imports),
        "",
        "CONFIG = {",
        *(f"    {name!r}: {value!r}," for name, value in source.config.items()),
        "}",
        "OBJECTS = (",
        *(f"    {expression}," for expression in source.objects),
        ")",
        *tail,
        "",
    ]
    return "\n".join(lines)
