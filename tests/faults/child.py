"""A collector or API process that a test starts, and that can be killed at a chosen point.

The product knows nothing of fault points: they are wrappers this process puts around its parts
before the receivers open, and they count from then on.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from stat import S_ISREG
from typing import Any

from clickhouse_driver import Client

from collector.app import run_collector
from collector.batches import Batches, Limits
from collector.group_commit import GroupCommit
from collector.ingest import JOURNAL_BYTES
from collector.inserter import Inserter
from collector.journal import writer
from collector.journal.writer import MAX_FILE, Journal
from collector.journals import Journals
from collector.pipeline import IngestPipeline
from collector.replay import Backlog
from collector.settings import CollectorSettings
from raymap.logging import set_up_logging
from raymap.processes import run_api_process
from raymap.settings import ApiSettings
from store.clickhouse.connection.address import parse_url
from store.clickhouse.store import ClickHouseStore

TABLES = ("dirty", "traces", "calls", "links", "segments")


@dataclass(frozen=True)
class Plan:
    """What the process is, and its end: killed when it comes to a point for the nth time."""

    clickhouse: str
    data_dir: Path
    role: str = "collect"
    journal_bytes: int = JOURNAL_BYTES
    limits: Mapping[str, Any] = field(default_factory=dict)
    file_bytes: int = MAX_FILE
    kill_at: str = ""
    nth: int = 2
    early: bool = False
    """Whether the point counts from the start: a journal is adopted before receivers open."""


def be(plan: Plan, reported: Connection) -> None:
    """The process's life. Its log goes to `<role>.log` in the data directory."""
    log = os.open(plan.data_dir / f"{plan.role}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    os.close(log)
    set_up_logging("info", "json")
    address = parse_url(plan.clickhouse)
    writer.MAX_FILE = plan.file_bytes

    def arm() -> None:
        if plan.kill_at:
            _POINTS[plan.kill_at](_Death(plan.nth))

    if plan.early:
        reported.send({})
        arm()

    def ready(addresses: Mapping[str, str]) -> None:
        if plan.early:
            return
        arm()
        reported.send(dict(addresses))

    if plan.role == "api":
        run_api_process(ApiSettings(data_dir=plan.data_dir, port=0), [address], ready)
        return
    run_collector(
        CollectorSettings(
            writer=lambda: ClickHouseStore(address, connections=4),
            data_dir=plan.data_dir,
            port=0,
            grpc_port=0,
            http=True,
            journal_bytes=plan.journal_bytes,
            limits=Limits(**plan.limits),
            on_ready=ready,
        )
    )


class _Death:
    """kill -9 of this very process, the nth time."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def __call__(self) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)


_Point = Callable[[_Death], None]


def _before(owner: object, name: str, applies: Callable[..., bool] = lambda *_: True) -> _Point:
    return lambda die: _wrap(owner, name, die, applies, first=True)


def _after(owner: object, name: str, applies: Callable[..., bool] = lambda *_: True) -> _Point:
    return lambda die: _wrap(owner, name, die, applies, first=False)


def _wrap(
    owner: object, name: str, die: _Death, applies: Callable[..., bool], *, first: bool
) -> None:
    real = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        fits = applies(*arguments)
        if first and fits:
            die()
        answer = real(*arguments, **named)
        if not first and fits:
            die()
        return answer

    setattr(owner, name, wrapped)


def _into(table: str) -> Callable[..., bool]:
    return lambda _client, statement, *_: statement.startswith(f"INSERT INTO {table} ")


def _is_file(descriptor: int) -> bool:
    return S_ISREG(os.fstat(descriptor).st_mode)


def _is_folder(descriptor: int) -> bool:
    return not _is_file(descriptor)


LIVE: dict[str, _Point] = {
    "received": _before(IngestPipeline, "decode"),
    "decoded": _after(IngestPipeline, "decode"),
    "appended": _after(GroupCommit, "append"),
    "written": _before(os, "fdatasync"),
    "synced": _after(os, "fdatasync"),
    "before the answer": _before(Batches, "add"),
    "acknowledged": _after(Batches, "add"),
    "batch cut": _before(Inserter, "_insert_current"),
    "batch marked": _after(Journal, "mark"),
    **{f"inserted into {table}": _after(Client, "execute", _into(table)) for table in TABLES},
    "before the checkpoint": _before(Journal, "checkpoint"),
    "checkpoint": _after(Journal, "checkpoint"),
}
"""The way of a batch into the store."""

OUTAGE: dict[str, _Point] = {
    "outage: file begun": _after(os, "fsync", _is_file),
    "outage: file named": _after(os, "fsync", _is_folder),
    "outage: synced": _after(os, "fdatasync"),
    "outage: journal sealed": _after(Journals, "add"),
}
"""The same while the store is unavailable, files and memory being small."""

REPLAY: dict[str, _Point] = {
    "replay: adopted": _after(Journals, "read"),
    "replay: marked": _after(Journal, "mark"),
    "replay: decoded": _after(Backlog, "_decode"),
    **{
        f"replay: inserted into {table}": _after(Client, "execute", _into(table))
        for table in TABLES
    },
    "replay: before the checkpoint": _before(Journal, "checkpoint"),
    "replay: file deleted": _after(Journal, "_delete", lambda _, files: bool(files)),
    "replay: before the removal": _before(Journal, "remove"),
    "replay: after the removal": _after(Journal, "remove"),
}
"""The way of a dead process's journal into the store."""

_POINTS = {**LIVE, **OUTAGE, **REPLAY}
