"""The contract of every store, over two cells, and at night over four.

At night all of it. In each run are the tests of what cells answer together: which methods they sum or merge, what looks
at a whole graph (clients, names, links), and what lies in the home cell. What rules make of the rows of one trace is
decided within a cell, which passes the whole contract alone, and by `test_agreement.py` here.
"""

from __future__ import annotations

import pytest

from store.cells.store import CellStore
from store.protocol import Store
from tests.tiers import NIGHTLY

pytest.register_assert_rewrite("tests.store.contract")
from tests.store.contract import StoreContract  # noqa: E402
from tests.store.contract.background import BackgroundContract  # noqa: E402
from tests.store.contract.copies import CopyContract  # noqa: E402
from tests.store.contract.layers import LayerContract  # noqa: E402
from tests.store.contract.owners import OwnerContract  # noqa: E402
from tests.store.contract.requests import RequestContract  # noqa: E402
from tests.store.contract.subsegments import SubsegmentContract  # noqa: E402
from tests.store.contract.unknown import UnknownContract  # noqa: E402

WITHIN = (
    BackgroundContract,
    CopyContract,
    LayerContract,
    OwnerContract,
    RequestContract,
    SubsegmentContract,
    UnknownContract,
)
"""What is about the rows of one trace."""
Apart: type = type(
    "Apart", tuple(each for each in StoreContract.__bases__ if each not in WITHIN), {}
)


class Together(Apart):  # type: ignore[misc]
    """What is in each run: all of the contract but what is ``WITHIN`` a cell, and of that what cells have to add up."""

    test_a_repeated_put_changes_nothing = CopyContract.test_a_repeated_put_changes_nothing
    test_what_was_stored_last = (
        CopyContract.test_what_was_stored_last_changes_with_each_arrival_alone
    )
    test_lists_and_series_of_each = BackgroundContract.test_lists_and_series_of_each


Tried: type = StoreContract if NIGHTLY else Together


class TestCells(Tried):  # type: ignore[misc]
    @pytest.fixture
    def store(self, cell_store: CellStore) -> Store:
        return cell_store


@pytest.mark.nightly
class TestFourCells(StoreContract):
    """But for what is of each cell: the limits of names and callers, and in how many minutes it has requests. In two cells the few
    traces of these tests are together where it matters."""

    test_names_in_excess_are_counted_as_one_node = None  # type: ignore[assignment]
    test_callers_in_excess_are_one_node = None  # type: ignore[assignment]
    test_minutes_by_node_and_edge = None  # type: ignore[assignment]

    @pytest.fixture
    def store(self, four_cells: CellStore) -> Store:
        return four_cells
