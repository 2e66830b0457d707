"""A client of an app with the shop's traces, which no test changes."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from tests.api.shop import END, shop


@pytest.fixture(scope="module")
def client() -> TestClient:
    """A quarter of a second after the shop's ten minutes."""
    store = MemoryStore()
    store.put(shop(), "shop")
    app = create_app(store, version="1", clock=lambda: END + 0.25)
    return TestClient(app, raise_server_exceptions=False)
