"""A collector process with every receiver and with keys, whose store discards what it gets.

`python -m tests.raymap.guarded_collector FOLDER` prints its addresses and a key as JSON once it is ready.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from collector.app import run_collector
from collector.settings import CollectorSettings
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import AuthInterceptor
from raymap.auth.http import AuthGuard
from raymap.auth.keys import KeyRing, issue_key
from raymap.auth.permissions import Role
from raymap.logging import set_up_logging
from store.clickhouse.write import inserts
from store.columnar import DocumentColumns
from tests.raymap.auth.test_http import MASTER, FixedKeys


class Discarding:
    """A store without memory: what a request costs is the collector's."""

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass

    def encode(self, columns: DocumentColumns) -> Any:
        return inserts.encode(columns)

    def put(self, documents: Sequence[Any], token: str) -> None:
        pass

    put_encoded = put_log_lines = put_metric_points = put


def main(folder: Path) -> int:
    set_up_logging("error")
    issued = issue_key("tests", Role.INGEST, MASTER, now=1)
    authenticator = Authenticator(Mode.ON, FixedKeys(KeyRing([issued.key])), MASTER)

    def guard(app: ASGIApp) -> ASGIApp:
        return AuthGuard(app, authenticator)

    def ready(addresses: Mapping[str, str]) -> None:
        key = {"token": issued.token, "access_key_id": issued.key.access_key_id}
        print(json.dumps({**addresses, **key}), flush=True)

    return run_collector(
        CollectorSettings(
            writer=Discarding,
            data_dir=folder,
            port=0,
            grpc_port=0,
            http=True,
            guard=guard,
            interceptors=[AuthInterceptor(authenticator)],
            on_ready=ready,
        )
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
