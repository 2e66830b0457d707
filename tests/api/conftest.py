"""A real HTTP server, and a real boto3 client whose every response must conform to the model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.config import Config
from botocore.model import OperationModel
from fastapi import FastAPI

from api.app import create_app
from api.console.status import no_ingest
from api.schemas.server import IngestStatus
from store.memory import MemoryStore
from tests.api.botocore_model import complaints
from tests.http_server import serve
from tests.shared_schemas import share_validators
from tests.xray_client import xray_client

share_validators()

INGEST: IngestStatus = {**no_ingest(), "received": 7}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def app(store: MemoryStore) -> FastAPI:
    return create_app(
        store,
        version="1.2.3",
        metrics=lambda: b"raymap_up 1\n",
        ingest_status=lambda: INGEST,
    )


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Base URL of the app."""
    with serve(app) as url:
        yield url


@pytest.fixture
def xray(address: str) -> Any:
    """A boto3 client; every response must conform to AWS's model."""
    return _client(address)


@cache
def _client(address: str) -> Any:
    client = xray_client(address, config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-parse.xray", _assert_conforms)
    return client


def _assert_conforms(
    operation_model: OperationModel, response_dict: dict[str, Any], **_: Any
) -> None:
    assert response_dict["headers"]["x-amzn-RequestId"]
    if response_dict["status_code"] == 200:
        assert complaints(operation_model, response_dict["body"]) == []
