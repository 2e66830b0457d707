"""Starts the processes of `raymap serve`, restarts those that die, and stops them in an order.

A child reports its start through a ready pipe, and ends when its standard input does
(`raymap.ready_pipe`). Children have sessions of their own, so that Ctrl-C reaches the supervisor
alone and it decides the order of stopping.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from raymap.errors import CommandError, print_status, relay_stderr
from raymap.ready_pipe import StartFailed, StartRejected, receive_ready

FIRST_DELAY, MAX_DELAY = 0.2, 5.0
"""Seconds before a restart; doubled with each death of the last `DEATHS_WINDOW` seconds."""
MAX_DEATHS, DEATHS_WINDOW = 5, 60.0
"""A child that is not essential is given up after so many deaths within so many seconds."""
START_TIMEOUT = 90.0
STOP_TIMEOUT = 20.0

Result = TypeVar("Result")


class Stopped(Exception):
    """A signal requested the end before everything had started."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child: its name, its command line and environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    essential: bool = True
    """Whether it is started again however often it dies, and even if it ended with 0."""
    reloads: bool = False
    """Whether it reads its files again on SIGHUP."""


class Supervisor:
    """`start` each child, `wait` for the end, `stop` them in stages. Lives inside one event loop."""

    def __init__(
        self,
        *,
        stop_timeout: float = STOP_TIMEOUT,
        on_death: Callable[[str], None] = lambda name: None,
        forward_hangup: bool = False,
    ) -> None:
        """``on_death`` is called with the name of a child that has ended. ``forward_hangup``: SIGHUP goes to
        the children, which read their files again; without it SIGHUP stops everything, like SIGTERM."""
        self._stop_timeout, self._on_death = stop_timeout, on_death
        self._children: dict[str, _Child] = {}
        self._restarters: dict[str, asyncio.Task[None]] = {}
        self._stop, self._kill = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        if forward_hangup:
            loop.add_signal_handler(signal.SIGHUP, self._forward_hangup)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            print_status("stopping at once")
            self._kill.set()
        else:
            print_status("stopping, receivers first (signal again to stop at once)")
            self._stop.set()

    def _forward_hangup(self) -> None:
        for child in self._children.values():
            if child.spec.reloads and child.running:
                child.process.send_signal(signal.SIGHUP)

    async def start(self, spec: ChildSpec) -> dict[str, str]:
        """Start a child for the first time; its addresses, once it is ready. CommandError when it cannot
        start: what is wrong then is its settings or this machine, and no restart would help."""
        child = self._children[spec.name] = _Child(spec, self._stop_timeout)
        await child.spawn()
        try:
            addresses = await self.unless_stopped(child.ready())
        except StartRejected as refusal:
            raise CommandError(str(refusal)) from None
        except StartFailed:
            raise CommandError(f"{child.end()} while it started.{child.last_words()}") from None
        self._restarters[spec.name] = asyncio.create_task(self._keep_running(child))
        return addresses

    async def unless_stopped(self, work: Awaitable[Result]) -> Result:
        """The result; or Stopped, as soon as a signal arrives."""
        working: asyncio.Future[Result] = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        ends: list[asyncio.Future[Any]] = [working, stopping]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            working.cancel()
            raise Stopped
        return working.result()

    async def wait(self) -> None:
        """Return on a signal."""
        await self._stop.wait()

    async def stop(self, *stages: Sequence[str]) -> bool:
        """Stop the named children, one stage after the other; whether none had to be killed."""
        for restarter in self._restarters.values():
            restarter.cancel()
        orderly = True
        for stage in stages:
            children = [self._children[name] for name in stage if name in self._children]
            ends = await asyncio.gather(*(child.stop(self._kill) for child in children))
            orderly = orderly and all(ends)
        return orderly

    async def _keep_running(self, child: _Child) -> None:
        """Restart one child, with growing delays: whatever ends an essential one, such as a full disk,
        may end itself."""
        deaths: list[float] = []
        while True:
            await child.ended()
            self._on_death(child.spec.name)
            if not child.spec.essential and child.code == 0:
                return
            now = time.monotonic()
            deaths = [death for death in deaths if now - death < DEATHS_WINDOW] + [now]
            if not child.spec.essential and len(deaths) >= MAX_DEATHS:
                times = f"the {MAX_DEATHS}th time within a minute"
                print_status(f"{child.end()}, {times}.{child.last_words()} Going on without it.")
                return
            delay = min(FIRST_DELAY * 2 ** (len(deaths) - 1), MAX_DELAY)
            print_status(f"{child.end()}; starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            await self._restart(child)

    async def _restart(self, child: _Child) -> None:
        """If it fails, the child has ended: the next round follows."""
        name = child.spec.name
        try:
            await child.spawn()
            await child.ready()
            print_status(f"{name} is back")
        except StartRejected as refusal:
            print_status(f"{name} cannot start: {refusal}")
        except StartFailed:
            pass  # said with the next restart
        except OSError as error:  # no memory, process or descriptor for it
            print_status(f"{name} cannot be started: {error.strerror or error}")


class _Child:
    """The current process of a ChildSpec."""

    def __init__(self, spec: ChildSpec, stop_timeout: float) -> None:
        self.spec = spec
        self._stop_timeout = stop_timeout
        self._process: asyncio.subprocess.Process | None = None
        self._output = b""
        self._refusal, self._late = "", False

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def code(self) -> int | None:
        return self.process.returncode

    async def spawn(self) -> None:
        ours, theirs = os.pipe()
        self._output, self._refusal, self._late = b"", "", False
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.spec.command,
                "--supervised",
                str(theirs),
                stdin=asyncio.subprocess.PIPE,
                stdout=sys.stderr.fileno(),  # our own stdout carries the ready line only
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(theirs,),
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": _python_path(), **self.spec.environment},
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._ready_pipe = ours
        self._forwarding = asyncio.create_task(self._forward_stderr())

    async def ready(self) -> dict[str, str]:
        """Its addresses. Raises StartRejected or StartFailed, when it has ended."""
        try:
            addresses = await receive_ready(self._ready_pipe, START_TIMEOUT)
        except TimeoutError:
            self._late = True
            self.process.kill()
            addresses = None
        except StartRejected as refusal:
            await self.ended()
            self._refusal = str(refusal)
            raise
        if addresses is None:
            await self.ended()
            raise StartFailed
        return addresses

    async def ended(self) -> None:
        await self.process.wait()
        await self._forwarding

    async def stop(self, kill: asyncio.Event) -> bool:
        """SIGTERM, and SIGKILL after the timeout; whether the first was enough."""
        if self._process is None or self.code is not None:
            return True
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        waiting, killing = asyncio.ensure_future(self.ended()), asyncio.ensure_future(kill.wait())
        await asyncio.wait(
            {waiting, killing}, timeout=self._stop_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        killing.cancel()
        orderly = waiting.done()
        if not orderly:
            print_status(f"{self.spec.name} did not stop and is killed")
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await waiting
        return orderly

    def end(self) -> str:
        """How it ended, in words."""
        code = self.code
        if self._late:
            return f"{self.spec.name} was not ready within {START_TIMEOUT:g} s and was killed"
        if code is not None and code < 0:
            return f"{self.spec.name} was killed by {signal.Signals(-code).name}"
        return f"{self.spec.name} ended with exit code {code}"

    def last_words(self) -> str:
        """Its reason for not starting, or the last line of its output."""
        lines = self._output.decode(errors="replace").strip().splitlines()
        last = self._refusal or (lines[-1].strip() if lines else "")
        return f" Its last output: {last}" if last else ""

    async def _forward_stderr(self) -> None:
        """Pass its output on in whole lines, and remember the last 4 KiB."""
        assert self.process.stderr is not None
        rest = b""
        while chunk := await self.process.stderr.read(65536):
            self._output = (self._output + chunk)[-4096:]
            lines, feed, rest = (rest + chunk).rpartition(b"\n")
            relay_stderr(lines + feed, self.spec.name)
        relay_stderr(rest, self.spec.name)


def _python_path() -> str:
    """PYTHONPATH that makes a child import this very source tree or installation first."""
    root = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([root, inherited] if inherited else [root])
