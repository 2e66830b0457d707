"""Starts the Flask shop against an X-Ray daemon address, 127.0.0.1:2000 by default."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from types import FrameType

from examples.flask_shop.processes import flask_shop


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.flask_shop", description=__doc__)
    parser.add_argument(
        "--daemon",
        default=os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000"),
        help="host:port, or 'tcp:host:port udp:host:port'",
    )
    options = parser.parse_args()
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    with flask_shop(options.daemon) as url:
        for path in ("ok", "notfound", "throttled", "boom", "chain?answer=500", "quote"):
            print(f"curl {url}/{path}")
        print(f"curl -X POST '{url}/orders?order=1'", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
