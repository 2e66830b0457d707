"""A shop with an hour of its past, in which nothing goes wrong but one bad deployment.

The demo's traffic, in a server of its own. What is usual is learnt from an hour, and a problem is judged minute by minute:
five minutes after the deployment its problem is on the map.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.server import running
from raymap.demo.alarms import put_alarm
from raymap.demo.clock import Calendar, Change
from raymap.demo.declared import put_declaration
from raymap.demo.deployments import Deployments
from raymap.demo.main import Stage
from raymap.demo.sender import Sender
from raymap.demo.story import Story

RATE = 3.0
PAST_SECONDS = 80 * 60.0
CALM_SECONDS, ILL_SECONDS = 100.0, 280.0
VERSION = 42
SHARE = 0.6
"""Of the requests that get the new version."""


class OneDeployment(Calendar):
    """A bad version, when it comes; nothing else goes wrong."""

    deployed = float("inf")

    def just_deployed(self, at: float) -> bool:
        """For a moment."""
        return 0 <= at - self.deployed < 40

    def version(self, at: float) -> str:
        """The shop's, too."""
        return f"1.{self.function_version(at, 0.0)}.0"

    def function_version(self, at: float, lot: float = 1.0) -> int:
        """The bad one until the end."""
        return VERSION if at >= self.deployed and lot < SHARE else VERSION - 1

    def is_bad(self, version: int) -> bool:
        """One is."""
        return version == VERSION

    def latest_change(self, at: float) -> Change:
        """The only one."""
        return Change(self.deployed, VERSION, "canary")

    def _within(self, at: float, every: float, lasts: float, offset: float = 0.0) -> bool:
        return False


class Traffic:
    """The demo's traffic: the past first, then what comes."""

    def __init__(self, udp: str, calendar: Calendar) -> None:
        now = time.time()
        story = Story(7, RATE, calendar)
        self._stage = Stage(story.forward(now), story.backward(now, PAST_SECONDS), Sender(udp))
        self.filled = threading.Event()

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Sends until the block ends, and goes on in the next one."""
        ended = threading.Event()
        thread = threading.Thread(target=self._run, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            if pause := self._stage.act(time.time()):
                self.filled.set()
                time.sleep(pause)


@contextmanager
def calm_shop(data: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the address of a server with calm traffic, and a function that deploys the bad version and waits until its
    problem is known. ``data``: the folder of the server's data."""
    calendar = OneDeployment()
    with running(data=data) as server:
        port = server.udp[1]
        udp = f"127.0.0.1:{port}"
        traffic = Traffic(udp, calendar)
        with traffic.flowing():
            traffic.filled.wait()
            time.sleep(10)

    def deploy() -> None:
        calendar.deployed = time.time()
        Deployments(udp, calendar).report(calendar.deployed)
        time.sleep(ILL_SECONDS)

    # Started again, it learns what is usual from the whole hour.
    with running(["--port", str(port)], data=data) as server, traffic.flowing():
        put_alarm(udp)
        put_declaration(udp)
        time.sleep(CALM_SECONDS)
        yield server.http, deploy
