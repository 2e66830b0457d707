"""AWS's own client of X-Ray's API, with a Raymap as its endpoint."""

from __future__ import annotations

from typing import Any

import boto3


def xray_client(url: str, **more: Any) -> Any:
    """A boto3 client for any account."""
    return boto3.client(
        "xray",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        **more,
    )
