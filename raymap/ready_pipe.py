"""How a child process reports its start: one JSON line, and how it ends when its parent dies.

A supervised child has `--supervised FD`, the writing end of a pipe, and writes one line to it:
`{"ready": {"udp": "127.0.0.1:2000"}}` once it accepts traffic, or `{"refused": "one sentence"}`
when a restart would not help, such as a port in use. Its standard input is a pipe that reaches end
of file when the parent dies, however it dies; the child then stops as on SIGTERM.

Without a parent the same line goes to standard output, as `raymap ready {…}`, for programs that
start one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping

import typer

from raymap.errors import describe, print_status, writes_json

Addresses = Mapping[str, str]
"""Where a process accepts traffic, by kind: udp, grpc, otlp, http, clickhouse."""


class StartRejected(Exception):
    """The child reported why it cannot start."""


class StartFailed(Exception):
    """The child ended, or reported nothing in time, before it was ready."""


class ReadyPipe:
    """The child's end. Without a file descriptor it reports on standard output and error."""

    def __init__(self, fd: int | None, doing: str) -> None:
        self._fd, self._doing = fd, doing
        if fd is not None:
            os.set_inheritable(fd, False)
            threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()

    def ready(self, addresses: Addresses) -> None:
        """Report that traffic is accepted at these addresses."""
        if self._fd is not None:
            self._send({"ready": dict(addresses)})
            return
        listed = " · ".join(f"{kind} {address}" for kind, address in addresses.items())
        print_status(f"{self._doing}: {listed}")
        print_ready_line(addresses)

    def refused(self, sentence: str) -> None:
        """Report a failed start to the parent; without one, or after the start, to people."""
        if self._fd is None:
            print_status(sentence)
        else:
            self._send({"refused": sentence})

    def _send(self, message: Mapping[str, object]) -> None:
        assert self._fd is not None
        with contextlib.suppress(OSError):
            os.write(self._fd, json.dumps(message).encode() + b"\n")
            os.close(self._fd)
        self._fd = None


async def receive_ready(fd: int, timeout: float) -> dict[str, str] | None:
    """The parent's end: the child's addresses, or None if the pipe closed without a line.

    Raises StartRejected with the child's sentence, TimeoutError after ``timeout`` seconds.
    """
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    try:
        line = await asyncio.wait_for(reader.readline(), timeout)
    finally:
        transport.close()
    return addresses_in(line)


def addresses_in(line: bytes) -> dict[str, str] | None:
    """What a child wrote to its ready pipe: its addresses, or None if it ended without a line.

    Raises StartRejected with the child's sentence.
    """
    if not line:
        return None
    message = json.loads(line)
    if "refused" in message:
        raise StartRejected(message["refused"])
    addresses: dict[str, str] = message["ready"]
    return addresses


READY = "raymap ready "


def read_ready_line(lines: Iterable[str]) -> dict[str, str] | None:
    """The addresses in the first ready line that a process prints; None if it ends before."""
    for line in lines:
        if line.startswith(READY):
            addresses: dict[str, str] = json.loads(line.removeprefix(READY))
            return addresses
        if line.startswith('{"ready":'):
            return addresses_in(line.encode())
    return None


def print_ready_line(addresses: Addresses) -> None:
    """`raymap ready {…}` on standard output, for the program that started this one; beside a log in
    JSON `{"ready": {…}}`, since containers write both to one stream."""
    form = '{"ready":%s}' if writes_json() else READY + "%s"
    with contextlib.suppress(BrokenPipeError):
        print(form % json.dumps(dict(addresses), separators=(",", ":")), flush=True)


@contextlib.contextmanager
def exit_on_error(supervised: int | None = None, doing: str = "") -> Iterator[ReadyPipe]:
    """Turn a failure into one sentence, for the parent if there is one, and exit code 1.

    With RAYMAP_LOG_LEVEL=debug the exception passes, with its traceback.
    """
    pipe = ReadyPipe(supervised, doing)
    try:
        yield pipe
    except typer.Exit:
        raise
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_left():
            raise  # which ends a command without a word
        if os.environ.get("RAYMAP_LOG_LEVEL") == "debug":
            raise
        pipe.refused(describe(error))
        raise typer.Exit(1) from None


def _reader_left() -> bool:
    """Whether standard output is a pipe that no process reads any more, as of `raymap logs | head`."""
    poll = select.poll()
    poll.register(1, 0)
    return any(state & select.POLLERR for _, state in poll.poll(0))


def _stop_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # its reading end died with the parent
    os.kill(os.getpid(), signal.SIGTERM)
