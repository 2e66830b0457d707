"""The child process of EmbeddedClickHouse; `raymap clickhouse` is the command for users."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from store.clickhouse.connection.address import Address
from store.clickhouse.embedded.engine import run
from store.clickhouse.embedded.folder import EmbeddedError, EmbeddedSettings


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--ready-fd", type=int, required=True)
    options = parser.parse_args()

    def ready(_: Address) -> None:
        os.write(options.ready_fd, b"ready\n")
        os.close(options.ready_fd)

    try:
        settings = EmbeddedSettings(options.data_dir, memory_bytes=options.memory)
        return run(settings, on_ready=ready, watch_stdin=True)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # skip the teardown of an interpreter with a 500 MB library in it
