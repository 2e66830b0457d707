"""A recording proxy between a sampler and an API process: samplers stay as they are."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Recorded:
    """What one sampler was answered: target documents by rule, and when it read the rules."""

    targets: list[tuple[float, dict[str, dict[str, Any]]]] = field(default_factory=list)
    rules: list[float] = field(default_factory=list)

    def quota(self, rule: str, at: float) -> int | None:
        """The quota that is valid at a time; None before the first."""
        for when, documents in reversed(self.targets):
            found = documents.get(rule, {})
            if when <= at and found.get("ReservoirQuota") is not None:
                return int(found["ReservoirQuota"]) if found["ReservoirQuotaTTL"] >= at else None
        return None


def start_proxy(api: str) -> tuple[str, Recorded]:
    """A proxy to an API process, in a thread that ends with this one; its address and records."""
    recorded = Recorded()
    host = api.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(host, timeout=30)
            media = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
            connection.request("POST", self.path, body, media)
            answer = connection.getresponse()
            content = answer.read()
            record(self.path, answer.status, content)
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    def record(path: str, status: int, content: bytes) -> None:
        assert status == 200, (path, status, content)
        if path == "/GetSamplingRules":
            recorded.rules.append(time.time())
        elif path == "/SamplingTargets":
            documents = json.loads(content)["SamplingTargetDocuments"]
            recorded.targets.append((time.time(), {d["RuleName"]: d for d in documents}))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", recorded
