"""Starts the processes of `raymap serve`, restarts those that die, and stops them, doors first.

A child says that its doors are open with one JSON line on an inherited pipe (`--supervised FD`):
`{"ready": {"udp": "127.0.0.1:2000"}}`, or `{"refused": "one sentence"}` when starting again would
not help, such as a port that is taken. Its standard input is a pipe that ends when the supervisor
dies, however it dies; then the child stops by itself. Children have sessions of their own, so
that Ctrl-C reaches the supervisor alone and the order of stopping holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
DEATHS, WITHIN = 5, 60.0
"""So many deaths within so many seconds, and the supervisor gives up."""
START_TIMEOUT = 90.0
STOP_TIMEOUT = 20.0

Answer = TypeVar("Answer")


class CommandError(Exception):
    """The whole cannot run; the message is one sentence for people."""


class Stopped(Exception):
    """A signal asked for the end before everything had started."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child: what it is called and how it is started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    essential: bool = True
    """Whether the others are stopped when it cannot be kept alive."""


class Supervisor:
    """`start` each role, `wait` for the end, `stop` in an order. Lives inside one event loop."""

    def __init__(self, *, on_death: Callable[[int], None] = lambda pid: None) -> None:
        self._on_death = on_death
        self._children: dict[str, _Child] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._stop, self._kill = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        self._failure: asyncio.Future[None] = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            print_status("stopping at once")
            self._kill.set()
        else:
            print_status("stopping, doors first (once more: at once)")
            self._stop.set()

    async def start(self, role: ChildSpec) -> dict[str, str]:
        """Start a role for the first time; its doors, once they are open."""
        child = self._children[role.name] = _Child(role)
        await child.spawn()
        try:
            doors = await self.unless_stopped(child.ready())
        except StartRejected as refusal:
            raise CommandError(str(refusal)) from None
        except StartFailed:
            raise CommandError(f"{child.end()} while it started.{child.last_words()}") from None
        self._keepers[role.name] = asyncio.create_task(self._keep(child))
        return doors

    async def unless_stopped(self, work: Awaitable[Answer]) -> Answer:
        """The answer; or Stopped, as soon as a signal arrives."""
        working: asyncio.Future[Answer] = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        ends: list[asyncio.Future[Any]] = [working, stopping]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            working.cancel()
            raise Stopped
        return working.result()

    async def wait(self) -> None:
        """Return when a signal asks for the end; raise GaveUp when a child cannot be kept alive."""
        stopping = asyncio.ensure_future(self._stop.wait())
        ends: list[asyncio.Future[Any]] = [stopping, self._failure]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._failure.done():
            self._failure.result()

    async def stop(self, *stages: Sequence[str]) -> bool:
        """Stop the roles, one stage after the other; whether everything ended by itself."""
        for keeper in self._keepers.values():
            keeper.cancel()
        orderly = True
        for stage in stages:
            children = [self._children[name] for name in stage if name in self._children]
            ends = await asyncio.gather(*(child.stop(self._kill) for child in children))
            orderly = orderly and all(ends)
        return orderly

    async def _keep(self, child: _Child) -> None:
        """Restart one child for as long as that makes sense."""
        name = child.role.name
        deaths: list[float] = []
        while True:
            await child.ended()
            self._on_death(child.pid)
            if not child.role.essential and child.code == 0:
                return
            now = time.monotonic()
            deaths = [death for death in deaths if now - death < WITHIN] + [now]
            if len(deaths) >= DEATHS:
                self._give_up(child)
                return
            delay = min(FIRST_DELAY * 2 ** (len(deaths) - 1), LONGEST_DELAY)
            print_status(f"{child.end()}; starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            await child.spawn()
            with contextlib.suppress(
                StartFailed, StartRejected
            ):  # either way its end is what counts
                await child.ready()
                print_status(f"{name} is back")

    def _give_up(self, child: _Child) -> None:
        sentence = f"{child.end()}, the {DEATHS}th time within a minute.{child.last_words()}"
        if not child.role.essential:
            print_status(f"{sentence} Going on without it.")
        elif not self._failure.done():
            self._failure.set_exception(CommandError(sentence))


class StartRejected(Exception):
    """The child said why it cannot start."""


class StartFailed(Exception):
    """The child ended, or stayed silent, before it was ready."""


class _Child:
    """One role's process: the one that runs now."""

    def __init__(self, role: ChildSpec) -> None:
        self.role = role
        self._process: asyncio.subprocess.Process | None = None
        self._said = b""
        self._refusal = ""

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def code(self) -> int | None:
        return self.process.returncode

    async def spawn(self) -> None:
        ours, theirs = os.pipe()
        self._said, self._refusal = b"", ""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.role.command,
                "--supervised",
                str(theirs),
                stdin=asyncio.subprocess.PIPE,
                stdout=sys.stderr.fileno(),  # our own stdout carries the ready line only
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(theirs,),
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": _python_path(), **self.role.environment},
            )
        finally:
            os.close(theirs)
        self._ready_pipe = ours
        self._forwarding = asyncio.create_task(self._forward_stderr())

    async def ready(self) -> dict[str, str]:
        """Its doors. Raises Refused or Died."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        pipe = os.fdopen(self._ready_pipe, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            line = await asyncio.wait_for(reader.readline(), START_TIMEOUT)
        except TimeoutError:
            self.process.kill()
            line = b""
        finally:
            transport.close()
        if not line:
            await self.ended()
            raise StartFailed
        message = json.loads(line)
        if "refused" in message:
            await self.ended()
            self._refusal = message["refused"]
            raise StartRejected(self._refusal)
        doors: dict[str, str] = message["ready"]
        return doors

    async def ended(self) -> None:
        await self.process.wait()
        await self._forwarding

    async def stop(self, kill: asyncio.Event) -> bool:
        """SIGTERM, patience, SIGKILL; whether the first was enough."""
        if self._process is None or self.code is not None:
            return True
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        waiting, killing = asyncio.ensure_future(self.ended()), asyncio.ensure_future(kill.wait())
        await asyncio.wait(
            {waiting, killing}, timeout=STOP_TIMEOUT, return_when=asyncio.FIRST_COMPLETED
        )
        killing.cancel()
        orderly = waiting.done()
        if not orderly:
            print_status(f"{self.role.name} did not stop and is killed")
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await waiting
        return orderly

    def end(self) -> str:
        code = self.code
        if code is not None and code < 0:
            return f"{self.role.name} was killed by {signal.Signals(-code).name}"
        return f"{self.role.name} ended with exit code {code}"

    def last_words(self) -> str:
        lines = self._said.decode(errors="replace").strip().splitlines()
        said = self._refusal or (lines[-1].strip() if lines else "")
        return f" It said: {said}" if said else ""

    async def _forward_stderr(self) -> None:
        """Pass on what it writes, whole lines at a time, and remember the end of it."""
        assert self.process.stderr is not None
        rest = b""
        while chunk := await self.process.stderr.read(65536):
            self._said = (self._said + chunk)[-4096:]
            lines, feed, rest = (rest + chunk).rpartition(b"\n")
            _write_stderr(lines + feed)
        _write_stderr(rest)


class ReadyPipe:
    """The child's side: tells the supervisor how the start went, and stops when it is gone.

    Without a supervisor (no file descriptor) `ready` calls `alone` instead."""

    def __init__(self, fd: int | None, alone: Callable[[Mapping[str, str]], None]) -> None:
        self._fd, self._alone = fd, alone
        if fd is not None:
            os.set_inheritable(fd, False)
            threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()

    def ready(self, doors: Mapping[str, str]) -> None:
        if self._fd is None:
            self._alone(doors)
        else:
            self._tell({"ready": dict(doors)})

    def refused(self, sentence: str) -> None:
        """For the supervisor to repeat; without one, or after a start, it is said here."""
        if self._fd is None:
            print_status(sentence)
        else:
            self._tell({"refused": sentence})

    def _tell(self, message: Mapping[str, object]) -> None:
        assert self._fd is not None
        with contextlib.suppress(OSError):
            os.write(self._fd, json.dumps(message).encode() + b"\n")
            os.close(self._fd)
        self._fd = None


def _stop_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nobody reads what we would say while draining
    os.kill(os.getpid(), signal.SIGTERM)


def print_status(sentence: str) -> None:
    """One line for people."""
    _write_stderr(f"raymap: {sentence}\n".encode())


def _write_stderr(data: bytes) -> None:
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(2, data) :]


def _python_path() -> str:
    """PYTHONPATH that makes a child import this very source tree or installation first."""
    root = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([root, inherited] if inherited else [root])
