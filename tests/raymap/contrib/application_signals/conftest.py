"""A client of the app that a module makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.http_server import serve


@pytest.fixture(scope="module")
def client(app: Any) -> Iterator[Any]:
    """boto3's client of a module's app."""
    with serve(app) as url:
        yield boto3.client(
            "application-signals",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
