"""What a user's tests need: ``TestClient``, and a pytest fixture that runs a test on every provider.

    from multicloud.testing import TestClient

    client = TestClient(api, provider="azure")
    assert client.get("/hello/Ada").json() == {"message": "Hello, Ada!"}

The plugin is registered with pytest by itself; ``multicloud.testing.plugin`` says what it offers.
"""

from multicloud.testing.client import TestClient, TestResponse

__all__ = ["TestClient", "TestResponse"]
