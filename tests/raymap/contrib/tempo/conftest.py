"""An app with six traces."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from store.protocol import Store
from tests.raymap.contrib.jaeger.conftest import NOW
from tests.raymap.contrib.tempo.traces import documents


def client_of(store: Store) -> TestClient:
    """A client of an app with the traces."""
    store.put(documents(), "all")
    app = create_app(store, version="1", clock=lambda: NOW)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return client_of(MemoryStore())
