"""The worst that 32 MB can do to a collector: memory and CPU seconds of its process, receiver by receiver."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import grpc
import httpx
import psutil
import pytest

from tests.conftest import ROOT
from tests.raymap.worst_requests import GRPC, HTTP, SIZE, Worst

pytestmark = pytest.mark.server

MIB = 1 << 20
MAX_GROWTH = 200 * MIB
MAX_CPU = 4.0
"""Twice what a request may take on a machine that does nothing else."""
SETTLED = 400 * MIB
"""Above the level at the start, some seconds after a request: freed pages between used ones remain with the
process, some 70 to 170 MiB however many requests there were. All of them send 5 GiB: of a leak, a tenth
of that would show."""


CLOSED = "closed"
"""In place of a status: refused while the body was being sent, and the answer lost with the connection."""


class Cost(NamedTuple):
    """Bytes and seconds of a process around a request."""

    name: str
    answer: str
    before: int
    peak: int
    cpu: float

    @property
    def is_dear(self) -> bool:
        return self.peak - self.before > MAX_GROWTH or self.cpu > MAX_CPU

    def __str__(self) -> str:
        sizes = f"{self.before / MIB:6.0f} {self.peak / MIB:6.0f} MiB"
        return f"{self.name:<60} {self.answer:<24} {sizes} {self.cpu:6.2f} s"


class Collector:
    """The process, and clients of it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.raymap.guarded_collector", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.key: Mapping[str, str] = {"x-api-key": ready["token"]}
        self.access_key_id: str = ready["access_key_id"]
        self.base = f"http://{ready['http']}" if "//" not in ready["http"] else ready["http"]
        self.grpc: str = ready["grpc"]
        self._seen = psutil.Process(self.process.pid)
        self.settled = self.rss()

    def rss(self) -> int:
        return int(self._seen.memory_info().rss)

    def cpu(self) -> float:
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(60)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> str:
        with httpx.Client(timeout=120) as client:
            try:
                answer = client.post(self.base + path, content=body, headers=dict(headers))
            except httpx.TransportError:
                return CLOSED
        return str(answer.status_code)

    def call(self, method: str, body: bytes, metadata: Mapping[str, str]) -> str:
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(self.grpc, options) as channel:
            try:
                channel.unary_unary(method)(body, metadata=tuple(metadata.items()), timeout=120)
            except grpc.RpcError as error:
                return str(error.code().name)
        return "OK"

    def cost(self, name: str, work: Callable[[], str]) -> Cost:
        """What some work costs: of CPU the least of three times, since a second of a core that others
        use, too, does less."""
        cost = self._cost(name, work)
        for _ in range(2):
            if cost.cpu <= MAX_CPU:
                break
            cost = cost._replace(cpu=min(cost.cpu, self._cost(name, work).cpu))
        return cost

    def _cost(self, name: str, work: Callable[[], str]) -> Cost:
        before, cpu = self.rss(), self.cpu()
        peak, done = before, Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.005):
                peak = max(peak, self.rss())

        watcher = Thread(target=watch)
        watcher.start()
        try:
            answer = work()
        finally:
            done.set()
            watcher.join()
        cost = Cost(name, answer, before, peak, self.cpu() - cpu)
        print(cost, flush=True)
        return cost

    def settle(self) -> None:
        """Wait until memory has been given back. Fails when it is not."""
        end = time.monotonic() + 60
        while (after := self.rss()) > self.settled + SETTLED:
            assert time.monotonic() < end, f"{after / MIB:.0f} MiB stay"
            time.sleep(0.1)
        print(f"{'':<84} after: {after / MIB:6.0f} MiB", flush=True)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    running = Collector(tmp_path_factory.mktemp("worst"))
    yield running
    assert running.stop() == 0


def check(collector: Collector, costs: Sequence[Cost]) -> None:
    collector.settle()
    dear = [str(cost) for cost in costs if cost.is_dear]
    assert not dear, "\n" + "\n".join(dear)


@pytest.mark.slow
@pytest.mark.parametrize("receiver", dict.fromkeys(each.receiver for each in HTTP))
def test_http(collector: Collector, receiver: str) -> None:
    shapes = [each for each in HTTP if each.receiver == receiver]
    costs = [collector.cost(each.name, _posting(collector, each)) for each in shapes]
    check(collector, costs)
    assert {cost.answer for cost in costs} <= {"200", "400", "413"}


@pytest.mark.slow
@pytest.mark.parametrize("receiver", dict.fromkeys(each.receiver for each in GRPC))
def test_grpc(collector: Collector, receiver: str) -> None:
    shapes = [each for each in GRPC if each.receiver == receiver]
    costs = [collector.cost(each.name, _calling(collector, each)) for each in shapes]
    check(collector, costs)
    assert {cost.answer for cost in costs} <= {"OK", "INVALID_ARGUMENT"}


def _posting(collector: Collector, each: Worst) -> Callable[[], str]:
    body, headers = each.encoded()
    return lambda: collector.post(each.path, body, {**headers, **collector.key})


def _calling(collector: Collector, each: Worst) -> Callable[[], str]:
    body = each.body()
    return lambda: collector.call(each.path, body, collector.key)


def test_thirty_messages_without_a_key(collector: Collector) -> None:
    body = bytes(SIZE)

    def work() -> str:
        with ThreadPoolExecutor(30) as pool:
            calls = [pool.submit(collector.call, GRPC[0].path, body, {}) for _ in range(30)]
        return " ".join({call.result() for call in calls})

    cost = collector.cost("30 messages without a key", work)
    assert cost.answer == "UNAUTHENTICATED"
    check(collector, [cost])


def test_forty_wrong_signatures(collector: Collector) -> None:
    body = bytes(SIZE)
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "x-amz-date": date,
        "authorization": (
            f"AWS4-HMAC-SHA256 Credential={collector.access_key_id}/{date[:8]}/eu-west-1/xray/aws4_request, "
            f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
        ),
    }

    def work() -> str:
        with ThreadPoolExecutor(40) as pool:
            calls = [
                pool.submit(collector.post, "/TraceSegments", body, headers) for _ in range(40)
            ]
        return " ".join(sorted({call.result() for call in calls}))

    cost = collector.cost("40 wrong signatures", work)
    assert set(cost.answer.split()) <= {"401", "503", CLOSED}
    check(collector, [cost])
