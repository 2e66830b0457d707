"""The three services as processes of their own: the SDK's recorder is one per process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def flask_shop(
    daemon: str, *, shop: str = "shop", inventory: str = "inventory", table: str = "orders"
) -> Iterator[str]:
    """Start all three against the daemon address; gives the shop's URL."""
    with ExitStack() as running:
        stand_in = running.enter_context(_service("stand_in", {}))
        addresses = {"AWS_XRAY_DAEMON_ADDRESS": daemon}
        stock = running.enter_context(
            _service("inventory", {**addresses, "AWS_XRAY_TRACING_NAME": inventory})
        )
        surroundings = {
            **addresses,
            "AWS_XRAY_TRACING_NAME": shop,
            "INVENTORY_URL": stock,
            "DYNAMODB_URL": stand_in,
            "CARRIER_URL": stand_in.replace("127.0.0.1", "localhost"),
            "ORDERS_TABLE": table,
        }
        yield running.enter_context(_service("app", surroundings))


@contextmanager
def _service(module: str, surroundings: Mapping[str, str]) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"examples.flask_shop.{module}"],
        cwd=_ROOT,
        env={**os.environ, **surroundings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield _url(process.stdout.readline(), module)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _url(line: str, module: str) -> str:
    if not line.startswith("listening on "):
        raise RuntimeError(f"examples.flask_shop.{module} did not start; run it by hand to see why")
    return line.removeprefix("listening on ").strip()
