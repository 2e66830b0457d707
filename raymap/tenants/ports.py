"""UDP ports of tenants: a datagram carries no key, so the port that it came to says whose it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import structlog

from collector.log_limiter import LogLimiter
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from raymap.auth.quotas import Exceeded, limited
from raymap.auth.tenants import Tenant
from raymap.tenants.pipelines import TenantPipeline
from raymap.tenants.running import Running

if TYPE_CHECKING:
    from raymap.auth.install import Authentication

log = LogLimiter(structlog.get_logger(__name__), 60.0)


def udp_ports(
    names: Mapping[int, str], auth: Authentication, running: Running[TenantPipeline]
) -> dict[int, Callable[[IngestPipeline], IngestPipeline]]:
    """For `CollectorSettings.udp_ports`: the tenants' names by port."""

    def of_port(name: str, default: IngestPipeline) -> IngestPipeline:
        return cast("IngestPipeline", _OfPort(name, auth, running, default))

    return {port: partial(of_port, name) for port, name in names.items()}


class _OfPort:
    """The pipeline of a port's tenant. Without such a tenant, or beyond its limits, documents are dropped
    and counted: nothing answers a sender of datagrams."""

    def __init__(
        self,
        name: str,
        auth: Authentication,
        running: Running[TenantPipeline],
        default: IngestPipeline,
    ) -> None:
        self._name, self._auth = name, auth
        self._running, self._default = running, default

    def __getattr__(self, attribute: str) -> Any:
        tenant = self._tenant()
        return getattr(self._running.get(tenant) if tenant else self._default, attribute)

    def offer(self, decoded: Decoded, wait: float = 0.0) -> bool:
        """As a pipeline does."""
        tenant = self._tenant()
        authenticator = self._auth.authenticator
        if tenant is None or authenticator is None:
            return self._drop(decoded, "no_tenant")
        quota = authenticator.quota_of(tenant)
        if quota is not None and decoded.documents:
            try:
                quota.check()
            except Exceeded as exceeded:
                limited().labels(exceeded.limit).inc()
                return self._drop(decoded, "limited")
            quota.charge(decoded)
        return self._running.get(tenant).offer(decoded, wait)

    def _tenant(self) -> Tenant | None:
        tenants = self._auth.tenants()
        return tenants.active.get(self._name) if tenants else None

    def _drop(self, decoded: Decoded, reason: str) -> bool:
        if decoded.documents:
            self._default.metrics.dropped.labels(reason).inc(len(decoded.documents))
            log.warning("datagrams_dropped", key=self._name, tenant=self._name, reason=reason)
        return False
