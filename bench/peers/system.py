"""A system under measurement: its processes, its folder, and how many spans can be read from it."""

from __future__ import annotations

import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil

SETTLED_CORES = 0.05
"""Of all processes, over `_QUIET` seconds: what was started by the load has ended."""
_QUIET = 4.0


class System(ABC):
    """Started and ready."""

    name: str
    target: str
    """host:port of OTLP over gRPC, or of what ``protocol`` says."""
    protocol: str = "otlp"
    """As `bench.peers.load` has it."""
    durable: str
    """What an acknowledgement means."""
    folder: Path
    """Where the data is."""

    @abstractmethod
    def processes(self) -> dict[str, psutil.Process]:
        """By role; roles with several processes are numbered."""

    @abstractmethod
    def readable(self, trace_ids: Sequence[bytes]) -> int | None:
        """The number of spans that can be read; None when only traces can be looked up (`found`)."""

    def distinct(self) -> int | None:
        """The same without what was sent twice, once all is measured; None when `readable` is it."""
        return None

    def found(self, trace_id: bytes) -> int:
        """The spans of a trace that can be read."""
        raise NotImplementedError

    def live_bytes(self) -> int | None:
        """Bytes of what is not superseded; None when the folder says it all."""
        return None

    def works(self) -> bool:
        """Whether work that the load has caused is known to wait, though the system may be idle now."""
        return False


def free_address() -> str:
    """host:port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def program(
    command: Sequence[str | Path], address: str, log: Path, patience: float = 60.0
) -> Iterator[psutil.Process]:
    """A program, from when it listens until the block ends."""
    host, _, port = address.rpartition(":")
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + patience
            while not _listens(host, int(port)):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} does not listen:\n{log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 0.5).close()
    except OSError:
        return False
    return True


def cpu_seconds(system: System) -> dict[str, float]:
    """User and system time by process."""
    used = {}
    for role, process in system.processes().items():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        used[role] = float(times.user + times.system)
    return used


def resident(system: System) -> float:
    """MiB of all processes."""
    total = 0
    for process in system.processes().values():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / (1 << 20)


def settle(system: System, patience: float = 120.0) -> None:
    """Wait until merges and whatever else the load has started have ended."""
    deadline, before = time.monotonic() + patience, sum(cpu_seconds(system).values())
    while time.monotonic() < deadline:
        time.sleep(_QUIET)
        now = sum(cpu_seconds(system).values())
        if now - before < SETTLED_CORES * _QUIET and not system.works():
            return
        before = now


def size_of(folder: Path) -> int:
    """Bytes on disk of everything in a folder."""
    command = ["du", "-sB1", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) if done.stdout else 0


@contextmanager
def highest(value: Callable[[], float], every: float = 1.0) -> Iterator[Callable[[], float]]:
    """The highest that a value has been while the block ran."""
    seen, done = [value()], Event()

    def watch() -> None:
        while not done.wait(every):
            seen.append(max(seen[-1], value()))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: max(seen)
    finally:
        done.set()
        thread.join()
