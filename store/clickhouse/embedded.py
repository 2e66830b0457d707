"""ClickHouse without a server to install: the engine inside the `chdb-core` wheel, as a child process.

`run()` is the child. It loads the extension module itself (`import chdb` would first open a
throw-away engine in this process) and hands it one endless script: it starts the TCP listener
and then inserts from a FIFO that this process holds open, which costs no CPU. Closing the FIFO
ends the script, and with it the engine, in the regular way. SIGTERM, SIGINT and, when asked to
watch it, the end of standard input (the parent died) close the FIFO.

Everything lies in `<data-dir>/clickhouse`: config.xml, users.xml, credentials.json, port, data/,
server.log. The engine has two users with generated passwords, `raymap` and the read-only
`raymap_ro`. The script itself runs as `default`, which the engine insists on having without a
password: it may have one session at a time (max_sessions_for_user), which is the script's, so
nobody else gets in; and it may do nothing but start listeners (FROM INFILE, unlike file(), needs
no right to read files).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import random
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

from store.clickhouse.client import Address, connect, is_away

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
GIB = 1 << 30
START_TIMEOUT = 60.0  # a cold page cache has to read a 530 MB library first
# Outside the kernel's range for outgoing connections (32768 and up on Linux): a client that
# redials a dead server must not be handed the server's port, or it ends up talking to itself.
PORTS = range(21_000, 29_000)


class EmbeddedError(Exception):
    """The engine cannot start; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    data_dir: Path
    memory_bytes: int = 0  # 0: 40 % of the memory of this machine or container, at most 8 GiB
    port: int = 0  # 0: see choose_port
    log_level: str = "warning"
    patience: float = 0.0  # seconds to wait for another process to leave the data directory

    @property
    def folder(self) -> Path:
        return self.data_dir.absolute() / "clickhouse"


def credentials(data_dir: Path) -> dict[str, str]:
    """Passwords by user. Generated on the first call, kept for later ones."""
    path = data_dir.absolute() / "clickhouse" / "credentials.json"
    if path.exists():
        try:
            kept: dict[str, str] = json.loads(path.read_text())
            return {user: kept[user] for user in ("raymap", "raymap_ro")}
        except (ValueError, KeyError, TypeError):
            raise EmbeddedError(
                f"{path} cannot be read; delete it to have new passwords made"
            ) from None
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = {user: secrets.token_urlsafe(24) for user in ("raymap", "raymap_ro")}
    _write_private(path, json.dumps(made, indent=2) + "\n")
    return made


def address(data_dir: Path, *, user: str = "raymap", database: str = "raymap") -> Address:
    """Where the engine of this data directory listens, or listened last."""
    port = data_dir.absolute() / "clickhouse" / "port"
    if not port.exists():
        raise EmbeddedError(f"no embedded ClickHouse has been started in {data_dir}")
    return Address(
        host=HOST,
        port=int(port.read_text()),
        user=user,
        password=credentials(data_dir)[user],
        database=database,
    )


def choose_port(data_dir: Path) -> int:
    """The port of the last start if it is free, else another."""
    with contextlib.suppress(OSError, ValueError):
        port = int((data_dir.absolute() / "clickhouse" / "port").read_text())
        if _is_free(port):
            return port
    for port in random.sample(PORTS, 200):
        if _is_free(port):
            return port
    raise EmbeddedError(f"No free port between {PORTS.start} and {PORTS.stop} on {HOST}.")


def default_memory() -> int:
    """40 % of what this machine, or the container we are in, has; at most 8 GiB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue  # no such file, or "max"
    return min(total * 2 // 5, 8 * GIB)


def config_xml(folder: Path, port: int, *, memory_bytes: int, log_level: str) -> str:
    """Two engine quirks: only the top-level <log-level> counts (<logger><level> is ignored, and the
        default is trace), and it stops 5 s late when a client is connected, unless connections look up
    every second (poll_interval, in the profiles)."""
    at = escape(str(folder))
    return f"""<clickhouse>
  <log-level>{escape(log_level)}</log-level>
  <logger>
    <log>{at}/server.log</log>
    <errorlog>{at}/server.err.log</errorlog>
    <size>10M</size>
    <count>3</count>
  </logger>
  <path>{at}/data/</path>
  <listen_host>{HOST}</listen_host>
  <tcp_port>{port}</tcp_port>
  <max_server_memory_usage>{memory_bytes}</max_server_memory_usage>
  <background_pool_size>4</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <mark_cache_size>{128 << 20}</mark_cache_size>
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
  <user_directories><users_xml><path>users.xml</path></users_xml></user_directories>
</clickhouse>
"""


def users_xml(passwords: Mapping[str, str]) -> str:
    """`raymap_ro` may read every table and choose its own query limits (readonly 2, as Grafana's
    plugin needs), and nothing outside the database: it is not granted file(), url() and the like."""
    digest = {user: hashlib.sha256(word.encode()).hexdigest() for user, word in passwords.items()}
    return f"""<clickhouse>
  <profiles>
    <default><max_threads>2</max_threads><poll_interval>1</poll_interval></default>
    <readonly><max_threads>2</max_threads><poll_interval>1</poll_interval><readonly>2</readonly></readonly>
    <once><max_sessions_for_user>1</max_sessions_for_user></once>
  </profiles>
  <quotas><default></default></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>once</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
      </grants>
    </default>
    <raymap>
      <password_sha256_hex>{digest["raymap"]}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </raymap>
    <raymap_ro>
      <password_sha256_hex>{digest["raymap_ro"]}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>readonly</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SELECT ON *.*</query>
        <query>GRANT SHOW ON *.*</query>
        <query>GRANT dictGet ON *.*</query>
      </grants>
    </raymap_ro>
  </users>
</clickhouse>
"""


def prepare(settings: EmbeddedSettings) -> int:
    """Write the instance's files, readable by their owner only; return the port."""
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    port = settings.port or choose_port(settings.data_dir)
    if not _is_free(port):
        raise EmbeddedError(
            f"Port {port}, which the embedded ClickHouse is to use, is taken by another program."
        )
    memory = settings.memory_bytes or default_memory()
    config = config_xml(folder, port, memory_bytes=memory, log_level=settings.log_level)
    _write_private(folder / "config.xml", config)
    _write_private(folder / "users.xml", users_xml(credentials(settings.data_dir)))
    _write_private(folder / "port", f"{port}\n")
    # The engine keeps its `system` database in memory; the files of a former one are orphans.
    shutil.rmtree(folder / "data" / "data" / "system", ignore_errors=True)
    return port


def engine_library() -> Path:
    """The file that chdb-core brings."""
    spec = importlib.util.find_spec("chdb")
    package = Path(spec.origin).parent if spec and spec.origin else None
    library = next(package.glob("_chdb*.so"), None) if package else None
    if library is None:
        raise EmbeddedError(
            'The embedded ClickHouse engine is not installed: run  pip install "raymap[embedded]"  '
            "or name a server with --clickhouse clickhouse://user:password@host:9000/raymap"
        )
    return library


def load_engine() -> Any:
    """The extension module of chdb-core, without running chdb/__init__.py."""
    library = engine_library()
    ctypes.CDLL(str(library), mode=sys.getdlopenflags() | getattr(os, "RTLD_DEEPBIND", 0))
    loader = importlib.machinery.ExtensionFileLoader("_chdb", str(library))
    extension = importlib.util.spec_from_file_location("_chdb", library, loader=loader)
    assert extension is not None
    module: ModuleType = importlib.util.module_from_spec(extension)
    loader.exec_module(module)
    return module


def run(
    settings: EmbeddedSettings,
    *,
    on_ready: Callable[[Address], None],
    watch_stdin: bool = False,
) -> int:
    """Be the engine until told to stop. Never returns to a usable interpreter: exit with the result.

    Raises EmbeddedError when it cannot start."""
    os.umask(0o077)
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock(settings)  # before any file is touched: another process may be using them
    try:
        prepare(settings)
        engine = _Engine(folder, address(settings.data_dir, database=""))
        engine.start(load_engine(), watch_stdin=watch_stdin)
        on_ready(address(settings.data_dir))
        return engine.wait()
    finally:
        os.close(lock)


class _Engine:
    """The endless script, the FIFO that keeps it going, and the pipe that wakes the main thread."""

    def __init__(self, folder: Path, door: Address) -> None:
        self._folder, self._door = folder, door
        self._fifo = folder / "running.fifo"
        self._answer: str | None = None
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def start(self, library: Any, *, watch_stdin: bool) -> None:
        os.chdir(self._folder)  # where the engine looks for config.xml
        self._fifo.unlink(missing_ok=True)
        os.mkfifo(self._fifo, 0o600)
        self._hold = os.open(self._fifo, os.O_RDWR)  # O_RDWR: opening does not wait for a reader
        library.set_signal_handlers_enabled(False)  # or the engine replaces ours
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        if watch_stdin:
            threading.Thread(target=self._watch_stdin, daemon=True).start()
        self._thread = threading.Thread(target=self._query, args=(library,), daemon=True)
        with _CapturedStderr() as errors:
            self._thread.start()
            self._wait_for_door()
        if self._answer is not None:
            raise EmbeddedError(_explain(errors.text, self._folder, self._door.port))

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

    def _wait_for_door(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while self._answer is None and not _answers(self._door):
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
            with contextlib.suppress(OSError):  # nobody reads: it has ended, or is not there yet
                os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
            self._thread.join(0.02)

    def _watch_stdin(self) -> None:
        while os.read(0, 4096):
            pass
        self._wake(b"\1")

    def _wake(self, byte: bytes = b"\0") -> None:
        os.write(self._wake_write, byte)


@dataclass(slots=True)
class EmbeddedClickHouse:
    """The parent's handle on an engine of its own, for tests and tools.

    with EmbeddedClickHouse(tmp_path) as engine:
        connect(engine.url)
    """

    data_dir: Path
    memory_bytes: int = GIB
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> Self:
        read, write = os.pipe()
        command = [sys.executable, "-m", "store.clickhouse.embedded", str(self.data_dir.absolute())]
        command += ["--memory", str(self.memory_bytes), "--ready-fd", str(write)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(write,),
            start_new_session=True,
        )
        os.close(write)
        with os.fdopen(read) as pipe:
            if not pipe.readline():  # end of file: the child is gone
                _, said = self.process.communicate()
                raise EmbeddedError(said.decode(errors="replace").strip())
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


class _CapturedStderr:
    """What the engine writes to file descriptor 2 while it starts; a failure is all it says there."""

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
        return f"Port {port}, which the embedded ClickHouse is to use, is taken by another program."
    lines = [line.strip() for line in errors.splitlines() if "DB::Exception" in line]
    said = lines[0] if lines else (errors.strip().splitlines() or ["it gave no reason"])[-1]
    return f"The embedded ClickHouse could not start: {said[:400]}"


def in_use(data_dir: Path) -> str:
    return (
        f"Another Raymap is already using {data_dir}: stop it, or choose another folder "
        "with --data-dir."
    )


def _lock(settings: EmbeddedSettings) -> int:
    """Held until this process ends, however it ends."""
    handle = os.open(settings.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    deadline = time.monotonic() + settings.patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(handle)
                raise EmbeddedError(in_use(settings.data_dir)) from None
        time.sleep(0.05)


def _write_private(path: Path, text: str) -> None:
    """Never readable by others, not even for a moment, and never half written."""
    aside = path.with_suffix(path.suffix + ".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    aside.replace(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _answers(door: Address) -> bool:
    try:  # a bare knock first: the driver logs a traceback for each refused connection
        socket.create_connection((door.host, door.port), 0.2).close()
    except OSError:
        return False
    client = connect(door, timeout=START_TIMEOUT)
    try:
        return bool(client.execute("SELECT 1"))
    except Exception as error:
        if is_away(error):  # its end, if it is one, is told by the engine itself
            return False
        raise
    finally:
        client.disconnect()


def _sql_text(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "\\'")


def main() -> int:
    """The child of EmbeddedClickHouse. `raymap clickhouse` is the one for people."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--ready-fd", type=int, required=True)
    options = parser.parse_args()

    def ready(_: Address) -> None:
        os.write(options.ready_fd, b"ready\n")
        os.close(options.ready_fd)

    try:
        settings = EmbeddedSettings(options.data_dir, memory_bytes=options.memory)
        return run(settings, on_ready=ready, watch_stdin=True)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # skip the teardown of an interpreter with a 500 MB library in it
