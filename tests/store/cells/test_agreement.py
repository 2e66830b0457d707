"""The map over two cells equals the memory store's, with links from cell to cell, counted by statements and in Python."""

from __future__ import annotations

import pytest

from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.rollup import few_rows
from tests.store.test_agreement_together import SEED, TOGETHER, examples, many_agree
from tests.tiers import at_night, cases

EXAMPLES = TOGETHER * cases(1)


@pytest.mark.slow
@pytest.mark.timeout(300 + 6 * EXAMPLES)
@pytest.mark.parametrize("few", [few_rows.MOST, at_night(0)])
def test_many_examples_agree(
    cell_store: CellStore,
    cell_addresses: list[Address],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(few_rows, "MOST", few)
    many_agree(cell_store, examples(EXAMPLES, SEED + few), monkeypatch, cell_addresses)
