"""The SDK's front door: multicloud.toml -> ``Project`` -> what can be done with it. The command line only calls this.

Where a stage's setting comes from, the first that states it:

    1. an option of the call or command (``--python``)
    2. the environment: MULTICLOUD_PROVIDER, MULTICLOUD_REGION, MULTICLOUD_PROJECT_ID, MULTICLOUD_SUBSCRIPTION_ID,
       MULTICLOUD_ENDPOINT_URL, MULTICLOUD_PYTHON; MULTICLOUD_STAGE names the stage where a command is given none
    3. the stage: [stages.NAME] in multicloud.toml
    4. the project: [project] in multicloud.toml

A folder with an ``app.py`` and no multicloud.toml is a project as well: one file is enough.

    settings    what may be stated and what is wrong with it
    loading     the user's module, imported
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from multicloud.errors import ConfigError, DefinitionError, Problem
from multicloud.model import ApiDefinition, define
from multicloud.model.checks import collecting, nearest, show
from multicloud.model.functions import LONGEST_API_NAME
from multicloud.project.loading import load_object, located
from multicloud.project.settings import (
    Document,
    names_document,
    read_document,
    read_environment,
    variable,
)
from multicloud.provider import Exchange, load_provider, provider_entry_points
from multicloud.runtime.recorder import Api

if TYPE_CHECKING:
    from multicloud.deploy.bundle import Bundles
    from multicloud.deploy.support import Explanation

__all__ = ["Project", "Stage"]

CONFIG_FILE = "multicloud.toml"
DEFAULT_API = "app:api"
DEFAULT_PROVIDER = "local"
DEFAULT_STAGES = ("local", "dev")
"""Stages that every project has, whether multicloud.toml has a table for them or not; the first is the default."""


@attrs.frozen
class Stage:
    """Where one copy of the API lives, with every setting decided.

    provider: its name, default ``local``. region, project_id, subscription_id: as the provider means them; None: not
    stated. endpoint_url: replaces the vendor's own control-plane address; None: not stated. python: the version that
    functions run, such as ``3.12``; default this interpreter's if the provider runs it, else the provider's newest.
    """

    name: str
    provider: str
    python: str
    region: str | None = None
    project_id: str | None = None
    subscription_id: str | None = None
    endpoint_url: str | None = None


@attrs.frozen
class Project:
    """A folder with an API.

    root: the folder, absolute. name: 1 to 40 lower-case letters, digits and inner hyphens; default the folder's name.
    api: ``module:attribute`` or the path of an OpenAPI document inside root; default ``app:api``. config: the file's
    name. settings: what [project] states for every stage. stages: what each [stages.NAME] states. environment: what
    MULTICLOUD_* variables stated when the project was loaded. The mappings are plain dicts, so that it can be pickled.
    """

    root: Path
    name: str
    api: str
    config: str = CONFIG_FILE
    settings: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    stages: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict, hash=False)
    environment: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    @classmethod
    def load(cls, path: str | Path = CONFIG_FILE) -> Project:
        """Read a project's file; without one, take the ``app.py`` beside where it would be.

        Raises ConfigError with every problem in the file, or in the environment.
        """
        file = Path(path).absolute()
        root = file.parent.resolve()
        document = _document(file)
        return cls(
            root,
            document.project.get("name") or project_name(root),
            document.project.get("api", DEFAULT_API),
            file.name,
            document.project,
            document.stages,
            read_environment(),
        )

    def stage(self, name: str | None = None, *, python: str | None = None) -> Stage:
        """Return a stage with its settings decided, in the order that the module's docstring states.

        name: default MULTICLOUD_STAGE, else ``local``. python: wins over what is configured.
        Raises ConfigError if there is no such stage, no such provider, or the provider does not run that Python.
        """
        name = self.stage_name(name)
        layers = self._layers(name, {} if python is None else {"python": python})
        stated = {key: value for _, settings in reversed(layers) for key, value in settings.items()}
        provider = stated.setdefault("provider", DEFAULT_PROVIDER)
        installed = provider_entry_points()
        if provider not in installed:
            expected = f"an installed provider ({', '.join(installed) or 'there is none'})"
            problem = Problem(_origin(layers, "provider"), expected, show(provider), nearest(provider, installed))
            raise ConfigError([problem])
        versions = load_provider(provider).python_versions
        stated.setdefault("python", _default_python(versions))
        if versions and stated["python"] not in versions:
            expected = f"a Python that {provider} runs ({', '.join(versions)})"
            raise ConfigError([Problem(_origin(layers, "python"), expected, show(stated["python"]))])
        known = {field.name for field in attrs.fields(Stage)}
        return Stage(name=name, **{key: value for key, value in stated.items() if key in known - {"name"}})

    def stage_name(self, name: str | None = None) -> str:
        """Return the name of a stage that exists: the one given, else MULTICLOUD_STAGE's, else ``local``.

        Raises ConfigError if there is no such stage.
        """
        chosen = name or self.environment.get("stage") or DEFAULT_STAGES[0]
        known = list(dict.fromkeys((*self.stages, *DEFAULT_STAGES)))
        if chosen not in known:
            place = "stage" if name else variable("stage")
            hint = nearest(chosen, known) or f"add [stages.{chosen}] to {self.config}"
            raise ConfigError([Problem(place, f"one of {', '.join(known)}", show(chosen), hint)])
        return chosen

    def definition(self) -> ApiDefinition:
        """Import the user's module, or read the OpenAPI document, and return the validated definition.

        The project's folder comes first on ``sys.path`` from then on. Raises DefinitionError with every problem, also
        for an error in the module itself, which is its cause.
        """
        if names_document(self.api):
            return self._contract()
        place = f"{self.config}: project.api"
        problems: list[Problem] = []
        try:
            with collecting(lambda found: problems.extend(located(self.root, found))):
                found = load_object(self.root, self.api, place)
            if not isinstance(found, Api | ApiDefinition):
                raise DefinitionError([Problem(place, "the name of an Api", f"{self.api!r}, {_described(found)}")])
            definition = define(found)
        except DefinitionError as error:
            raise DefinitionError([*problems, *error.problems]) from error
        if problems:  # of policies, which were made although they are wrong, so that one mistake does not hide another
            raise DefinitionError(problems)
        return definition

    def openapi(self, *, provider: str | None = None) -> dict[str, Any]:
        """Return the API's OpenAPI 3.1 document.

        provider: raise DefinitionError for what that provider refuses, ProviderError if there is none of that name.
        Raises DefinitionError.
        """
        from multicloud.model.openapi import to_openapi

        definition = self.definition()
        if provider is not None:
            from multicloud.deploy.support import check_support

            check_support(definition, load_provider(provider))
        return to_openapi(definition)

    def explain(self, provider: str) -> Explanation:
        """Return how a provider realises each feature of the API, and which of its gateways the API leads to.

        Raises DefinitionError, ProviderError if there is no such provider.
        """
        from multicloud.deploy.support import explain

        return explain(self.definition(), load_provider(provider))

    def bundle(self, stage: str, output: str | Path, *, python: str | None = None) -> Bundles:
        """Write one zip for each function into a folder, as the stage's provider wants it, and a manifest of them.

        output: relative to the current folder; ``multicloud.deploy.bundle.bundle`` says what becomes of what is in it.
        python: the version that the functions run; default the stage's. Raises ConfigError, DefinitionError for what is
        wrong or what the provider refuses, BundleError if a zip cannot be made.
        """
        from multicloud.deploy.bundle import bundle
        from multicloud.deploy.support import check_support

        chosen = self.stage(stage, python=python)
        provider = load_provider(chosen.provider)
        definition = self.definition()
        check_support(definition, provider)
        return bundle(definition, provider, self.root, Path(output), stage=chosen.name, python_version=chosen.python)

    def connect(self, shape: str = DEFAULT_PROVIDER, *, stage: str | None = None) -> Exchange:
        """Return a function that sends one request to the API through an event shape, in this process.

        shape: ``local`` by default; ``Provider.shapes`` says what each provider has. stage: its name as handlers see
        it; default as in ``stage``. Raises DefinitionError, ConfigError, ProviderError for an unknown shape,
        MissingDependency if the provider's own package is absent.
        """
        from multicloud.deploy.exchange import open_exchange

        return open_exchange(self.definition(), shape, stage=self.stage_name(stage))

    def _contract(self) -> ApiDefinition:
        """Return the definition in the OpenAPI document, once every handler that it names can be imported."""
        from multicloud.model.openapi import load_openapi  # brings yaml, which few projects need

        definition = load_openapi(self.root / self.api)
        problems: dict[Problem, None] = {}  # a module that fails, fails for each of its handlers: told once
        for _, route in definition.routes:
            try:
                load_object(self.root, str(route.handler), f"{self.api}: {route.place}")
            except DefinitionError as error:
                problems.update(dict.fromkeys(error.problems))
        if problems:
            raise DefinitionError([*problems])
        return definition

    def _layers(self, stage: str, options: Mapping[str, str]) -> list[tuple[str, Mapping[str, str]]]:
        """Return where settings come from, first what wins: a template of the setting's place, and the settings."""
        shared = {key: value for key, value in self.settings.items() if key not in ("name", "api")}
        return [
            ("--{key}", options),
            ("MULTICLOUD_{KEY}", {key: value for key, value in self.environment.items() if key != "stage"}),
            (f"{self.config}: stages.{stage}.{{key}}", self.stages.get(stage, {})),
            (f"{self.config}: project.{{key}}", shared),
        ]


def project_name(root: Path) -> str:
    """Return a folder's name as a project's: ``My Shop`` is ``my-shop``; ``api`` where nothing of it can stay."""
    name = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).lstrip("-0123456789")
    return name[:LONGEST_API_NAME].rstrip("-") or "api"


def _document(file: Path) -> Document:
    if file.exists() or file.name != CONFIG_FILE:
        return read_document(file)
    if (file.parent / "app.py").is_file():
        return Document({}, {})
    hint = "make one with 'multicloud init', or change to its folder"
    raise ConfigError([Problem(str(file), "a project", "neither that file nor an app.py", hint)])


def _origin(layers: list[tuple[str, Mapping[str, str]]], key: str) -> str:
    """Return the place of the layer that decided a setting."""
    return next((place.format(key=key, KEY=key.upper()) for place, settings in layers if key in settings), key)


def _default_python(versions: tuple[str, ...]) -> str:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return versions[-1] if versions and running not in versions else running


def _described(value: object) -> str:
    return f"the module's {type(value).__name__}" if not isinstance(value, type) else f"the class {value.__name__}"
