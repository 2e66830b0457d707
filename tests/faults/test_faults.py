"""Acknowledged means kept, and counted once, whatever breaks: the fault table, row by row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tests.collector.conftest  # noqa: F401 (generates the protocol)
from tests.faults.rig import Load, Rig
from tests.faults.rows import FAULTS


@pytest.fixture(scope="module")
def whole_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One ClickHouse of its own: it is killed, so it cannot be the one other tests share."""
    rig = Rig(tmp_path_factory.mktemp("faults"))
    yield rig
    rig.close()


@pytest.fixture
def rig(whole_rig: Rig) -> Iterator[Rig]:
    yield whole_rig
    whole_rig.clear()


@pytest.mark.parametrize("fault", FAULTS)
def test_acknowledged_means_kept(rig: Rig, fault: str) -> None:
    """Nothing acknowledged is missing; the service graph counts what is found, each once."""
    row = FAULTS[fault](rig, Load())
    print(row)
    assert row.holds, row
