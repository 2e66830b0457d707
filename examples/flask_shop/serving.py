"""Serves one of the services on a free or given port and says where, for people and for tests."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from flask import Flask
from werkzeug.serving import make_server


def serve(app: Flask, port: int) -> None:
    """Announce `listening on http://…` on stdout and serve until SIGTERM or SIGINT."""
    server = make_server("127.0.0.1", port, app, threaded=True)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
