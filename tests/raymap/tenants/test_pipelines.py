"""An operator sees that tenants' journals are full, damaged or behind: how many in /readyz, which in metrics
and `raymap doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.group_commit import JournalFull
from collector.http_ports import create_collector_app
from collector.pipeline import IngestPipeline
from collector.redaction.redactor import Redactor
from collector.settings import HttpLimits
from raymap.auth.tenants import FOLDER, Tenant, Tenants, new_tenant
from raymap.commands.tenant_checks import journal_checks
from raymap.tenants.pipelines import TenantPipeline, per_request, problems_of
from raymap.tenants.running import Running
from store.clickhouse.connection.address import Address
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from tests.collector.samples import segment_bytes
from tests.collector.test_health import health
from tests.waiting import eventually

ACME, GLOBEX = new_tenant("acme", 1), new_tenant("globex", 1)
NOWHERE = Address("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ([{}, {}], []),
        ([{"journal_full": True}, {}], ["journals of 1 tenant are full"]),
        ([{"journal_full": True}, {"journal_full": True}], ["journals of 2 tenants are full"]),
        ([{"schema_problem": "older"}, {}], ["databases of 1 tenant have another schema"]),
        ([{"refusal": "Code 1001", "oldest": 61.0}, {}], ["refused", "more than a minute"]),
        ([{"oldest": 59.0}, {"oldest": 61.0}], ["documents of 1 tenant have waited"]),
        ([{"quarantined": 2}, {"damaged_files": 1}], ["documents of 2 tenants are in quarantine"]),
        ([{"unreadable": {"a": "no permission"}}, {}], ["journals of 1 tenant cannot be read"]),
    ],
)
def test_tenants_are_counted(states: list[dict[str, Any]], says: list[str]) -> None:
    problems = problems_of(health(**state) for state in states)
    assert len(problems) == len(says)
    for problem, expected in zip(problems, says, strict=True):
        assert expected in problem


@pytest.fixture
def pipelines(tmp_path: Path) -> Iterator[tuple[IngestPipeline, Running[TenantPipeline]]]:
    """The default tenant's pipeline, and those of two tenants whose ClickHouse does not answer and whose
    journals are almost full."""

    def make(tenant: Tenant) -> TenantPipeline:
        store = ClickHouseStore(NOWHERE, connections=1)
        return TenantPipeline(
            tenant, store, tmp_path, role="collector", journal_bytes=700, redactor=Redactor()
        )

    tenants = Tenants({each.name: each for each in (ACME, GLOBEX)}, frozenset())
    running = Running(lambda: tenants, make, tmp_path, lazy=True)
    default = IngestPipeline(MemoryStore(), tmp_path)
    default.start()
    yield default, running
    running.stop()
    default.stop()


def test_readyz_counts_full_journals_and_names_no_tenant(
    pipelines: tuple[IngestPipeline, Running[TenantPipeline]],
) -> None:
    """The process stays ready: the other tenants' documents are accepted."""
    default, running = pipelines
    client = TestClient(create_collector_app(per_request(running, default), HttpLimits()))
    assert client.get("/readyz").json()["problems"] == []
    for tenant in (ACME, GLOBEX):
        pipeline = running.get(tenant)
        with pytest.raises(JournalFull):  # noqa: PT012
            while True:
                pipeline.submit(pipeline.decode([segment_bytes()], "test")).result(60)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    (problem,) = answer.json()["problems"]
    assert "journals of 2 tenants are full or cannot be written" in problem
    assert not any(tenant.name in answer.text for tenant in (ACME, GLOBEX))
    blocked = 'raymap_tenant_ingest_blocked{tenant="acme"} 1.0'
    eventually(lambda: blocked in client.get("/metrics").text)


def test_doctor_names_tenants_with_damaged_journals(tmp_path: Path) -> None:
    assert [check.status for check in journal_checks(tmp_path)] == ["ok"]
    folder = tmp_path / FOLDER / ACME.folder
    os.makedirs(folder / "journal" / "damaged")
    (folder / "journal" / "damaged" / "a.log").touch()
    (check,) = journal_checks(tmp_path)
    assert check.status == "warn"
    assert "acme" in check.detail
    assert "1 damaged files, 0 documents" in check.detail
    assert check.help == f"raymap journal list --data-dir {folder}"
