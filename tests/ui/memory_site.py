"""The console over a store in memory, in this process: no server, no ClickHouse."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from api.app import create_app
from collector.payloads import decode_documents
from raymap.auth.sign_in import sign_in_router
from store.memory import MemoryStore
from tests.conftest import ROOT, Site
from tests.http_server import serve


@dataclass
class MemorySite(Site):
    """Takes documents by `send` alone."""

    store: MemoryStore

    def send(self, *documents: dict[str, Any]) -> None:
        """Store segment documents."""
        raws = [json.dumps(each).encode() for each in documents]
        decoded = decode_documents(raws, time.time_ns() // 1000)
        assert not decoded.rejected
        self.store.put(decoded.documents, secrets.token_hex(8))


@contextmanager
def serve_memory() -> Iterator[MemorySite]:
    """A site without traces, to which no one signs in."""
    store = MemoryStore()
    signed_out = sign_in_router(store, None, lambda: None)
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", extra_routers=[signed_out])
    with serve(app) as url:
        yield MemorySite(url, store)
