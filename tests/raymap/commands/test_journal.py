"""`raymap journal`: what waits on a disk can be seen, moved to another host, and tried again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from collector.journal.adopt import folders
from collector.journal.format import Kind, encode, pack
from collector.journal.quarantine import Quarantine
from collector.journal.writer import Journal
from collector.payloads import decode_again
from collector.pipeline import IngestPipeline
from collector.receivers.http import create_router
from collector.receivers.otlp_http import create_otlp_router
from collector.receivers.zipkin import create_zipkin_router
from raymap.cli import app
from store.memory import MemoryStore
from tests.collector.conftest import memory, metrics, pipeline  # noqa: F401 (fixtures)
from tests.collector.otlp_samples import SERVER, export, span
from tests.collector.receivers.test_otlp_http import JSON_SPAN, ZIPKIN_SPAN, json_export
from tests.collector.samples import segment_bytes
from tests.http_server import serve
from tests.waiting import eventually

VERSION = 1_795_560_000_000_000


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """The exit code of `raymap journal`, and everything it says."""

    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["journal", *arguments])
        return result.exit_code, result.output + capfd.readouterr().err

    return call


def leave(data_dir: Path, *records: tuple[Kind, int, bytes]) -> Journal:
    """A journal that no process uses."""
    journal = Journal.create(data_dir / "journal", "collector")
    for number, (kind, documents, payload) in enumerate(records):
        journal.write([encode(kind, VERSION + number * 100, documents, payload)])
    journal.release()
    return journal


DOCUMENTS = pack([segment_bytes("00000000000000a1"), segment_bytes("00000000000000a2")])
RECORDS = (
    (Kind.DOCUMENTS, 2, DOCUMENTS),
    (Kind.OTLP, 1, export(span(SERVER, id=1))),
    (Kind.OTLP_JSON, 1, json_export(JSON_SPAN)),
    (Kind.ZIPKIN_JSON, 1, json.dumps([ZIPKIN_SPAN]).encode()),
)


def ids(store: MemoryStore) -> set[tuple[bytes, int]]:
    return {(t.trace_id, id) for t in store._traces.values() for id in t.documents}


def test_wait(run: Run, tmp_path: Path, memory: MemoryStore) -> None:  # noqa: F811
    """Until the store has all, of tenants too; what is left in the end is named."""
    tenant = tmp_path / "tenants/acme-1"
    where = ("--data-dir", str(tmp_path))
    assert run("wait", *where) == (0, "raymap: no documents wait\n")
    leave(tenant, RECORDS[1])
    leave(tmp_path, *RECORDS)
    code, said = run("wait", "--seconds", "0.1", *where)
    assert code == 1
    assert said.startswith(f"raymap: 6 documents wait in {tmp_path} after 0.1 s")
    pipelines = [IngestPipeline(memory, each) for each in (tmp_path, tenant)]
    for each in pipelines:
        each.start()
    assert run("wait", "--seconds", "60", *where) == (0, "raymap: no documents wait\n")
    for each in pipelines:
        each.stop()


def test_list_and_inspect(run: Run, tmp_path: Path) -> None:
    """Without a journal, in use, waiting, damaged."""
    assert "there is no journal" in run("list", "--data-dir", str(tmp_path))[1]
    journal = leave(tmp_path, *RECORDS)
    busy = Journal.create(tmp_path / "journal", "api")
    code, said = run("list", "--data-dir", str(tmp_path))
    assert code == 0
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert "in use" in lines[busy.id]
    assert "waits for a process" in lines[journal.id]
    assert " 5 " in lines[journal.id]
    code, said = run("inspect", journal.id, "--data-dir", str(tmp_path))
    assert [line.split()[-3] for line in said.splitlines()[1:]][:2] == ["documents", "otlp"]
    busy.remove()
    code, said = run("inspect", "nonsense", "--data-dir", str(tmp_path))
    assert code == 1
    assert "raymap journal list" in said


@pytest.fixture
def server(pipeline: IngestPipeline) -> Iterator[str]:  # noqa: F811
    """Address of another Raymap's HTTP receivers."""
    app = FastAPI()
    for create in (create_router, create_otlp_router, create_zipkin_router):
        app.include_router(create(pipeline))
    with serve(app) as url:
        yield url


def test_send(run: Run, tmp_path: Path, server: str, memory: MemoryStore) -> None:  # noqa: F811
    """The other host has the same documents, whatever receiver they came from; here they are gone."""
    journal = leave(tmp_path / "here", *RECORDS)
    code, said = run("send", journal.id, "--url", server, "--data-dir", str(tmp_path / "here"))
    assert (code, folders(tmp_path / "here" / "journal")) == (0, []), said
    assert "5 documents sent" in said
    documents = [d for kind, _, payload in RECORDS for d in decode_again(kind, 1, payload)]
    assert ids(memory) == {(d.trace_id, d.id) for d in documents}


def test_send_stored_documents(
    run: Run,
    tmp_path: Path,
    server: str,
    memory: MemoryStore,  # noqa: F811
) -> None:
    """Spans in the store's form, as they come out of quarantine."""
    (document,) = decode_again(Kind.OTLP, 1, RECORDS[1][2])
    journal = leave(tmp_path / "here", (Kind.STORED, 1, pack([document.raw])))
    code, said = run("send", journal.id, "--url", server, "--data-dir", str(tmp_path / "here"))
    assert code == 0, said
    assert ids(memory) == {(document.trace_id, document.id)}


def test_send_in_vain(run: Run, tmp_path: Path) -> None:
    """No server, or a journal in use: nothing is deleted."""
    journal = leave(tmp_path, *RECORDS)
    to = ("--url", "http://127.0.0.1:9", "--data-dir", str(tmp_path))
    code, said = run("send", journal.id, *to)
    assert code == 1
    assert "No Raymap answers" in said
    assert [folder.name for folder in folders(tmp_path / "journal")] == [journal.id]
    busy = Journal.create(tmp_path / "journal", "api")
    code, said = run("send", busy.id, *to)
    assert code == 1
    assert "in use" in said
    busy.remove()


@pytest.mark.slow
def test_retry(
    run: Run,
    tmp_path: Path,
    pipeline: IngestPipeline,  # noqa: F811
    memory: MemoryStore,  # noqa: F811
) -> None:
    """What is in quarantine, with its reason, is adopted and stored."""
    assert "nothing" in run("retry", "--data-dir", str(tmp_path))[1]
    quarantine = Quarantine(tmp_path / "journal")
    quarantine.add("too large", Kind.DOCUMENTS, VERSION, 2, DOCUMENTS)
    code, said = run("list", "--data-dir", str(tmp_path))
    assert "quarantine" in said
    code, said = run("inspect", "quarantine", "--data-dir", str(tmp_path))
    assert "2 documents: too large" in said
    assert "00000000000000a1" in said
    code, said = run("retry", "--data-dir", str(tmp_path))
    assert (code, quarantine.documents()) == (0, 0), said
    assert "2 documents" in said
    eventually(lambda: len(ids(memory)) == 2)
