"""The HTTP receivers, in one place: the API's port and a collector's accept the same."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from collector.pipeline import IngestPipeline
from collector.receivers.firehose import create_firehose_router
from collector.receivers.http import create_router
from collector.receivers.lambda_upload import create_lambda_router
from collector.receivers.otlp_http import create_otlp_router, create_signal_router
from collector.receivers.otlp_logs import LOGS
from collector.receivers.otlp_metrics import METRICS
from collector.receivers.zipkin import create_zipkin_router
from collector.settings import HttpLimits

_OTLP = (
    create_otlp_router,
    partial(create_signal_router, LOGS),
    partial(create_signal_router, METRICS),
)
_ALL = (
    create_router,
    *_OTLP,
    create_zipkin_router,
    create_firehose_router,
    create_lambda_router,
)


def http_routers(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> list[APIRouter]:
    """The routes of every receiver."""
    return [create(pipeline, limits) for create in _ALL]


def otlp_routers(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> list[APIRouter]:
    """Those of the OTLP port."""
    return [create(pipeline, limits) for create in _OTLP]
