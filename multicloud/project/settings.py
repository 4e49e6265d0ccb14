"""What multicloud.toml may state, and what is wrong with what it states. Reads one file; knows nothing of its meaning.

``multicloud.project`` puts the layers together: an option wins over the environment, the environment over the stage,
the stage over the project.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import attrs

from multicloud.errors import ConfigError, Problem
from multicloud.model.addresses import identity_url
from multicloud.model.checks import OBJECT_NAME, Check, bare, matching, nearest, show
from multicloud.model.functions import LONGEST_API_NAME, cloud_name

OPENAPI_SUFFIXES = (".json", ".yaml", ".yml")
_LONGEST_STAGE_NAME = 20  # it is part of every name in a cloud, and those are 64 characters at most


def names_document(api: str) -> bool:
    """Return whether ``project.api`` names an OpenAPI document, not a module's attribute."""
    return PurePath(api).suffix.lower() in OPENAPI_SUFFIXES


def _api(value: Any) -> Iterator[Problem]:
    if not isinstance(value, str) or not (OBJECT_NAME.fullmatch(value) or names_document(value)):
        hint = f"write '{value}:api'" if isinstance(value, str) and OBJECT_NAME.fullmatch(f"{value}:api") else ""
        expected = f"'module:attribute' or the path of an OpenAPI document ({', '.join(OPENAPI_SUFFIXES)})"
        yield Problem("", expected, show(value), hint)


def _python(value: Any) -> Iterator[Problem]:
    if not isinstance(value, str) or not re.fullmatch(r"3\.[1-9][0-9]?", value, re.ASCII):
        hint = "TOML reads it as a number: put it in quotes" if isinstance(value, float) else ""
        yield Problem("", "a version of Python such as '3.12'", show(value), hint)


def _endpoint_url(value: Any) -> Iterator[Problem]:
    for problem in identity_url()(value):
        # For http, that check's hint speaks of an identity provider's keys.
        in_clear = problem.hint.startswith("keys")
        yield attrs.evolve(problem, hint="credentials would be sent in the clear") if in_clear else problem


_provider = matching(r"[a-z][a-z0-9_]{0,31}", "a provider's name such as 'aws'")
_region = matching(r"[a-z][a-z0-9-]{0,63}", "a region's name such as 'eu-west-1'")
_identifier = matching(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,127}", "an identifier of letters, digits, '.', ':', '_' and '-'")
_stage_name = cloud_name(_LONGEST_STAGE_NAME)

PROJECT_SETTINGS: Mapping[str, Check] = {
    "name": cloud_name(LONGEST_API_NAME),
    "api": _api,
    "provider": _provider,
    "region": _region,
    "python": _python,
}
STAGE_SETTINGS: Mapping[str, Check] = {
    "provider": _provider,
    "region": _region,
    "project_id": _identifier,
    "subscription_id": _identifier,
    "endpoint_url": _endpoint_url,
    "python": _python,
}


@attrs.frozen
class Document:
    """multicloud.toml once it is read: project's settings, and each stage's by its name. All valid, all strings."""

    project: Mapping[str, str]
    stages: Mapping[str, Mapping[str, str]]


def read_document(path: Path) -> Document:
    """Read and check multicloud.toml. Raises ConfigError with every problem in it."""
    document = _parse(path)
    problems = [*_unknown(f"{path.name}: ", document, {"project": "[project]", "stages": "[stages.NAME]"}, {})]
    project = document.get("project", {})
    problems += _settings(f"{path.name}: project", project, PROJECT_SETTINGS, STAGE_SETTINGS, "[stages.NAME]")
    stages = document.get("stages", {})
    if isinstance(stages, dict):
        problems += _stages(f"{path.name}: stages", stages)
    else:
        problems.append(Problem(f"{path.name}: stages", "a table for each stage", show(stages), "write [stages.NAME]"))
    if problems:
        raise ConfigError(problems)
    return Document(project, stages)


def read_environment() -> Mapping[str, str]:
    """Return what MULTICLOUD_STAGE, MULTICLOUD_PROVIDER, MULTICLOUD_REGION, ... state; an empty one states nothing.

    Raises ConfigError with every problem in them.
    """
    checks = {"stage": _stage_name, **STAGE_SETTINGS}
    stated = {key: value for key in checks if (value := os.environ.get(variable(key)))}
    problems = [_at(variable(key), problem) for key, value in stated.items() for problem in checks[key](value)]
    if problems:
        raise ConfigError(problems)
    return stated


def variable(key: str) -> str:
    """Return the environment variable that overrides a stage's setting."""
    return f"MULTICLOUD_{key.upper()}"


def _parse(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows begin a file with a byte order mark.
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError([Problem(str(path), "a file that can be read", error.strerror or str(error))]) from error
    except UnicodeDecodeError as error:
        got = f"the byte {error.object[error.start]:#04x}"
        raise ConfigError([Problem(path.name, "text in UTF-8", got)]) from error
    except tomllib.TOMLDecodeError as error:
        fault, _, where = str(error).partition(" (at ")
        place = f"{path.name}: {where.removesuffix(')') or 'syntax'}"
        raise ConfigError([Problem(place, "TOML", f"a syntax error: {fault}")]) from error


def _stages(place: str, stages: Mapping[str, Any]) -> Iterator[Problem]:
    for name, settings in stages.items():
        yield from (_at(f"{place}.{bare(name)}", problem) for problem in _stage_name(name))
        yield from _settings(f"{place}.{bare(name)}", settings, STAGE_SETTINGS, PROJECT_SETTINGS, "[project]")


def _settings(
    place: str, settings: Any, checks: Mapping[str, Check], elsewhere: Mapping[str, Check], other_table: str
) -> Iterator[Problem]:
    """Yield what is wrong in one table. elsewhere: the settings of other_table, for a key in the wrong one."""
    if not isinstance(settings, dict):
        yield Problem(place, "a table of settings", show(settings))
        return
    misplaced = {key: f"it belongs in {other_table}" for key in elsewhere if key not in checks}
    yield from _unknown(f"{place}.", settings, dict.fromkeys(checks, ""), misplaced)
    for key, value in settings.items():
        if key in checks:
            yield from (_at(f"{place}.{key}", problem) for problem in checks[key](value))


def _unknown(
    prefix: str, given: Mapping[str, Any], known: Mapping[str, str], misplaced: Mapping[str, str]
) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            listed = ", ".join(known[name] or name for name in known)
            hint = misplaced.get(key) or nearest(key, known) or f"known are {listed}"
            yield Problem(f"{prefix}{bare(key)}", "a known setting", show(key), hint)


def _at(place: str, problem: Problem) -> Problem:
    return attrs.evolve(problem, place=place)
