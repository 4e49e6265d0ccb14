"""Calls a typed handler: its arguments converted and checked first, in development its answer checked after.

Loaded when the first request reaches a typed handler, so the others pay nothing. What to convert was compiled at deploy
time (``multicloud.deploy.shapes``). Of what can be wrong with a request the first of these is answered: the media type
(415), the JSON (400), the query's encoding (400), then every fault of path, query and body together (422).
"""

from __future__ import annotations

from multicloud.runtime.converters import MOST_FAULTS, REQUIRED, Converters, pointer
from multicloud.runtime.errors import HttpError
from multicloud.runtime.response import to_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from multicloud.runtime.converters import Convert, Faults
    from multicloud.runtime.request import Request

_UNREADABLE = "�"
"""What stands in decoded text for bytes that are no UTF-8."""

_ROOTS = {"path": "path", "query": "query", "list": "query"}


class AnswerError(Exception):
    """A handler's answer is not what its return annotation promises. Raised in development alone."""


def bind_typed(
    handler: Callable[..., Any],
    route: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    objects: Sequence[Any],
) -> Callable[[Request], Any]:
    """Return a callable of the request alone, as ``multicloud.runtime.endpoints.bind`` does for an untyped handler.

    route, records: the config's. objects: the user's.
    """
    converters = Converters(records, objects)
    typed = route["typed"]
    read = _reader(typed["arguments"], converters)
    names, wants_request = route["arguments"], route["request"]

    def call(request: Request) -> Any:
        values = request.path_params
        arguments = dict(values) if names is None else {name: values[name] for name in names}
        read(request, arguments)
        return handler(request, **arguments) if wants_request else handler(**arguments)

    if typed["returns"] is None:
        return call
    check = _checker(converters.of(typed["returns"]))

    def checked(request: Request) -> Any:
        result = call(request)
        if hasattr(result, "__await__"):
            return _check_awaited(result, request, check)
        return check(request, result)

    return checked


async def _check_awaited(result: Awaitable[Any], request: Request, check: Callable[[Request, Any], Any]) -> Any:
    return check(request, await result)


def _reader(arguments: Sequence[Sequence[Any]], converters: Converters) -> Callable[[Request, dict[str, Any]], None]:
    """Return the function that adds the converted arguments of a request. It raises HttpError.

    arguments: (name, where it comes from, shape, whether it is required, whether its absence is None).
    """
    body = next((argument for argument in arguments if argument[1] == "body"), None)
    others = [
        (name, source, _of_source(source, shape, converters), (None, _ROOTS[source]), required, or_none)
        for name, source, shape, required, or_none in arguments
        if source != "body"
    ]
    convert_body = None if body is None else converters.of(body[2])

    def read(request: Request, found: dict[str, Any]) -> None:
        faults: Faults = []
        if body is not None and convert_body is not None:
            _, _, _, required, or_none = body
            if request.body:
                found[body[0]] = convert_body(_json(request), (None, "body"), faults)
            elif required:
                raise HttpError(400, "The body is empty; JSON was expected.")
            elif or_none:
                found[body[0]] = None
        for name, source, convert, around, required, or_none in others:
            value = _value(request, name, source)
            if value is not None:
                found[name] = convert(value, (around, name), faults)
            elif required:
                faults.append(((around, name), REQUIRED))
            elif or_none:
                found[name] = None
        if faults:
            raise _unprocessable(faults)

    return read


def _of_source(source: str, shape: Any, converters: Converters) -> Convert:
    if source != "list":
        return converters.of_text(shape)
    convert_item = converters.of_text(shape)

    def convert(values: Any, at: Any, faults: Faults) -> Any:
        return [convert_item(value, (at, index), faults) for index, value in enumerate(values)]

    return convert


def _value(request: Request, name: str, source: str) -> Any:
    """Return the text of a parameter, or the list of them; None if it is absent. Raises HttpError 400."""
    if source == "path":
        return request.path_params[name]
    values = request.query.get_list(name)
    if not values:
        return None
    if any(_UNREADABLE in value for value in values):
        raise HttpError(400, f"The query parameter {name} is not valid UTF-8.")
    return values if source == "list" else values[-1]


def _json(request: Request) -> Any:
    """Return the parsed body. Raises HttpError 415 if it is stated to be anything but UTF-8 JSON, 400 if it is not."""
    stated = request.headers.get("content-type", "")
    if stated.lower() != "application/json":
        from multicloud.runtime.forms import parse_content_type

        media_type, parameters = parse_content_type(stated)
        suffixed = media_type.startswith("application/") and media_type.endswith("+json")
        if media_type != "application/json" and not suffixed:
            raise HttpError(415, "The body must be application/json.")
        if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
            raise HttpError(415, "The charset must be UTF-8.")
    return request.json()


def _unprocessable(faults: Faults) -> HttpError:
    detail = "The request does not fit what this route takes."
    if len(faults) > MOST_FAULTS:
        detail += f" The first {MOST_FAULTS} faults are listed."
    errors = [{"pointer": pointer(place), "detail": sentence} for place, sentence in faults[:MOST_FAULTS]]
    return HttpError(422, detail, errors=errors)


def _checker(convert: Convert) -> Callable[[Request, Any], Any]:
    """Return the function that checks a handler's result and returns the response. It raises AnswerError."""
    from json import JSONDecoder

    decode = JSONDecoder().decode

    def check(request: Request, result: Any) -> Any:
        response = to_response(result)
        if response.stream is not None or not 200 <= response.status_code < 300 or isinstance(result, type(response)):
            return response
        faults: Faults = []
        if response.content_type == "application/json" or not response.body:
            convert(decode(response.body.decode("utf-8")) if response.body else None, (None, "body"), faults)
        else:
            faults.append(((None, "body"), f"expected JSON, got {response.content_type}"))
        if faults:
            listed = "; ".join(f"{pointer(place)}: {sentence}" for place, sentence in faults[:MOST_FAULTS])
            raise AnswerError(f"the answer of {request.method} {request.route} is not what it promises: {listed}")
        return response

    return check
