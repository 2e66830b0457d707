"""The numbers in /metrics and in the status, of one process and of several."""

from __future__ import annotations

import os
import re
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
    """They are named; one that was restarted goes on with what the one before had counted."""
    script = (
        "from collector.metrics import name_process, shared_metrics\n"
        "import sys\n"
        "name_process(sys.argv[2])\n"
        "metrics = shared_metrics()\n"
        "metrics.stored.inc(3)\n"
        "metrics.queued.set(7)\n"
        "metrics.oldest.set(float(sys.argv[1]))\n"
        "print(metrics.snapshot())\n"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    run("2.5", "collect")
    assert "'stored': 6" in run("1", "api")
    third = run("0.5", "collect")
    assert "'stored': 9" in third
    assert "'queued': 14" in third
    assert "'oldest_s': 1.0" in third
    assert {path.stem for path in tmp_path.iterdir()} >= {"counter_collect", "counter_api"}
    assert not any(re.search(r"\d", path.name) for path in tmp_path.iterdir())
