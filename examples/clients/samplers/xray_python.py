"""aws-xray-sdk for Python: the sampler that its middleware asks."""

from __future__ import annotations

import sys

from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.sampling.sampler import DefaultSampler

from examples.clients.samplers.pacing import run

sampler = DefaultSampler()
address = sys.argv[1].removeprefix("http://")
sampler.load_settings(DaemonConfig(f"tcp:{address} udp:{address}"), Context())
run(
    lambda route: bool(
        sampler.should_trace(
            {"service": "shop", "host": "shop.example.com", "method": "GET", "path": route}
        )
    )
)
