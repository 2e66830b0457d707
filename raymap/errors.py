"""Errors that end a command with one sentence for people, and status lines on standard error."""

from __future__ import annotations

import contextlib
import os


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
    """Write one line for people to standard error."""
    write_stderr(f"raymap: {sentence}\n".encode())


def write_stderr(data: bytes) -> None:
    """Write everything to standard error, unbuffered; a closed one is ignored."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(2, data) :]
