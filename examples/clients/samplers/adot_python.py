"""The AWS Distro for OpenTelemetry, Python: its AwsXRayRemoteSampler."""

from __future__ import annotations

import random
import sys

from amazon.opentelemetry.distro.sampler.aws_xray_remote_sampler import AwsXRayRemoteSampler
from opentelemetry.sdk.resources import Resource

from examples.clients.samplers.pacing import run

sampler = AwsXRayRemoteSampler(Resource.create({"service.name": "shop"}), sys.argv[1])


def sampled(route: str) -> bool:
    attributes = {
        "url.path": route,
        "http.request.method": "GET",
        "server.address": "shop.example.com",
    }
    decision = sampler.should_sample(None, random.getrandbits(128), "GET", attributes=attributes)
    return bool(decision.decision.is_sampled())


run(sampled)
