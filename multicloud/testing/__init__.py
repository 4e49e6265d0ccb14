"""What a user's tests need: ``TestClient``, and a pytest fixture that runs a test on every provider.

    from multicloud.testing import TestClient

    client = TestClient(api, provider="azure")
    assert client.get("/hello/Ada").json() == {"message": "Hello, Ada!"}

The plugin is registered with pytest by itself; ``multicloud.testing.plugin`` says what it offers. It lies in this
package, and every pytest run of an environment loads it: so the client is imported when first named.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multicloud.testing.client import TestClient, TestResponse

__all__ = ["TestClient", "TestResponse"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from multicloud.testing import client

    return getattr(client, name)
