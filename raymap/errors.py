"""Errors that end a command with one sentence for people, and lines on standard error."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from datetime import UTC, datetime

_json_lines = False


def use_json_lines(wanted: bool) -> None:
    """Choose the form of what this process writes besides its log: words, or an event a line."""
    global _json_lines
    _json_lines = wanted


def writes_json() -> bool:
    """Whether programs read what this process writes."""
    return _json_lines


class CommandError(Exception):
    """The command cannot run or go on; the message is one sentence for people."""


def describe(error: Exception) -> str:
    """One sentence for any exception: our own message, or the driver's or the system's."""
    module = type(error).__module__
    if module.startswith("clickhouse_driver"):
        from store.clickhouse.connection.errors import first_line

        return f"ClickHouse says: {first_line(error)}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"Cannot use {os.fsdecode(error.filename)}: {error.strerror}."
    text = str(error) or type(error).__name__
    ours = module.startswith(("__main__", "raymap", "store."))
    return text if ours else f"{type(error).__name__}: {text}"


def print_status(sentence: str) -> None:
    """Write one line for people to standard error; an event where programs read it."""
    write_stderr(_event(sentence) if _json_lines else f"raymap: {sentence}\n".encode())


def relay_stderr(data: bytes, process: str) -> None:
    """Write lines of a child, of which libraries write some themselves, to standard error."""
    if _json_lines:
        lines = data.splitlines(keepends=True)
        data = b"".join(line if _is_event(line) else _event(line, process) for line in lines)
    write_stderr(data)


def _event(said: str | bytes, process: str = "") -> bytes:
    text = said if isinstance(said, str) else said.decode(errors="replace").rstrip()
    event = {
        "event": text,
        **({"process": process} if process else {}),
        "level": "info",
        "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    return json.dumps(event).encode() + b"\n" if text else b""


def _is_event(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def write_stderr(data: bytes) -> None:
    """Write everything to standard error, unbuffered; a closed one is ignored."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(2, data) :]


def require_package(package: str, what: str, extra: str) -> None:
    """CommandError when a package of an extra is not installed."""
    if importlib.util.find_spec(package) is None:
        install = f'pip install "raymap[{extra}]"'
        raise CommandError(f"{what} needs the package {package}: run  {install}")
