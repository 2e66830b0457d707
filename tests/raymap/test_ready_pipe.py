"""How a process reports that it is ready or cannot start, to its parent or to people."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
import typer

from raymap import ready_pipe
from raymap.errors import CommandError
from raymap.ready_pipe import (
    ReadyPipe,
    StartRejected,
    addresses_in,
    exit_on_error,
    read_ready_line,
    receive_ready,
)

ADDRESSES = {"udp": "127.0.0.1:2000", "http": "http://127.0.0.1:2000"}


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """The reading and the writing end; the test process does not end with its parent."""
    monkeypatch.setattr(ready_pipe, "_stop_with_parent", lambda: None)
    reading, writing = os.pipe()
    return reading, writing


def received(reading: int) -> dict[str, str] | None:
    return asyncio.run(receive_ready(reading, 5.0))


def test_a_child_reports_its_addresses(pipe: tuple[int, int]) -> None:
    ReadyPipe(pipe[1], "collecting").ready(ADDRESSES)
    assert received(pipe[0]) == ADDRESSES


def test_a_child_reports_why_it_cannot_start(pipe: tuple[int, int]) -> None:
    with pytest.raises(typer.Exit) as ended, exit_on_error(pipe[1]):
        raise CommandError("UDP port 2000 is taken.")
    assert ended.value.exit_code == 1
    with pytest.raises(StartRejected, match="UDP port 2000 is taken"):
        received(pipe[0])


def test_a_child_that_ends_reports_nothing(pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    assert received(pipe[0]) is None


def test_a_child_that_says_nothing_is_not_waited_for_for_ever(pipe: tuple[int, int]) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(receive_ready(pipe[0], 0.05))
    os.close(pipe[1])


def test_after_the_start_errors_go_to_people(
    pipe: tuple[int, int], capfd: pytest.CaptureFixture[str]
) -> None:
    child = ReadyPipe(pipe[1], "collecting")
    child.ready(ADDRESSES)
    child.refused("ClickHouse is gone.")
    assert received(pipe[0]) == ADDRESSES
    assert capfd.readouterr().err == "raymap: ClickHouse is gone.\n"


def test_without_a_parent_the_ready_line_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """On standard output for programs, in words on standard error for people."""
    ReadyPipe(None, "collecting").ready(ADDRESSES)
    printed = capfd.readouterr()
    assert read_ready_line(printed.out.splitlines(keepends=True)) == ADDRESSES
    assert printed.err == ("raymap: collecting: udp 127.0.0.1:2000 · http http://127.0.0.1:2000\n")


def test_the_ready_line_is_found_among_others() -> None:
    lines = ["warming up\n", "raymap ready " + json.dumps(ADDRESSES) + "\n", "raymap ready {}\n"]
    assert read_ready_line(lines) == ADDRESSES
    assert read_ready_line(["warming up\n"]) is None


def test_debugging_shows_the_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYMAP_LOG_LEVEL", "debug")
    with pytest.raises(ZeroDivisionError), exit_on_error():
        raise ZeroDivisionError


def test_lines_of_the_pipe() -> None:
    assert addresses_in(b"") is None
    assert addresses_in(b'{"ready": {"udp": "a:1"}}\n') == {"udp": "a:1"}
    with pytest.raises(StartRejected, match="no room"):
        addresses_in(b'{"refused": "no room"}\n')
