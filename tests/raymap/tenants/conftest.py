"""One server with tenants for every test that only adds to it, stopped with the last of them: idle, it uses seven
seconds of CPU time a minute."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.conftest import start_server, stop_server
from tests.ports import free_port
from tests.raymap.processes import eventually, raymap
from tests.raymap.tenants.senders import RECORDS, TRACES
from tests.raymap.tenants.shared import (
    MARKS,
    TENANTS,
    Shared,
    accepted,
    configure,
    has_lines,
    has_services,
)


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    otlp, udp = free_port(), {name: free_port() for name in TENANTS}
    ports = ",".join(f"{port}={name}" for name, port in udp.items())
    data_dir = tmp_path_factory.mktemp("tenants") / "data"
    words = ("--auth", "on", "--otlp-port", str(otlp), "--workers", "2", "--udp-tenant", ports)
    server = start_server(data_dir, *words)
    for name in TENANTS:
        added = raymap("tenant", "add", name, *server.where)
        assert added.returncode == 0, added.stderr
    if server.database is None:  # the embedded engine knows their users when it starts next
        assert stop_server(server) == 0
        server = start_server(data_dir, *words)
    made = Shared(server, f"http://127.0.0.1:{otlp}", udp)
    eventually(
        lambda: (
            made.ask(TENANTS[-1], "admin", "GET", "/api/status").status == 200
            and made.ask("", "admin", "GET", "/api/status").status == 200
        ),
        "keys are known",
    )
    yield made
    if server.database:  # else their databases go with the folder
        for name in TENANTS:
            raymap("tenant", "delete", name, "--yes", *server.where)
    assert stop_server(server) == 0


@pytest.fixture(scope="package")
def filled(shared: Shared) -> Shared:
    """The server once every tenant has sent to every receiver, and configured what can be."""
    for name, sender in shared.senders.items():
        for send in (*TRACES.values(), *RECORDS.values()):
            eventually(partial(accepted, send, sender), "it is accepted")
        configure(shared, name)
    names = set(TRACES)
    for name in MARKS:
        eventually(
            partial(has_services, shared, name, names), f"{name} has its traces", seconds=120
        )
        eventually(partial(has_lines, shared, name), f"{name} has its lines")
    return shared
