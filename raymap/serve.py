"""`raymap serve`: its child processes, their order and their ports.

First the embedded ClickHouse (unless one is named), then its schema, then the collectors with UDP
and gRPC and the API with everything HTTP; each is the command of that name. The supervisor restarts
and stops them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import random
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import raymap.plain_structlog  # noqa: F401 - before all that logs
from collector.net import bind
from raymap.auth.key_source import read_keys_file
from raymap.auth.secret import server_secret
from raymap.cells import prepare_cells, resolve_cells, text_of
from raymap.data_dir import prepare_data_dir
from raymap.errors import CommandError, print_status
from raymap.flags import environment_of
from raymap.http_server import cannot_listen, load_tls
from raymap.kafka_inputs import kafka_settings
from raymap.logging import set_up_logging
from raymap.metrics_folder import metrics_folder, note_death, reset_gauges
from raymap.processes import PROCESS, require_authentication, require_demo, require_private
from raymap.ready_pipe import print_ready_line
from raymap.settings import (
    ApiSettings,
    ClickHouseSettings,
    CollectSettings,
    DemoSettings,
    ServeSettings,
    derive,
)
from raymap.shown_settings import ShownSetting, environment_of_shown, with_values
from raymap.supervisor import STOP_TIMEOUT, ChildSpec, Stopped, Supervisor
from store.private_files import make_private, open_ours

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address

# Below the kernel's range for outgoing connections, where a busy client could be given the port.
PORTS = range(11_000, 21_000)


LOCK_WAIT = 10.0
"""Seconds in which a ClickHouse that was killed leaves the data directory to the next one."""


class Ports(NamedTuple):
    """The ports of one `raymap serve`; ``http`` is UDP's number as well."""

    http: int
    grpc: int
    otlp: int | None


def serve(settings: ServeSettings, shown: Sequence[ShownSetting] = ()) -> int:
    """Run everything until SIGTERM; the exit code. CommandError when it cannot start or go on."""
    set_up_logging(settings.log_level, settings.log_format)
    _check_installed(settings)
    require_private(settings)
    require_authentication(settings)
    kafka_settings(settings)
    load_tls(settings)  # a bad certificate is reported before anything starts
    prepare_data_dir(settings.data_dir)
    if settings.auth != "off":
        server_secret(settings.data_dir)  # made once, before several children need it
        if settings.keys_file is not None:
            read_keys_file(settings.keys_file)
    beside = settings.data_dir.resolve() / "run" / "metrics"
    with _lock(settings.data_dir), metrics_folder(beside, _measured(settings)) as metrics:
        return asyncio.run(_Serve(settings, choose_ports(settings), metrics, shown).run())


def _collectors(settings: ServeSettings) -> list[str]:
    return ["collect", *(f"collect-{n}" for n in range(2, settings.collectors + 1))]


def _measured(settings: ServeSettings) -> list[str]:
    """The names of the processes that have metrics."""
    return [*_collectors(settings), "api"]


class _Serve:
    """The children of `raymap serve`, in the order of their start."""

    def __init__(
        self,
        settings: ServeSettings,
        ports: Ports,
        metrics: Path,
        shown: Sequence[ShownSetting],
    ) -> None:
        self._settings, self._ports, self._metrics = settings, ports, metrics
        effective = {
            "port": ports.http,
            "grpc-port": ports.grpc,
            "otlp-port": ports.otlp,
            "workers": settings.collectors,
        }
        self._shown = environment_of_shown(with_values(shown, effective)) if shown else {}

    async def run(self) -> int:
        self._supervisor = Supervisor(
            stop_timeout=STOP_TIMEOUT + self._settings.drain_seconds,
            on_death=self._on_death,
            forward_hangup=self._settings.tls_cert is not None,
        )
        orderly = True
        try:
            _announce(await self._start())
            await self._supervisor.wait()
        except Stopped:
            pass
        finally:
            stages = ["demo"], _measured(self._settings), ["clickhouse"]
            orderly = await self._supervisor.stop(*stages)
        return 0 if orderly else 1

    def _on_death(self, name: str) -> None:
        reset_gauges(self._metrics, name)
        note_death(self._metrics, name)

    async def _start(self) -> dict[str, str]:
        """Start every child; the addresses by kind."""
        cells = await self._start_clickhouse()
        await self._supervisor.unless_stopped(asyncio.to_thread(_migrate, cells, self._settings))
        specs = self._specs(cells)
        opened = await asyncio.gather(*map(self._supervisor.start, specs))
        addresses = {kind: address for some in opened for kind, address in some.items()}
        if self._settings.demo:
            demo = DemoSettings(url=_reachable(addresses["udp"]))
            await self._supervisor.start(_child("demo", "demo", demo, essential=False))
        return addresses

    def _specs(self, cells: Sequence[Address]) -> list[ChildSpec]:
        """The collectors and the API."""
        settings, ports = self._settings, self._ports
        common = {
            "data_dir": settings.data_dir.resolve(),
            "clickhouse": text_of(cells),
            "port": ports.http,
        }
        collect = derive(
            CollectSettings,
            settings,
            **common,
            grpc_port=ports.grpc,
            otlp_port=ports.otlp,
            http=False,
            shared=settings.collectors > 1,
        )
        api = derive(ApiSettings, settings, **common)
        metrics = {"PROMETHEUS_MULTIPROC_DIR": str(self._metrics)}
        commands = dict.fromkeys(_collectors(settings), ("collect", collect)) | {
            "api": ("api", api)
        }
        return [
            _child(
                name,
                command,
                role,
                metrics | {PROCESS: name} | (self._shown if name == "api" else {}),
                reloads=settings.tls_cert is not None,
            )
            for name, (command, role) in commands.items()
        ]

    async def _start_clickhouse(self) -> list[Address]:
        """The named cells, or the embedded one, started."""
        from store.clickhouse.embedded import address, choose_port

        settings = self._settings
        if settings.clickhouse:
            return resolve_cells(settings)
        engine = ClickHouseSettings(
            data_dir=settings.data_dir.resolve(),
            clickhouse_memory=settings.clickhouse_memory,
            # Chosen here, so that it stays the same after a restart of the engine.
            clickhouse_port=choose_port(settings.data_dir),
            lock_wait=LOCK_WAIT,
        )
        await self._supervisor.start(_child("clickhouse", "clickhouse", engine))
        return [address(settings.data_dir)]


def _child(
    name: str,
    command: str,
    settings: Any,
    environment: Mapping[str, str] | None = None,
    *,
    essential: bool = True,
    reloads: bool = False,
) -> ChildSpec:
    """A child that runs a command of ours. `-P`: the working directory must not decide what is
    imported."""
    return ChildSpec(
        name,
        [sys.executable, "-P", "-m", "raymap", command],
        {**environment_of(settings), **(environment or {})},
        essential,
        reloads,
    )


def _announce(addresses: Mapping[str, str]) -> None:
    """The ready line for programs, and where to go for people."""
    kinds = ("http", "udp", "grpc", "otlp")
    print_ready_line({kind: addresses[kind] for kind in kinds if kind in addresses})
    scheme, _, address = addresses["http"].rpartition("://")
    browse = f"{scheme}://{_reachable(address)}"
    print_status(f"open {browse} · SDKs send to UDP {addresses['udp']} · gRPC {addresses['grpc']}")


def _migrate(cells: Sequence[Address], settings: ServeSettings) -> None:
    from raymap.tenants.databases import prepared_tenants
    from raymap.tenants.logins import write_embedded

    prepare_cells(cells, settings.retention, wait_for_it=True)
    clickhouse = cells[0]
    if settings.auth != "off" and not settings.clickhouse:  # also for tenants of a backup
        tenants = prepared_tenants(clickhouse).values()
        write_embedded(settings.data_dir, clickhouse, tenants, server_secret(settings.data_dir))


def _check_installed(settings: ServeSettings) -> None:
    """CommandError for a missing package, before anything is started."""
    if settings.demo:
        require_demo()
    if not settings.clickhouse:
        from store.clickhouse.embedded import engine_library

        engine_library()


@contextlib.contextmanager
def _lock(data_dir: Path) -> Iterator[None]:
    """One `raymap serve` per data directory, also with a ClickHouse elsewhere: they would share a
    folder of journals."""
    from store.clickhouse.embedded import in_use

    run = data_dir / "run"
    make_private(run)
    with os.fdopen(open_ours(run / "lock", os.O_RDWR | os.O_CREAT), "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(in_use(data_dir)) from None
        yield


def choose_ports(settings: ServeSettings) -> Ports:
    """The ports to use, which are free now; 0 in the settings stands for any."""
    host, tcp = settings.host, socket.SOCK_STREAM
    otlp = settings.otlp_http_port
    for port in settings.udp_tenants:
        _choose(host, port, {"UDP": socket.SOCK_DGRAM}, "--udp-tenant")
    return Ports(
        _choose(host, settings.port, {"UDP": socket.SOCK_DGRAM, "TCP": tcp}, "--port"),
        _choose(host, settings.grpc_port, {"gRPC": tcp}, "--grpc-port"),
        None if otlp is None else _choose(host, otlp, {"OTLP": tcp}, "--otlp-port"),
    )


def _choose(host: str, wanted: int, kinds: Mapping[str, socket.SocketKind], flag: str) -> int:
    """Fail early and clearly; gRPC's own listener would share a port with any other program."""
    for port in [wanted] if wanted else random.sample(PORTS, 500):
        try:
            for kind in kinds:
                bind(kinds[kind], host, port).close()
            return port
        except OSError as error:
            if wanted or error.errno != errno.EADDRINUSE:
                raise cannot_listen(kind, host, port, flag, error) from None
    raise CommandError(
        f"No free port between {PORTS.start} and {PORTS.stop} on {host}; choose one: {flag}."
    )


def _reachable(address: str) -> str:
    """An address to connect to, where the one listened on means every interface."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host in ("0.0.0.0", "::", "[::]") else address
