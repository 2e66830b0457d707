"""The numbers in /metrics and in the status, of one process and of several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from collector.metrics import IngestMetrics


def test_snapshot_and_metrics(metrics: IngestMetrics) -> None:
    """The console's words for the same numbers."""
    metrics.received.labels("udp").inc(5)
    metrics.received.labels("http").inc(2)
    metrics.stored.inc(4)
    metrics.rejected.labels("InvalidTraceId").inc(3)
    metrics.dropped.labels("journal_full").inc(1)
    metrics.kernel_drops.labels("buffer").inc(7)
    metrics.kernel_drops.labels("memory").inc(2)
    metrics.queued.set(6)
    metrics.journal_bytes.set(100)
    metrics.oldest.set(1.5)
    assert metrics.snapshot() == {
        "received": 7,
        "stored": 4,
        "rejected": 3,
        "dropped": 1,
        "kernel_drops": 9,
        "rejected_by_reason": {"InvalidTraceId": 3},
        "queued": 6,
        "journal_bytes": 100,
        "oldest_s": 1.5,
    }
    text = metrics.render().decode()
    assert 'raymap_documents_received_total{receiver="udp"} 5.0' in text
    assert "raymap_insert_seconds_bucket" in text


def test_several_processes_add_up(tmp_path: Path) -> None:
    """Counts outlive their process, gauges do not."""
    script = (
        "from collector.metrics import shared_metrics, forget_process\n"
        "import os, sys\n"
        "metrics = shared_metrics()\n"
        "metrics.stored.inc(3)\n"
        "metrics.queued.set(7)\n"
        "metrics.oldest.set(float(sys.argv[1]))\n"
        "if sys.argv[2:]: forget_process(int(sys.argv[2]))\n"
        "print(os.getpid(), metrics.snapshot(), b'stored_total 6.0' in metrics.render())\n"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    pid = run("2.5").split()[0]
    second = run("1", pid)
    assert "'stored': 6" in second
    assert "'queued': 7" in second
    assert "'oldest_s': 1.0" in second
    assert "True" in second
