"""Every error that the SDK raises to its user, and the values they carry. The lowest layer: imports attrs alone.

    MulticloudError
    |-- UsageError              the user's input is wrong; the command line exits 2
    |   |-- DefinitionError     the API cannot mean what it says
    |   `-- ConfigError         multicloud.toml or an option cannot be read
    |-- BundleError             the function's zip cannot be made
    |-- ProviderError           a provider refused or failed
    |   `-- MissingDependency   a provider's packages are not installed
    `-- StartError              the local gateway cannot start

What a *handler* raises is not here: those are HTTP answers and live in ``multicloud.runtime.errors``.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class Problem:
    """One thing that is wrong with what the user wrote.

    place: where, in the user's words (``route GET /items/{id}``, ``multicloud.toml: stages.prod.region``).
    expected: what would have been right. got: what was found. hint: what to do, if that is not plain.
    """

    place: str
    expected: str
    got: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: expected {self.expected}, got {self.got}"
        return f"{text}; {self.hint}" if self.hint else text


class MulticloudError(Exception):
    """The parent of all. exit_code: what the command line exits with."""

    exit_code = 1


class UsageError(MulticloudError):
    """The user's input is wrong. Holds every problem found, not the first alone."""

    exit_code = 2
    summary = "invalid input"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{self.summary}:\n{lines}")


class DefinitionError(UsageError):
    """The definition of the API is wrong."""

    summary = "the API definition is not valid"


class ConfigError(UsageError):
    """The configuration (multicloud.toml, MULTICLOUD_* variables, options) is wrong."""

    summary = "the configuration is not valid"


class BundleError(MulticloudError):
    """A function's bundle cannot be made: a dependency does not resolve, a limit is passed, a file is refused."""


class ProviderError(MulticloudError):
    """A provider is unknown, refused a request or failed."""


class MissingDependency(ProviderError):
    """A provider's own packages are not installed. Says which command installs them."""

    def __init__(self, provider: str, module: str) -> None:
        super().__init__(f"provider {provider} needs the module {module}: pip install 'multicloud[{provider}]'")


class StartError(MulticloudError):
    """The local gateway cannot start, for instance because its port is taken."""
