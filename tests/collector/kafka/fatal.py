"""A collector's consumer that ends where it decodes a record with certain bytes: `python -m tests.collector.kafka.fatal`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from collector.kafka.partition import Partition
from collector.payloads import Decoded
from store.clickhouse.connection.address import parse_url
from tests.collector.kafka.reading import Reader

FATAL = b"ends every process"


def main(broker: str, topics: str, clickhouse: str, folder: str) -> None:
    """Consume until SIGTERM."""
    decoded = Partition._decoded

    def fatal(self: Partition, values: list[bytes], version: int) -> Decoded:
        if any(FATAL in value for value in values):
            os.kill(os.getpid(), signal.SIGKILL)
        return decoded(self, values, version)

    Partition._decoded = fatal  # type: ignore[method-assign]
    stop = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    properties = {"session.timeout.ms": "1000", "heartbeat.interval.ms": "300"}
    with Reader(broker, topics, parse_url(clickhouse), Path(folder), properties=properties):
        signal.sigwait(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
