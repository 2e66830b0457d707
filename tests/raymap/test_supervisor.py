"""Children are started once, restarted when they die, and stopped in an order."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from raymap import supervisor
from raymap.errors import CommandError
from raymap.supervisor import ChildSpec, Stopped, Supervisor

REPORT = """
import os, signal, sys, time
fd = int(sys.argv[-1])
def report(line):
    os.write(fd, line.encode() + b"\\n")
    os.close(fd)
"""
READY = """report('{"ready": {"udp": "127.0.0.1:2000"}}')\n"""
STAYS = READY + "signal.pause()"


def child(name: str, script: str, **more: Any) -> ChildSpec:
    return ChildSpec(name, [sys.executable, "-S", "-E", "-c", REPORT + script], **more)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(supervisor, "MAX_DELAY", 0.1)
    monkeypatch.setattr(supervisor, "MAX_DEATHS", 3)


def test_a_child_reports_where_it_listens_and_ends_when_stopped() -> None:
    async def scenario() -> None:
        children = Supervisor()
        assert await children.start(child("udp", STAYS)) == {"udp": "127.0.0.1:2000"}
        assert await children.stop(["udp", "unknown"])

    run(scenario)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("""report('{"refused": "Port 1 is in use."}')""", "Port 1 is in use."),
        ("sys.exit(3)", "udp ended with exit code 3 while it started."),
        (
            "print('a line'); print('no room', file=sys.stderr); sys.exit(1)",
            "udp ended with exit code 1 while it started. Its last output: no room",
        ),
        ("os.kill(os.getpid(), 9)", "udp was killed by SIGKILL while it started."),
    ],
)
def test_a_child_that_cannot_start_is_explained(script: str, says: str) -> None:
    async def scenario() -> None:
        children = Supervisor()
        with pytest.raises(CommandError) as refusal:
            await children.start(child("udp", script))
        assert str(refusal.value) == says
        assert await children.stop(["udp"]), "nothing is left to stop"

    run(scenario)


def test_a_child_that_is_not_ready_in_time_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the time it had, not by the signal that the supervisor ended it with."""
    monkeypatch.setattr(supervisor, "START_TIMEOUT", 0.1)

    async def scenario() -> None:
        children = Supervisor()
        with pytest.raises(CommandError) as refusal:
            await children.start(child("udp", "time.sleep(60)"))
        assert (
            str(refusal.value) == "udp was not ready within 0.1 s and was killed while it started."
        )

    run(scenario)


def test_a_child_that_dies_is_started_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its death is reported with its name, for its gauges to be forgotten."""
    again = tmp_path / "again"
    script = f"""
import pathlib
before = pathlib.Path({str(again)!r})
if before.exists():
{"    " + STAYS.replace(chr(10), chr(10) + "    ")}
before.touch()
{READY}
sys.exit(7)"""

    async def scenario() -> None:
        deaths: list[str] = []
        children = Supervisor(on_death=deaths.append)
        await children.start(child("udp", script))
        first = children._children["udp"].pid
        while "udp is back" not in capfd.readouterr().err:
            await asyncio.sleep(0.01)
        assert deaths == ["udp"]
        assert children._children["udp"].pid != first
        assert await children.stop(["udp"])

    run(scenario)


DIES_UNTIL = """
import pathlib
if not pathlib.Path({mended!r}).exists():
    {dies}
"""


@pytest.mark.parametrize(
    ("dies", "says"),
    [
        ("os.kill(os.getpid(), signal.SIGBUS)", "udp was killed by SIGBUS; starting it again in"),
        ('report(\'{"refused": "No space."}\'); sys.exit(1)', "udp cannot start: No space."),
    ],
)
def test_an_essential_child_is_never_given_up(
    dies: str, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither if it keeps dying nor if it cannot start again: a full disk makes it do both, and ends."""
    mended = tmp_path / "mended"
    mended.touch()

    async def scenario() -> None:
        children = Supervisor()
        script = DIES_UNTIL.format(mended=str(mended), dies=dies) + STAYS
        await children.start(child("udp", script))
        mended.unlink()
        children._children["udp"].process.kill()
        said = ""
        while said.count(says) < 2 * supervisor.MAX_DEATHS:
            said += capfd.readouterr().err
            await asyncio.sleep(0.01)
        mended.touch()
        while "udp is back" not in said:
            said += capfd.readouterr().err
            await asyncio.sleep(0.01)
        assert await children.stop(["udp"])

    run(scenario)


def test_a_child_for_which_there_is_no_process_is_started_later(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No descriptor is lost meanwhile."""
    start = asyncio.create_subprocess_exec

    async def refuse(*_: Any, **__: Any) -> Any:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    async def scenario() -> None:
        children = Supervisor()
        await children.start(child("udp", STAYS))
        descriptors = psutil.Process().num_fds()
        monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
        children._children["udp"].process.kill()
        said = ""
        while said.count("udp cannot be started: Resource temporarily unavailable") < 5:
            said += capfd.readouterr().err
            await asyncio.sleep(0.01)
        assert psutil.Process().num_fds() <= descriptors
        monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
        while "udp is back" not in said:
            said += capfd.readouterr().err
            await asyncio.sleep(0.01)
        assert await children.stop(["udp"])

    run(scenario)


def test_another_child_is_given_up(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        children = Supervisor()
        await children.start(child("demo", READY + "sys.exit(1)", essential=False))
        said = ""
        while "Going on without it." not in said:
            said += capfd.readouterr().err
            await asyncio.sleep(0.01)
        await children._restarters["demo"]
        await children.stop(["demo"])

    run(scenario)


def test_another_child_may_finish() -> None:
    async def scenario() -> None:
        children = Supervisor()
        await children.start(child("demo", READY, essential=False))
        await children._restarters["demo"]
        assert children._children["demo"].code == 0
        assert await children.stop(["demo"])

    run(scenario)


def test_a_child_that_does_not_stop_is_killed() -> None:
    async def scenario() -> None:
        children = Supervisor(stop_timeout=0.05)
        stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + "time.sleep(60)"
        await children.start(child("udp", stubborn))
        assert not await children.stop(["udp"])
        assert children._children["udp"].code == -signal.SIGKILL

    run(scenario)


def test_stages_stop_one_after_the_other(tmp_path: Path) -> None:
    """The next stage has its SIGTERM when the one before has ended, however long that takes."""
    log = tmp_path / "log"

    def ends(name: str, seconds: float) -> str:
        return f"""
def stop(*_):
    time.sleep({seconds})
    with open({str(log)!r}, "a") as file:
        file.write("{name} ")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
{STAYS}"""

    async def scenario() -> None:
        children = Supervisor()
        await asyncio.gather(
            children.start(child("receivers", ends("receivers", 0.1))),
            children.start(child("clickhouse", ends("clickhouse", 0.0))),
        )
        assert await children.stop(["receivers"], ["clickhouse"])
        assert log.read_text() == "receivers clickhouse "

    run(scenario)


def test_a_signal_ends_the_wait_and_what_is_being_started() -> None:
    async def scenario() -> None:
        children = Supervisor()
        starting = asyncio.ensure_future(children.start(child("udp", "time.sleep(60)")))
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        await children.wait()
        with pytest.raises(Stopped):
            await starting
        os.kill(os.getpid(), signal.SIGTERM)  # again: at once
        await children._kill.wait()
        await children.stop(["udp"])
        assert children._children["udp"].code is not None

    run(scenario)


def test_output_is_passed_on_in_whole_lines(capfd: pytest.CaptureFixture[str]) -> None:
    script = (
        READY + "for part in ('one', ' line', chr(10), 'rest'):\n"
        "    print(part, end='', file=sys.stderr, flush=True)\n"
        "    time.sleep(0.01)"
    )

    async def scenario() -> None:
        children = Supervisor()
        await children.start(child("udp", script, essential=False))
        await children._restarters["udp"]

    run(scenario)
    assert "one line\nrest" in capfd.readouterr().err
