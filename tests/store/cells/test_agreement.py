"""The map over two cells equals the memory store's, with links from cell to cell: counted by statements, as the contract here
is counted in Python; at night in Python, too, and over four cells."""

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
@pytest.mark.parametrize("few", [0, at_night(few_rows.MOST)])
def test_many_examples_agree(
    cell_store: CellStore,
    cell_addresses: list[Address],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(few_rows, "MOST", few)
    many_agree(cell_store, examples(EXAMPLES, SEED + few), monkeypatch, cell_addresses)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("few", [0, few_rows.MOST])
def test_examples_agree_over_four(
    four_cells: CellStore,
    four_addresses: list[Address],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(few_rows, "MOST", few)
    many_agree(four_cells, examples(TOGETHER, SEED + few), monkeypatch, four_addresses)
