"""Stand-ins for the model's policy values inside a bundle, where the model does not ship.

A one-file application names its policies beside its handlers; in the function they were compiled into the entry module
already, so a name must only exist.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Inert:
    """Takes any arguments and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take whatever the policy takes."""


PUBLIC = Inert()


def __getattr__(name: str) -> Any:
    if name.startswith("__"):  # the import system asks for __all__
        raise AttributeError(name)
    return Inert
