"""An embedded ClickHouse of one's own, for tests and benches: `raymap clickhouse` as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from raymap.flags import environment_of
from raymap.ready_pipe import StartRejected, addresses_in
from raymap.settings import ClickHouseSettings
from store.clickhouse.connection.address import Address
from store.clickhouse.embedded import GIB, EmbeddedError, address

ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class EmbeddedClickHouse:
    """Starts and stops an embedded engine; a context manager.

    with EmbeddedClickHouse(tmp_path) as engine:
        connect(engine.url)
    """

    data_dir: Path
    memory_bytes: int = GIB
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> Self:
        """Start the engine and wait until it answers. Raises EmbeddedError when it cannot start."""
        read, write = os.pipe()
        settings = ClickHouseSettings(
            data_dir=self.data_dir.absolute(), clickhouse_memory=self.memory_bytes
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "raymap", "clickhouse", "--supervised", str(write)],
            cwd=ROOT,
            env={**os.environ, **environment_of(settings)},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(write,),
            start_new_session=True,
        )
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            try:
                ready = addresses_in(pipe.readline())
            except StartRejected as refusal:
                self.process.communicate()
                raise EmbeddedError(str(refusal)) from None
        if ready is None:
            _, errors = self.process.communicate()
            raise EmbeddedError(errors.decode(errors="replace").strip())
        return self

    @property
    def address(self) -> Address:
        return address(self.data_dir)

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def readonly_url(self) -> str:
        return address(self.data_dir, user="raymap_ro").url

    def stop(self, timeout: float = 30.0) -> int:
        """Stop the engine, by SIGKILL after ``timeout`` seconds; its exit status."""
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stderr):
            if pipe:
                pipe.close()
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
