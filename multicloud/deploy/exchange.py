"""From a definition to an exchange: a request through an event shape and its runtime, in this process."""

from __future__ import annotations

from multicloud.deploy.entry import compile_application
from multicloud.deploy.gates import check_at_home
from multicloud.deploy.support import check_support
from multicloud.errors import ProviderError
from multicloud.model import ApiDefinition
from multicloud.provider import Exchange, provider_of_shape


def open_exchange(definition: ApiDefinition, shape: str, *, stage: str) -> Exchange:
    """Return a function that sends one request to the API through an event shape.

    shape: ``Provider.shapes`` says what each provider has. stage: its name as handlers see it.
    Raises ProviderError for an unknown shape, DefinitionError for what the provider refuses, ConfigError for a secret
    that the environment lacks, MissingDependency if the provider's own package is absent.
    """
    provider = provider_of_shape(shape)
    if shape not in provider.shapes:
        raise ProviderError(f"no event shape {shape!r}; {provider.name} has {', '.join(provider.shapes)}")
    check_support(definition, provider)
    check_at_home(definition)
    config, objects = compile_application(
        definition, definition.functions, provider=provider.name, stage=stage, development=True
    )
    return provider.connect(shape, config, objects)
