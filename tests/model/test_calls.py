from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from multicloud.model import RouteDefinition, call_plan, parse_template
from tests.model.problems import places_of, problems_of

TEMPLATE = parse_template("/orders/{order_id}/lines/{line}")


def plan(handler: Callable[..., Any], template=TEMPLATE):
    found = call_plan(handler, template)
    return found.wants_request, found.parameters, found.is_async


def nothing(): ...
def only_request(request): ...
def any_name(r): ...
def one_parameter(order_id): ...
def reordered(request, line, order_id): ...
def with_default(request, order_id, limit=10): ...
def default_first(limit=10, order_id=""): ...
def keyword_only(request, *, order_id): ...
def everything(request, **parameters): ...
def only_everything(**parameters): ...
def positional_request(request, /, line): ...
def unannotated_varargs(*args): ...
async def coroutine(request, line): ...


class Service:
    def method(self, request, order_id): ...
    async def async_method(self, request): ...
    @classmethod
    def made(cls, request): ...
    @staticmethod
    def static(order_id): ...


class Callable_:  # noqa: N801
    def __call__(self, request, line): ...


class AsyncCallable:
    async def __call__(self, request, line): ...


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (nothing, (False, (), False)),
        (only_request, (True, (), False)),
        (any_name, (True, (), False)),
        (one_parameter, (False, ("order_id",), False)),
        (reordered, (True, ("order_id", "line"), False)),
        (with_default, (True, ("order_id",), False)),
        (default_first, (False, ("order_id",), False)),
        (keyword_only, (True, ("order_id",), False)),
        (everything, (True, None, False)),
        (only_everything, (False, None, False)),
        (positional_request, (True, ("line",), False)),
        (unannotated_varargs, (True, (), False)),
        (coroutine, (True, ("line",), True)),
        (Service().method, (True, ("order_id",), False)),
        (Service().async_method, (True, (), True)),
        (Service.made, (True, (), False)),
        (Service.static, (False, ("order_id",), False)),
        (Callable_(), (True, ("line",), False)),
        (AsyncCallable(), (True, ("line",), True)),
        (functools.partial(with_default, limit=5), (True, ("order_id",), False)),
        (functools.partial(coroutine), (True, ("line",), True)),
        (functools.partial(functools.partial(AsyncCallable())), (True, ("line",), True)),
        (lambda request: None, (True, (), False)),
    ],
)
def test_a_handler_is_called_as_its_signature_says(handler, expected):
    assert plan(handler) == expected


def passes_everything_on(inner):
    @functools.wraps(inner)
    def wrapper(*args, **kwargs):
        return inner(*args, **kwargs)

    return wrapper


def names_the_request(inner):
    @functools.wraps(inner)
    def wrapper(request, **kwargs):
        return inner(request, "injected", **kwargs)

    return wrapper


def takes_the_request_away(inner):
    @functools.wraps(inner)
    def wrapper(request):
        return inner()

    return wrapper


def made_async(inner):
    @functools.wraps(inner)
    async def wrapper(*args, **kwargs):
        return inner(*args, **kwargs)

    return wrapper


def test_a_wrapper_that_passes_everything_on_is_called_as_what_it_wraps():
    assert plan(passes_everything_on(reordered)) == (True, ("order_id", "line"), False)
    assert plan(passes_everything_on(one_parameter)) == (False, ("order_id",), False)
    assert plan(passes_everything_on(passes_everything_on(nothing))) == (False, (), False)


def test_a_wrappers_own_signature_counts_and_not_what_it_wraps():
    assert plan(takes_the_request_away(nothing)) == (True, (), False)


def test_a_wrapper_that_names_the_request_may_add_what_the_inner_function_needs():
    def handler(request, user, order_id): ...

    assert plan(names_the_request(handler)) == (True, ("order_id",), False)


def test_only_the_wrapper_decides_whether_a_call_is_async():
    assert plan(made_async(only_request))[2] is True
    assert plan(passes_everything_on(coroutine))[2] is False


def test_a_decorated_method_does_not_take_its_self_for_the_request():
    class Decorated:
        @passes_everything_on
        def method(self, request, line): ...

        @passes_everything_on
        def __call__(self, order_id): ...

    assert plan(Decorated().method) == (True, ("line",), False)
    assert plan(Decorated()) == (False, ("order_id",), False)


def test_a_cached_handler_is_called_as_what_it_wraps():
    assert plan(functools.cache(one_parameter)) == (False, ("order_id",), False)


def test_a_plan_calls_what_it_was_made_from():
    def handler(request, line, order_id):
        return request, order_id, line

    for wrapped in (handler, passes_everything_on(handler)):
        found = call_plan(wrapped, TEMPLATE)
        values = {"order_id": "o", "line": "l"}
        assert found.parameters is not None
        assert wrapped("r", **{name: values[name] for name in found.parameters}) == ("r", "o", "l")


def unknown_parameter(request, order): ...
def unknown_keyword(request, *, page): ...
def request_second(order_id, request): ...
def request_by_keyword(*, request): ...
def positional_parameter(request, order_id, /): ...


@pytest.mark.parametrize(
    "handler",
    [
        unknown_parameter,
        unknown_keyword,
        request_second,
        request_by_keyword,
        positional_parameter,
        Service.method,
        passes_everything_on(unknown_parameter),
    ],
)
def test_a_handler_that_the_route_cannot_call_is_refused_where_it_is_defined(handler):
    assert all(place.startswith("handler ") for place in places_of(lambda: call_plan(handler, TEMPLATE)))
    route = "route GET /orders/{order_id}/lines/{line}: handler "
    assert all(place.startswith(route) for place in places_of(lambda: RouteDefinition("GET", str(TEMPLATE), handler)))


def test_every_parameter_that_cannot_be_filled_is_reported():
    def handler(request, page, size): ...

    assert len(problems_of(lambda: call_plan(handler, TEMPLATE))) == 2


def test_the_message_says_what_the_route_can_fill():
    (problem,) = problems_of(lambda: call_plan(unknown_parameter, TEMPLATE))
    assert "order_id" in problem.expected
    assert "'order'" in problem.got


def test_a_callable_without_a_readable_signature_is_refused():
    class Opaque:
        __signature__ = "no signature"

        def __call__(self): ...

    assert places_of(lambda: call_plan(Opaque(), TEMPLATE))


def test_a_wrapper_that_wraps_itself_does_not_hang():
    def handler(request, **kwargs): ...

    handler.__wrapped__ = handler  # type: ignore[attr-defined]
    assert plan(handler) == (True, None, False)
