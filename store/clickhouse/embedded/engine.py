"""The child process that runs the engine until it is stopped.

It hands the engine one endless script: start the TCP listener, then insert from a FIFO that this
process has open for writing, which costs no CPU. Closing the FIFO ends the script, and with it the engine,
in the regular way. SIGTERM and SIGINT close the FIFO.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import is_transient
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded.folder import (
    EmbeddedError,
    EmbeddedSettings,
    address,
    in_use,
    lock,
    port_taken,
    prepare,
)
from store.clickhouse.embedded.library import load_engine

START_TIMEOUT = 60.0  # a cold page cache has to read a 530 MB library first


def run(settings: EmbeddedSettings, *, on_ready: Callable[[Address], None]) -> int:
    """Run the engine until it is stopped. The interpreter is unusable afterwards: exit with the result.

    Raises EmbeddedError when it cannot start."""
    os.umask(0o077)
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock_fd = lock(settings)  # before any file is touched: another process may be using them
    try:
        prepare(settings)
        opened = address(settings.data_dir)
        engine = _Engine(folder, replace(opened, database=""))
        engine.start(load_engine())  # changes the working folder
        on_ready(opened)
        return engine.wait()
    finally:
        os.close(lock_fd)


class _Engine:
    """The endless script, the FIFO that it reads from, and the pipe that wakes the main thread."""

    def __init__(self, folder: Path, endpoint: Address) -> None:
        self._folder, self._endpoint = folder, endpoint
        self._fifo = folder / "running.fifo"
        self._answer: str | None = None
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def start(self, library: Any) -> None:
        os.chdir(self._folder)  # where the engine looks for config.xml
        self._fifo.unlink(missing_ok=True)
        os.mkfifo(self._fifo, 0o600)
        self._hold = os.open(self._fifo, os.O_RDWR)  # O_RDWR: opening does not wait for a reader
        library.set_signal_handlers_enabled(False)  # or the engine replaces ours
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._thread = threading.Thread(target=self._query, args=(library,), daemon=True)
        with _CapturedStderr() as errors:
            self._thread.start()
            self._wait_until_listening()
        if self._answer is not None:
            raise EmbeddedError(_explain(errors.text, self._folder, self._endpoint.port))

    def _query(self, library: Any) -> None:
        sql = (
            "SYSTEM START LISTEN TCP;"
            "INSERT INTO FUNCTION null('line String') "
            f"FROM INFILE '{_sql_text(self._fifo)}' FORMAT LineAsString;"
            "SELECT 0"
        )
        try:
            self._answer = str(library.query(sql, "CSV")).strip()
        except Exception as error:  # the engine's exceptions have no common type
            self._answer = f"{error}"
        finally:
            self._wake()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while self._answer is None and not _answers(self._endpoint):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"The embedded ClickHouse did not start within {START_TIMEOUT:.0f} s; "
                    f"see {self._folder / 'server.log'}"
                )
            if select.select([self._wake_read], [], [], 0.02)[0]:
                self._stopping = os.read(self._wake_read, 64) != b"\0" or self._stopping

    def wait(self) -> int:
        """Sleep until a signal, the parent's end or the engine's own; then shut the engine down."""
        if not self._stopping:
            self._sleep()
        if self._answer is None:
            self._stopping = True
            os.close(self._hold)
            self._end_query()
        self._fifo.unlink(missing_ok=True)
        if self._stopping and self._answer == "0":
            return 0
        print(f"The embedded ClickHouse ended by itself: {self._answer}", file=sys.stderr)
        return 1

    def _sleep(self) -> None:
        while True:
            try:
                os.read(self._wake_read, 64)
                return
            except InterruptedError:
                continue

    def _end_query(self) -> None:
        """A script that opens the FIFO only now waits for a writer: be one for a moment, repeatedly."""
        deadline = time.monotonic() + START_TIMEOUT
        while self._thread.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(
                OSError
            ):  # no reader: the script has ended, or has not opened it yet
                os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
            self._thread.join(0.02)

    def _wake(self) -> None:
        os.write(self._wake_write, b"\0")


class _CapturedStderr:
    """Captures file descriptor 2 while the engine starts; it writes there only to report a failure."""

    text = ""

    def __enter__(self) -> Self:
        sys.stderr.flush()
        self._file = tempfile.TemporaryFile()
        self._saved = os.dup(2)
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *_: object) -> None:
        os.dup2(self._saved, 2)
        os.close(self._saved)
        self._file.seek(0)
        self.text = self._file.read().decode(errors="replace")
        self._file.close()


def _explain(errors: str, folder: Path, port: int) -> str:
    if "Cannot lock file" in errors:
        return in_use(folder.parent)
    if "Address already in use" in errors:
        return port_taken(port)
    lines = [line.strip() for line in errors.splitlines() if "DB::Exception" in line]
    reason = lines[0] if lines else (errors.strip().splitlines() or ["it gave no reason"])[-1]
    return f"The embedded ClickHouse could not start: {reason[:400]}"


def _answers(endpoint: Address) -> bool:
    try:  # a bare connection first: the driver logs a traceback for each refused connection
        socket.create_connection((endpoint.host, endpoint.port), 0.2).close()
    except OSError:
        return False
    client = connect(endpoint, timeout=START_TIMEOUT)
    try:
        return bool(client.execute("SELECT 1"))
    except Exception as error:
        if is_transient(error):  # if the engine has ended, it reports that itself
            return False
        raise
    finally:
        client.disconnect()


def _sql_text(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "\\'")
