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
from unittest.mock import patch

from bench.server import running
from raymap.demo import clock
from raymap.demo.alarms import put_alarm
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


class Deployment:
    """When the bad version came; the demo's own misfortunes do not happen."""

    at = float("inf")

    @contextmanager
    def in_the_demo(self) -> Iterator[None]:
        """Replaces the demo's clock of misfortunes."""

        def version(at: float, lot: float = 1.0) -> int:
            return VERSION if at >= self.at and lot < SHARE else VERSION - 1

        with patch.multiple(
            clock,
            payments_ailing=lambda _: False,
            orders_table_hot=lambda _: False,
            gateway_flooded=lambda _: False,
            just_deployed=lambda at: 0 <= at - self.at < 40,
            version=lambda at: f"1.{version(at, 0.0)}.0",
            function_version=version,
            is_bad=lambda number: number == VERSION,
            last_deployment=lambda _: self.at,
        ):
            yield


class Traffic:
    """The demo's traffic: the past first, then what comes."""

    def __init__(self, udp: str) -> None:
        now = time.time()
        story = Story(7, RATE)
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
    deployment = Deployment()
    with deployment.in_the_demo():
        with running(data=data) as server:
            port = server.udp[1]
            udp = f"127.0.0.1:{port}"
            traffic = Traffic(udp)
            with traffic.flowing():
                traffic.filled.wait()
                time.sleep(10)

        def deploy() -> None:
            deployment.at = time.time()
            Deployments(udp).report(deployment.at)
            time.sleep(ILL_SECONDS)

        # Started again, it learns what is usual from the whole hour.
        with running(["--port", str(port)], data=data) as server, traffic.flowing():
            put_alarm(udp)
            put_declaration(udp)
            time.sleep(CALM_SECONDS)
            yield server.http, deploy
