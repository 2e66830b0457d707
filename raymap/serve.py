"""`raymap serve`: which children make the whole, in which order, and on which ports.

First the embedded ClickHouse (unless one is named), then its schema, then the collector with UDP
and gRPC and the API with everything HTTP; each is the command of that name. Keeping them alive is
the supervisor's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import random
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from raymap.processes import (
    bind,
    cannot_listen,
    otlp_port_of,
    port_taken,
    require_demo,
    set_up_logging,
)
from raymap.supervisor import ChildSpec, CommandError, Stopped, Supervisor, print_status

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address

# Below the kernel's range for outgoing connections, where a busy client could be handed the port.
PORTS = range(11_000, 21_000)

MOST_WORKERS = 4
"""By default: an idle one takes some 100 MB."""


class Ports(NamedTuple):
    http: int
    grpc: int
    otlp: int | None


@dataclass(frozen=True, slots=True)
class Settings:
    data_dir: Path
    host: str
    port: int
    grpc_port: int
    otlp_port: int | None
    clickhouse: str
    memory_bytes: int
    workers: int
    linger: float
    sampling_rate: float
    retention_days: int | None
    log_level: str
    log_format: str
    demo: bool


def default_workers() -> int:
    """Collector processes for this machine: one for each core we may use, and at most `MOST_WORKERS`.

    Python decodes on one core a process; ClickHouse takes what is left, and while a worker waits
    for it another one decodes.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # another system than Linux
        cores = os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def serve(settings: Settings) -> int:
    """Everything, until SIGTERM. Raises GaveUp with a sentence when it cannot go on."""
    set_up_logging(settings.log_level, settings.log_format)
    _check_installed(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _sole_user(settings.data_dir):
        metrics = settings.data_dir.absolute() / "run" / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(parents=True)
        return asyncio.run(_Serve(settings, choose_ports(settings), metrics).run())


class _Serve:
    """The children of `raymap serve`, in the order of their start."""

    def __init__(self, settings: Settings, ports: Ports, metrics: Path) -> None:
        self._settings, self._ports, self._metrics = settings, ports, metrics

    async def run(self) -> int:
        self._supervisor = Supervisor(on_death=self._forget_gauges)
        orderly = True
        try:
            self._tell(await self._start())
            await self._supervisor.wait()
        except Stopped:
            pass
        finally:
            stages = ["demo"], [*self._collectors(), "api"], ["clickhouse"]
            orderly = await self._supervisor.stop(*stages)
        return 0 if orderly else 1

    async def _start(self) -> dict[str, str]:
        settings, start = self._settings, self._supervisor.start
        clickhouse = await self._clickhouse()
        await self._supervisor.unless_stopped(
            asyncio.to_thread(_migrate, clickhouse, settings.retention_days)
        )
        at = ["--host", settings.host, "--port", str(self._ports.http)]
        common = ["--data-dir", str(settings.data_dir.absolute()), *at]
        common += ["--log-level", settings.log_level, "--log-format", settings.log_format]
        environment = {
            "RAYMAP_CLICKHOUSE": clickhouse.url,  # not an argument: it holds a password
            "PROMETHEUS_MULTIPROC_DIR": str(self._metrics),
        }
        collect = _command("collect", *common, "--grpc-port", str(self._ports.grpc), "--no-http")
        collect += ["--batch-age", str(settings.linger)]
        if self._ports.otlp is not None:
            collect += ["--otlp-port", str(self._ports.otlp)]
        if settings.workers > 1:
            collect.append("--shared")
        api = _command("api", *common, "--sampling-rate", str(settings.sampling_rate))
        roles = [ChildSpec(name, collect, environment) for name in self._collectors()]
        opened = await asyncio.gather(*map(start, [*roles, ChildSpec("api", api, environment)]))
        doors = {name: at for some in opened for name, at in some.items()}
        if settings.demo:
            demo = _command("demo", "--to", _reachable(doors["udp"]))
            await start(ChildSpec("demo", demo, essential=False))
        return doors

    def _collectors(self) -> list[str]:
        return ["collect", *(f"collect-{n}" for n in range(2, self._settings.workers + 1))]

    async def _clickhouse(self) -> Address:
        from store.clickhouse.connection.address import parse_url
        from store.clickhouse.embedded import address, choose_port

        settings = self._settings
        if settings.clickhouse:
            return parse_url(settings.clickhouse)
        # Chosen here, so that it stays the same when the engine is started again.
        port = choose_port(settings.data_dir)
        command = _command(
            *("clickhouse", "--data-dir", str(settings.data_dir.absolute())),
            *("--clickhouse-port", str(port), "--clickhouse-memory", str(settings.memory_bytes)),
        )
        await self._supervisor.start(ChildSpec("clickhouse", command))
        return address(settings.data_dir)

    def _tell(self, doors: Mapping[str, str]) -> None:
        line = {name: doors[name] for name in ("http", "udp", "grpc", "otlp") if name in doors}
        with contextlib.suppress(BrokenPipeError):  # started by someone who does not listen
            print("raymap ready " + json.dumps(line, separators=(",", ":")), flush=True)
        browse = "http://" + _reachable(doors["http"].removeprefix("http://"))
        print_status(f"open {browse} · SDKs send to UDP {doors['udp']} · gRPC {doors['grpc']}")

    def _forget_gauges(self, pid: int) -> None:
        for gauge in self._metrics.glob(f"gauge_live*_{pid}.db"):
            gauge.unlink(missing_ok=True)


def _command(role: str, *options: str) -> list[str]:
    """A child's command line. `-P`: the working directory must not decide what is imported."""
    return [sys.executable, "-P", "-m", "raymap", role, *options]


def _migrate(clickhouse: Address, retention_days: int | None) -> None:
    from store.clickhouse.schema.retention import prepare_database

    prepare_database(clickhouse, {"traces": retention_days} if retention_days else {})


def _check_installed(settings: Settings) -> None:
    """Say what is missing before anything is started."""
    if settings.demo:
        require_demo()
    if not settings.clickhouse:
        from store.clickhouse.embedded import engine_library

        engine_library()


@contextlib.contextmanager
def _sole_user(data_dir: Path) -> Iterator[None]:
    """One `raymap serve` per data directory, also with a ClickHouse elsewhere: the spool is ours."""
    from store.clickhouse.embedded import in_use

    run = data_dir / "run"
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(in_use(data_dir)) from None
        yield


def choose_ports(settings: Settings) -> Ports:
    """Ports that are free now, `http` for UDP as well. 0 stands for any."""
    host, tcp = settings.host, socket.SOCK_STREAM
    otlp = otlp_port_of(settings.otlp_port, settings.grpc_port)
    return Ports(
        _choose(host, settings.port, {"UDP": socket.SOCK_DGRAM, "TCP": tcp}, "--port"),
        _choose(host, settings.grpc_port, {"gRPC": tcp}, "--grpc-port"),
        None if otlp is None else _choose(host, otlp, {"OTLP": tcp}, "--otlp-port"),
    )


def _choose(host: str, wanted: int, kinds: Mapping[str, socket.SocketKind], flag: str) -> int:
    """Fail early and clearly; gRPC's own listener would even share a port with a stranger."""
    for port in [wanted] if wanted else random.sample(PORTS, 500):
        try:
            for kind in kinds:
                bind(kinds[kind], host, port).close()
            return port
        except OSError as error:
            if wanted and error.errno == errno.EADDRINUSE:
                raise CommandError(port_taken(kind, host, port, flag)) from None
            if error.errno != errno.EADDRINUSE:
                raise CommandError(cannot_listen(kind, host, port, error)) from None
    raise CommandError(
        f"No free port between {PORTS.start} and {PORTS.stop} on {host}; choose one: {flag}."
    )


def _reachable(address: str) -> str:
    """An address to connect to, where the one we listen on means every interface."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host in ("0.0.0.0", "::", "[::]") else address
