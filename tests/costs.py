"""What tests cost: seconds of CPU time, of the worker and of all processes that it has started, and which take more than
is planned; and after which the worker retained much more memory.

Seconds by the clock depend on what else the machine does, these less, yet up to three times on a busy host: they are
printed, and fail nothing. Fixtures count apart, with the test that needed them first. Linux alone has the figures.
"""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

BOUND = 30.0
"""Seconds beyond which a test without the mark `slow` is named: twice what the dearest takes on a quiet machine."""
OFTEN = 0.25
"""Seconds between two looks at the processes, which are a millisecond each."""
SHOWN = 20
GROWN = 50 << 20
"""Bytes by which a worker has grown with a test that is named for it."""
M_MMAP_THRESHOLD, MAPPED = -3, 1 << 20
PROC = Path("/proc")


def family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    for path in (PROC / str(pid) / "task").glob("*/children"):
        for child in _text(path).split():
            yield from family(int(child))


def spent() -> float:
    """Seconds of CPU time of this process and its descendants, also of those that have ended."""
    ticks = 0
    for pid in family(os.getpid()):
        _, _, fields = _text(PROC / str(pid) / "stat").rpartition(")")
        ticks += sum(map(int, fields.split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(_text(PROC / "self" / "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _text(path: Path) -> str:
    """What a file of a process says: nothing once the process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def return_large_blocks() -> None:
    """Let glibc map each large block, and unmap it when it is freed. By itself it learns to cut blocks of up to 32 MB from
    the arenas of threads, each of which then retains one."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED)


class Measured:
    """In a worker: notes with each test what its phases have cost, and collects the garbage of those that used much."""

    def __init__(self) -> None:
        self._at, self._before = 0.0, 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._phase(item, "setup"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._phase(item, "teardown"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        memory = resident()
        try:
            return (yield from self._phase(item, "call"))
        finally:
            if resident() - memory > GROWN:
                gc.collect()
            if (more := resident() - memory) > GROWN:
                item.user_properties.append(("grown", more))

    def _phase(self, item: pytest.Item, phase: str) -> Generator[None, Any, Any]:
        begun = time.monotonic()
        if begun - self._at > OFTEN:
            self._at, self._before = begun, spent()
        try:
            return (yield)
        finally:
            if time.monotonic() - begun > OFTEN:
                now = spent()
                # Chromium's renderers, which no one waits for, take their seconds with them.
                cost = max(0.0, now - self._before)
                item.user_properties.append((f"cpu of {phase}", cost))
                self._at, self._before = time.monotonic(), now


def _noted(report: pytest.TestReport, what: str) -> float:
    return sum(float(str(value)) for name, value in report.user_properties if name == what)


class Budget:
    """Where results arrive: prints the dearest files and tests, and those beyond the bound."""

    def __init__(self) -> None:
        self.by_test: dict[str, float] = {}
        self.by_file: defaultdict[str, float] = defaultdict(float)
        self.by_folder: defaultdict[str, float] = defaultdict(float)
        self.fixtures: defaultdict[str, float] = defaultdict(float)
        self.beyond: dict[str, float] = {}
        self.grown: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        seconds = _noted(report, f"cpu of {report.when}")
        file = report.nodeid.partition("::")[0]
        self.by_folder[f"{Path(file).parent}/"] += seconds
        if report.when != "call":
            self.fixtures[file] += seconds
            return
        if more := _noted(report, "grown"):
            self.grown[report.nodeid] = int(more)
        self.by_test[report.nodeid] = seconds
        self.by_file[file] += seconds
        if seconds > BOUND and "slow" not in report.keywords:
            self.beyond[report.nodeid] = seconds

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        calls, fixtures = sum(self.by_file.values()), sum(self.fixtures.values())
        terminalreporter.section(f"CPU seconds: {calls:.0f} in calls, {fixtures:.0f} in fixtures")
        kinds: dict[str, dict[str, float]] = {
            "folders, with fixtures": self.by_folder,
            "calls by file": self.by_file,
            "fixtures by the file that was first": self.fixtures,
            "calls": self.by_test,
        }
        for title, counted in kinds.items():
            dear = sorted(counted, key=counted.__getitem__, reverse=True)[:SHOWN]
            lines = [f"{counted[name]:7.1f}  {name}" for name in dear if counted[name] >= 1]
            for line in [f"{title}:", *lines] if lines else ():
                terminalreporter.write_line(line)
        for name in sorted(self.grown, key=self.grown.__getitem__, reverse=True)[:SHOWN]:
            terminalreporter.write_line(
                f"memory: {self.grown[name] >> 20:,} MiB retained by {name}"
            )
        for name, seconds in self.beyond.items():
            terminalreporter.write_line(
                f"over budget: {seconds:.1f} s of CPU time, over {BOUND:g} without the mark slow: {name}"
            )


def measure(config: pytest.Config) -> None:
    """Measure the tests of a run."""
    if not (PROC / "self" / "task" / str(os.getpid()) / "children").exists():
        return
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.getoption("dist", "no") == "no":
        return_large_blocks()
        config.pluginmanager.register(Measured())
    if not is_worker:
        config.pluginmanager.register(Budget())
