"""What /metrics and the status corner are told, by one process and by several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from collector.metrics import IngestMetrics


def test_snapshot_and_metrics(counters: IngestMetrics) -> None:
    """The console's words for the same numbers."""
    counters.received.labels("udp").inc(5)
    counters.received.labels("http").inc(2)
    counters.stored.inc(4)
    counters.rejected.labels("InvalidTraceId").inc(3)
    counters.dropped.labels("queue_full").inc(1)
    counters.kernel_drops.labels("buffer").inc(7)
    counters.kernel_drops.labels("memory").inc(2)
    counters.queued.set(6)
    counters.spooled_bytes.set(100)
    counters.oldest.set(1.5)
    assert counters.snapshot() == {
        "received": 7,
        "stored": 4,
        "rejected": 3,
        "dropped": 1,
        "kernel_drops": 9,
        "rejected_by_reason": {"InvalidTraceId": 3},
        "queued": 6,
        "spooled_bytes": 100,
        "oldest_s": 1.5,
    }
    text = counters.render().decode()
    assert 'raymap_documents_received_total{door="udp"} 5.0' in text
    assert "raymap_insert_seconds_bucket" in text


def test_several_processes_add_up(tmp_path: Path) -> None:
    """Counts outlive their process, gauges do not."""
    script = (
        "from collector.metrics import shared_counters, forget_process\n"
        "import os, sys\n"
        "counters = shared_counters()\n"
        "counters.stored.inc(3)\n"
        "counters.queued.set(7)\n"
        "counters.oldest.set(float(sys.argv[1]))\n"
        "if sys.argv[2:]: forget_process(int(sys.argv[2]))\n"
        "print(os.getpid(), counters.snapshot(), b'stored_total 6.0' in counters.render())\n"
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
