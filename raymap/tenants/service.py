"""What the API process runs for one tenant: store, pipeline, background threads, and the app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter

from api.app import create_app
from api.context import Thresholds
from api.reach import Destinations
from collector.health import IngestHealth
from collector.pipeline import IngestPipeline
from collector.receivers.http_routers import http_routers
from raymap.alarm_runner import AlarmRunner, judged_until
from raymap.auth.audit import AuditTrail
from raymap.auth.routes import auth_router
from raymap.invocation_joiner import InvocationJoiner
from store.cells.store import CellStore
from store.clickhouse.store import ClickHouseStore
from ui import static_dir

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from raymap.auth.install import Authentication
    from raymap.settings import ApiSettings

Routers = Callable[[], Sequence[APIRouter]]


def destinations(settings: ApiSettings) -> Destinations:
    """Where webhooks may go: with authentication, those who set them are not the operator."""
    return Destinations(tuple(settings.webhook_hosts), public_only=settings.auth != "off")


class ApiService:
    """`start` and `stop` once. ``app`` answers requests that have been authenticated."""

    def __init__(
        self,
        settings: ApiSettings,
        store: ClickHouseStore | CellStore,
        pipeline: IngestPipeline,
        auth: Authentication,
        version: str,
        administration: Routers,
        on_stop: Callable[[], None] = lambda: None,
        health: Callable[[], IngestHealth] | None = None,
        metrics: Callable[[], bytes] = lambda: b"",
    ) -> None:
        """``administration``: further routes. ``health``: what /readyz reports instead of the pipeline's.
        ``metrics``: what /metrics shows besides its own."""
        self.pipeline, self._on_stop = pipeline, on_stop
        self._stopping = threading.Event()
        joiner = InvocationJoiner(store, pipeline)
        self._threads = [
            threading.Thread(target=run, args=[self._stopping], name=name, daemon=True)
            for name, run in (("rollup", store.run_rollups), ("joiner", joiner.run))
        ]
        webhooks = destinations(settings)
        self._alarms = AlarmRunner(
            store,
            self._stopping,
            webhooks,
            oldest_waiting=lambda: float(pipeline.metrics.snapshot()["oldest_s"]),
        )
        health = health or pipeline.health
        unhealthy = Thresholds(settings.unhealthy_share, settings.unhealthy_count)
        app = create_app(
            store,
            version=version,
            sampling_rate=settings.sampling_rate,
            log_link=settings.log_link,
            webhooks=webhooks,
            unhealthy=unhealthy,
            map_boxes=settings.map_boxes,
            environment_annotation=settings.environment_annotation,
            max_groups=settings.max_groups,
            extra_routers=[
                auth_router(auth, store, unhealthy),
                *administration(),
                *http_routers(pipeline),
            ],
            metrics=lambda: pipeline.metrics.render() + metrics(),
            ingest_status=pipeline.metrics.snapshot,
            judged_until=judged_until,
            ingest_health=lambda: health().as_dict(),
            static_dir=static_dir(),
        )
        self.app: ASGIApp = AuditTrail(app, store)

    def start(self) -> None:
        """Begin to accept documents, and the work in the background."""
        self.pipeline.start()
        for thread in self._threads:
            thread.start()
        self._alarms.start()

    def stop(self) -> None:
        """End; documents that cannot be stored stay in the journal."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(5.0)
        self._alarms.join(5.0)
        try:
            self.pipeline.stop()
        finally:
            self._on_stop()
