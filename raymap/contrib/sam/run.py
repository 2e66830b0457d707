"""`raymap sam -- local …`: runs AWS SAM CLI's local commands so that functions' traces arrive.

SAM's output and exit code pass through, and so do signals. Its standard error, where functions'
lines are, is read on the way.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NamedTuple

from raymap.contrib.sam.lines import SamOutput
from raymap.contrib.sam.relay import HOST, Relay, bridge_address
from raymap.contrib.sam.sender import Sender
from raymap.errors import CommandError, print_status, write_stderr
from raymap.processes import udp_address
from raymap.units import counted

COMMANDS = ("start-api", "start-lambda", "invoke")
DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
LONGEST = 1 << 20
"""Bytes of a line that are read; the rest of a longer one only passes through."""


class SamJob(NamedTuple):
    """What to run, and where its traces go."""

    words: Sequence[str]
    to: str
    daemon: str = ""
    """The address functions send to; '' for a relay on this machine."""
    listen: str = ""
    function: str = ""
    program: str = "sam"


def run_sam(job: SamJob) -> int:
    """Run SAM until it ends; its exit code."""
    program = _checked(job)
    relay = None if job.daemon else Relay(job.listen or bridge_address(), udp_address(job.to))
    address = f"{HOST}:{relay.port}" if relay else job.daemon
    output = SamOutput(job.function)
    sender = Sender(job.to, _region(os.environ))
    try:
        words = [program, *arguments(job.words, sys.platform, relayed=relay is not None)]
        code = _run(words, {**os.environ, DAEMON: address}, output, sender)
    finally:
        sender.close()
        if relay:
            relay.close()
    _summarize(job, output, sender, relay)
    return code


def _checked(job: SamJob) -> str:
    """The path of SAM. CommandError when it, or the command, is not there."""
    if len(job.words) < 2 or job.words[0] != "local" or job.words[1] not in COMMANDS:
        raise CommandError(
            f"Expected  raymap sam -- local {' | '.join(COMMANDS)} …, got: "
            f"{' '.join(job.words) or 'nothing'}."
        )
    program = shutil.which(job.program)
    if program is None:
        raise CommandError(
            f"There is no program {job.program}: install AWS SAM CLI (pip install aws-sam-cli), or "
            "name it with --sam."
        )
    return program


def arguments(words: Sequence[str], platform: str, *, relayed: bool) -> list[str]:
    """SAM's arguments: on Linux, containers have to be given the name of this machine."""
    known = any(HOST in word for word in words)
    if platform != "linux" or known or not relayed:
        return [*words]
    return [*words[:2], "--add-host", f"{HOST}:host-gateway", *words[2:]]


def _region(environment: Mapping[str, str]) -> str:
    """SAM's own default where the environment has none."""
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"


def _run(
    words: Sequence[str], environment: Mapping[str, str], output: SamOutput, sender: Sender
) -> int:
    child = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE)
    assert child.stderr is not None
    pump = threading.Thread(
        target=_pump, args=(child.stderr.fileno(), output, sender), name="sam-output", daemon=True
    )
    with _forwarding(child):
        pump.start()
        code = child.wait()
    pump.join(timeout=2)  # a container may keep the pipe open
    return code if code >= 0 else 128 - code


def _pump(fd: int, output: SamOutput, sender: Sender) -> None:
    """Pass standard error through as it comes, and read its lines."""
    rest = b""
    with suppress(OSError):
        while chunk := os.read(fd, 1 << 16):
            write_stderr(chunk)
            now = time.time_ns() // 1000
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[:LONGEST]
            for line in lines:
                sender.put(output.read(line.decode("utf-8", "replace").rstrip("\r"), now))
    if rest:
        sender.put(output.read(rest.decode("utf-8", "replace"), time.time_ns() // 1000))


@contextmanager
def _forwarding(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let signals reach SAM. A terminal sends its own to both, so those are not sent twice."""

    def forward(number: int, _: FrameType | None) -> None:
        if number in (signal.SIGTERM, signal.SIGHUP) or not _has_terminal():
            child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    """Whether this process is in the foreground of a terminal, as its child is."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _summarize(job: SamJob, output: SamOutput, sender: Sender, relay: Relay | None) -> None:
    functions = ", ".join(sorted(output.functions))
    sent = f"{counted(output.invocations, 'invocation')} of {functions} sent to {job.to}"
    print_status(sent if output.invocations else "no function was invoked")
    if sender.dropped:
        print_status(f"{counted(sender.dropped, 'line')} not sent: the server did not accept them")
    if relay and output.invocations and not relay.datagrams:
        print_status(
            f"no segment came from the functions: SAM passes {DAEMON} only to functions whose "
            "template declares it, and no trace header (docs/lambda.md, SAM local)"
        )
