"""Log lines of functions → a running server, as OTLP logs, in the background.

The server reads them as those of any function: START and REPORT become its segments, the others its
log. Lines wait in memory, so a bounded number, while the server does not answer.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any

from raymap.commands.server import post
from raymap.contrib.sam.lines import FunctionLine, trace_id_of
from raymap.errors import CommandError, print_status

MOST = 10_000
"""Lines that wait; beyond them the oldest are dropped, and counted."""
BATCH = 1_000
INTERVAL = 0.5
"""Seconds between two requests."""
Json = dict[str, Any]


class Sender:
    """Sends lines until it is closed."""

    def __init__(self, to: str, region: str) -> None:
        self._to, self._region = to, region
        self._waiting: deque[FunctionLine] = deque()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._complained = False
        self.sent = self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="sam-sender", daemon=True)
        self._thread.start()

    def put(self, lines: Iterable[FunctionLine]) -> None:
        """Let lines be sent."""
        with self._lock:
            self._waiting.extend(lines)
            while len(self._waiting) > MOST:
                self._waiting.popleft()
                self.dropped += 1

    def close(self) -> None:
        """Send what waits, once, and stop; what is left is counted as dropped."""
        self._closing.set()
        self._thread.join(timeout=10)
        with self._lock:
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def _run(self) -> None:
        while not self._closing.wait(INTERVAL):
            self._send_batch()
        while self._send_batch():
            pass

    def _send_batch(self) -> bool:
        """Send the oldest lines; whether there were some, and they were accepted."""
        with self._lock:
            lines = list(islice(self._waiting, BATCH))
        if not lines:
            return False
        try:
            body = json.dumps(logs_of(lines, self._region)).encode()
            post(self._to, "/v1/logs", body, patience=0)
        except CommandError as error:
            self._complain(error)
            return False
        with self._lock:
            for line in lines:
                if self._waiting and self._waiting[0] is line:
                    self._waiting.popleft()
        self.sent += len(lines)
        return True

    def _complain(self, error: CommandError) -> None:
        if not self._complained:
            self._complained = True
            print_status(f"{error} Until then lines of functions wait in memory.")


def logs_of(lines: Iterable[FunctionLine], region: str) -> Json:
    """An ExportLogsServiceRequest in JSON."""
    by_function: dict[tuple[str, str], list[Json]] = {}
    for line in lines:
        records = by_function.setdefault((line.function, line.version), [])
        records.append(_record(line))
    return {
        "resourceLogs": [
            {
                "resource": {
                    "attributes": _attributes(
                        {"faas.name": name, "faas.version": version, "cloud.region": region}
                    )
                },
                "scopeLogs": [{"logRecords": records}],
            }
            for (name, version), records in by_function.items()
        ]
    }


def _record(line: FunctionLine) -> Json:
    return {
        "timeUnixNano": str(line.time * 1000),
        "body": {"stringValue": line.text},
        "traceId": trace_id_of(line.request_id)[2:].replace("-", ""),
        "attributes": _attributes({"faas.invocation_id": line.request_id}),
    }


def _attributes(values: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items() if value]
