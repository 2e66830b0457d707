"""Pipelines by tenant: in a collector, one object stands for that of whichever request is being handled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec import structs
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.batches import Ack, Limits
from collector.health import IngestHealth
from collector.metrics import shared_metrics
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.access import PRINCIPAL
from collector.redaction.redactor import Redactor
from raymap.auth.tenants import FOLDER, Tenant
from raymap.tenants.metrics import TenantMetrics
from raymap.tenants.running import Running
from store.clickhouse.store import ClickHouseStore

if TYPE_CHECKING:
    from raymap.auth.authenticator import Principal

BEHIND = 60.0
"""Seconds after which a document should be stored, as in the alerts (deploy/prometheus)."""


class _Kind(NamedTuple):
    is_so: Callable[[IngestHealth], object]
    sentence: str


_KINDS = (
    _Kind(
        lambda health: not health.accepting,
        "journals of {} are full or cannot be written, their documents are deferred: "
        "raymap_tenant_ingest_blocked says whose",
    ),
    _Kind(
        lambda health: health.schema_problem,
        "databases of {} have another schema, their documents wait: run  raymap migrate",
    ),
    _Kind(
        lambda health: health.refusal,
        "batches of {} are refused by the store and tried again: "
        "raymap_tenant_oldest_unsent_seconds says whose",
    ),
    _Kind(
        lambda health: health.oldest > BEHIND,
        "documents of {} have waited for more than a minute to be stored: "
        "raymap_tenant_oldest_unsent_seconds says whose",
    ),
    _Kind(
        lambda health: health.unreadable,
        "journals of {} cannot be read, their documents wait: journal_unreadable in the log says whose",
    ),
    _Kind(
        lambda health: health.quarantined or health.damaged_files,
        "documents of {} are in quarantine or in damaged journal files: raymap doctor  says whose",
    ),
)


def problems_of(tenants: Iterable[IngestHealth]) -> list[str]:
    """What is wrong with tenants' journals, in sentences for people; empty when all is well.

    As numbers of tenants: /readyz is public, so it names none. Metrics with the label ``tenant`` and
    `raymap doctor` do.
    """
    states = list(tenants)
    counts = [sum(1 for state in states if kind.is_so(state)) for kind in _KINDS]
    return [
        kind.sentence.format(f"{count:,} tenant{'s' if count > 1 else ''}")
        for kind, count in zip(_KINDS, counts, strict=True)
        if count
    ]


class TenantPipeline(IngestPipeline):
    """The pipeline of one tenant, with journals and metrics of its own. Closes its store."""

    def __init__(
        self,
        tenant: Tenant,
        store: ClickHouseStore,
        data_dir: Path,
        *,
        role: str,
        journal_bytes: int,
        redactor: Redactor,
        limits: Limits | None = None,
    ) -> None:
        self._own = TenantMetrics(tenant.name, shared_metrics())
        self._store = store
        super().__init__(
            store,
            data_dir / FOLDER / tenant.folder,
            role=role,
            journal_bytes=journal_bytes,
            limits=limits,
            metrics=self._own,
            redactor=redactor,
        )

    def submit(self, decoded: Decoded) -> Ack:
        """As of any pipeline; counted."""
        ack = super().submit(decoded)
        self._own.bytes.inc(decoded.payload.size)
        return ack

    def offer(self, decoded: Decoded, wait: float = 0.0) -> bool:
        """As of any pipeline; counted."""
        self._own.bytes.inc(decoded.payload.size)
        return super().offer(decoded, wait)

    def count_bytes(self, decoded: Decoded) -> None:
        """Count what reaches the store without `submit`."""
        self._own.bytes.inc(decoded.payload.size)

    def stop(self, timeout: float = 10.0) -> None:
        """As of any pipeline."""
        try:
            super().stop(timeout)
        finally:
            self._store.close()


CURRENT: ContextVar[IngestPipeline | None] = ContextVar("pipeline", default=None)
"""Of the request in whose context this runs; None where it is the default tenant's."""


class _OfRequest:
    """Has whatever the pipeline of the request has."""

    def __init__(self, running: Running[TenantPipeline], default: IngestPipeline) -> None:
        self._running, self._default = running, default

    def health(self) -> IngestHealth:
        """Of a tenant its own; else the default tenant's, with the problems of all."""
        if (own := CURRENT.get()) is not None:
            return own.health()
        return with_tenants(self._default, self._running.parts())

    def __getattr__(self, name: str) -> Any:
        return getattr(CURRENT.get() or self._default, name)


def per_request(running: Running[TenantPipeline], default: IngestPipeline) -> IngestPipeline:
    """A pipeline that is the tenant's while a request of one is handled, and ``default`` otherwise."""
    return cast("IngestPipeline", _OfRequest(running, default))


def with_tenants(default: IngestPipeline, tenants: Iterable[IngestPipeline]) -> IngestHealth:
    """The health of the default tenant's pipeline, with the problems of others'."""
    elsewhere = problems_of(tenant.health() for tenant in tenants)
    return structs.replace(default.health(), elsewhere=elsewhere)


class PipelineChoice:
    """Chooses a request's pipeline by who was authenticated."""

    def __init__(self, running: Running[TenantPipeline]) -> None:
        self._running = running

    async def enter(self, principal: Principal) -> None:
        """From here on, the context's pipeline is the one of the tenant. Raises OSError."""
        tenant = principal.tenant
        CURRENT.set(None if tenant is None else await self._running.reach(tenant))

    def around(self, app: ASGIApp) -> ASGIApp:
        """The same for requests that `AuthGuard` lets through."""

        async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
            principal: Principal | None = scope.get(PRINCIPAL)
            if principal is not None:
                await self.enter(principal)
            await app(scope, receive, send)

        return chosen
