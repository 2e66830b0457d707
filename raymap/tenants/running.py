"""What a process runs for each tenant: started when it is needed, stopped when the tenant is deleted."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from collector.ingest import FOLDER as JOURNALS
from collector.journal.adopt import left_behind
from raymap.auth.tenants import FOLDER, Tenant, Tenants

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks at which tenants there are."""


class Part(Protocol):
    """What is run for one tenant."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """End, and leave in the journal what cannot be stored."""
        ...


Kind = TypeVar("Kind", bound=Part)


class Running(Generic[Kind]):
    """The parts of a process by tenant. Thread-safe."""

    def __init__(
        self,
        tenants: Callable[[], Tenants | None],
        make: Callable[[Tenant], Kind],
        data_dir: Path,
        *,
        lazy: bool,
    ) -> None:
        """``lazy``: a tenant's part is started by its first request, or for a journal that was left."""
        self._tenants, self._make, self._lazy = tenants, make, lazy
        self._root = data_dir / FOLDER
        self._lock = threading.Lock()
        self._parts: dict[str, Kind] = {}
        """By folder of the tenant."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenants", daemon=True)

    def get(self, tenant: Tenant) -> Kind:
        """The part of a tenant that exists, started now if it has not been. Raises OSError."""
        found = self._parts.get(tenant.folder)
        if found is not None:
            return found
        with self._lock:
            if tenant.folder not in self._parts:
                part = self._make(tenant)
                part.start()
                self._parts[tenant.folder] = part
            return self._parts[tenant.folder]

    def parts(self) -> list[Kind]:
        """What runs now."""
        return [*self._parts.values()]

    async def reach(self, tenant: Tenant) -> Kind:
        """The same on an event loop: a first start makes folders and threads."""
        found = self._parts.get(tenant.folder)
        return found if found is not None else await asyncio.to_thread(self.get, tenant)

    def start(self) -> None:
        """Begin to look for tenants."""
        self._thread.start()

    def stop(self) -> None:
        """Stop everything."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        with self._lock:
            parts, self._parts = [*self._parts.values()], {}
        if parts:
            with ThreadPoolExecutor(len(parts)) as threads:
                list(threads.map(lambda part: part.stop(), parts))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                log.exception("tenants_failed")
            self._stopping.wait(LOOK_EVERY)

    def look(self) -> None:
        """Start and stop what the tenants known now ask for."""
        tenants = self._tenants()
        if tenants is None:
            return
        for tenant in tenants.active.values():
            if tenant.folder in self._parts:
                continue
            if not self._lazy or left_behind(self._root / tenant.folder / JOURNALS):
                try:
                    self.get(tenant)
                except Exception:  # of one tenant: the others go on, and this one is tried again
                    log.exception("tenant_failed", tenant=tenant.name)
        with self._lock:
            ended = [self._parts.pop(name) for name in tenants.deleted if name in self._parts]
        for part in ended:
            try:
                part.stop()
            except OSError as error:  # another process has removed its journal already
                log.info("tenant_stopped", reason=str(error))
        for name in tenants.deleted:
            if (self._root / name).exists():  # also of a process that wrote there until now
                shutil.rmtree(self._root / name, ignore_errors=True)
                log.info("tenant_journals_removed", tenant=name)
