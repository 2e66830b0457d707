"""Topics of tenants: a record carries no key, so its topic says whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.kafka.target import NoTarget
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from raymap.auth.quotas import Exceeded, Quota, limited
from raymap.auth.tenants import Tenant
from raymap.tenants.pipelines import TenantPipeline
from raymap.tenants.running import Running

if TYPE_CHECKING:
    from raymap.auth.install import Authentication


class TenantTarget:
    """The pipeline of a tenant. Beyond its limits its records wait in Kafka."""

    def __init__(
        self, name: str, auth: Authentication, running: Running[TenantPipeline], _: IngestPipeline
    ) -> None:
        self._name, self._auth, self._running = name, auth, running

    def pipeline(self) -> IngestPipeline:
        """The tenant's, started now if it has not been. Raises NoTarget and OSError."""
        return self._running.get(self._tenant())

    def wait(self) -> float:
        """Seconds until the tenant's limits allow more. Raises NoTarget."""
        quota = self._quota()
        if quota is not None:
            try:
                quota.check()
            except Exceeded as exceeded:
                limited().labels(exceeded.limit).inc()
                return exceeded.wait
        return 0.0

    def charge(self, decoded: Decoded) -> None:
        """Count what was taken."""
        quota = self._quota()
        if quota is not None:
            quota.charge(decoded)
        self._running.get(self._tenant()).count_bytes(decoded)

    def _quota(self) -> Quota | None:
        authenticator = self._auth.authenticator
        return authenticator.quota_of(self._tenant()) if authenticator else None

    def _tenant(self) -> Tenant:
        tenants = self._auth.tenants()
        found = tenants.active.get(self._name) if tenants else None
        if found is None:
            raise NoTarget(f"there is no tenant {self._name}")
        return found
