"""What an operator has to look after, as Prometheus metrics: disks, certificate, keys, backups, processes that die.

Read when the metrics are, and at most every `FRESH` seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from raymap.auth.keys import read_keys
from raymap.certificate import not_after
from raymap.metrics_folder import deaths
from store.config.protocol import Configuration
from store.times import SECOND

log = structlog.get_logger(__name__)

FRESH = 15.0
"""Seconds for which what was read is shown again."""


class InstallationMetrics(Collector):
    """Of one API process. ``folder``: of the metrics of all processes, if `raymap serve` has started this one.
    ``last_backup``: microseconds since the epoch, 0 for never."""

    def __init__(
        self,
        data_dir: Path,
        folder: Path | None,
        certificate: tuple[Path | None, Path | None],
        configuration: Callable[[], Configuration],
        last_backup: Callable[[], int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._data_dir, self._folder, self._certificate = data_dir, folder, certificate
        self._configuration, self._last_backup, self._clock = configuration, last_backup, clock
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._read, self._text = -FRESH, b""

    def render(self) -> bytes:
        """The metrics in Prometheus' text format."""
        now = time.monotonic()
        if now - self._read >= FRESH:
            self._text, self._read = generate_latest(self._registry), now
        return self._text

    def describe(self) -> Iterable[Metric]:
        """The families without their values."""
        return families()

    def collect(self) -> Iterable[Metric]:
        """The families. One that cannot be read has no values, and the others do not suffer."""
        free, size, ends, expires, backup, died = found = families()
        fills: tuple[Callable[[], None], ...] = (
            partial(self._fill_disk, free, size),
            partial(self._fill_certificate, ends),
            partial(self._fill_keys, expires),
            partial(self._fill_backup, backup),
            partial(self._fill_deaths, died),
        )
        for fill in fills:
            try:
                fill()
            except Exception as error:  # ClickHouse may be unavailable, a certificate unreadable
                log.warning("metrics_not_read", error=f"{error!s:.200}")
        return found

    def _fill_disk(self, free: GaugeMetricFamily, size: GaugeMetricFamily) -> None:
        disk = os.statvfs(self._data_dir)
        free.add_metric([], disk.f_bavail * disk.f_frsize)
        size.add_metric([], disk.f_blocks * disk.f_frsize)

    def _fill_certificate(self, ends: GaugeMetricFamily) -> None:
        cert, key = self._certificate
        if cert is not None:
            ends.add_metric([], not_after(cert, key))

    def _fill_keys(self, expires: GaugeMetricFamily) -> None:
        now = self._clock()
        keys = read_keys(self._configuration()).values()
        ends = [key.expires for key in keys if not key.revoked and key.expires > now]
        if ends:
            expires.add_metric([], min(ends))

    def _fill_backup(self, backup: GaugeMetricFamily) -> None:
        if last := self._last_backup():
            backup.add_metric([], last / SECOND)

    def _fill_deaths(self, died: CounterMetricFamily) -> None:
        if self._folder is not None:
            for process, count in deaths(self._folder).items():
                died.add_metric([process], count)


def families() -> tuple[
    GaugeMetricFamily,
    GaugeMetricFamily,
    GaugeMetricFamily,
    GaugeMetricFamily,
    GaugeMetricFamily,
    CounterMetricFamily,
]:
    return (
        GaugeMetricFamily(
            "raymap_disk_free_bytes", "Free bytes on the disk of the data directory", labels=[]
        ),
        GaugeMetricFamily(
            "raymap_disk_size_bytes", "Size of the disk of the data directory", labels=[]
        ),
        GaugeMetricFamily(
            "raymap_certificate_expires_timestamp_seconds",
            "When the certificate of --tls-cert expires",
            labels=[],
        ),
        GaugeMetricFamily(
            "raymap_key_expires_timestamp_seconds",
            "When the next of the valid keys expires",
            labels=[],
        ),
        GaugeMetricFamily(
            "raymap_backup_timestamp_seconds", "When the last backup was made", labels=[]
        ),
        CounterMetricFamily(
            "raymap_process_deaths",
            "How often a process of raymap serve has ended and was started again",
            labels=["process"],
        ),
    )
