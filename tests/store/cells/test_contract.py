"""The contract of every store, over two cells.

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
from tests.store.contract.alarms import AlarmContract  # noqa: E402
from tests.store.contract.background import BackgroundContract  # noqa: E402
from tests.store.contract.brokers import BrokerContract  # noqa: E402
from tests.store.contract.callers import CallerContract  # noqa: E402
from tests.store.contract.clients import ClientContract  # noqa: E402
from tests.store.contract.copies import CopyContract  # noqa: E402
from tests.store.contract.declared import DeclarationContract  # noqa: E402
from tests.store.contract.event_sources import EventSourceContract  # noqa: E402
from tests.store.contract.events import EventContract  # noqa: E402
from tests.store.contract.graph import GraphContract  # noqa: E402
from tests.store.contract.grouped import GroupedContract  # noqa: E402
from tests.store.contract.logs import LogContract  # noqa: E402
from tests.store.contract.metrics import MetricContract  # noqa: E402
from tests.store.contract.minutes import MinuteContract  # noqa: E402
from tests.store.contract.nameless import NamelessContract  # noqa: E402
from tests.store.contract.names import NameContract  # noqa: E402
from tests.store.contract.namespaces import NamespaceContract  # noqa: E402
from tests.store.contract.pins import PinContract  # noqa: E402
from tests.store.contract.problems import ProblemContract  # noqa: E402
from tests.store.contract.search import SearchContract  # noqa: E402
from tests.store.contract.stats import StatsContract  # noqa: E402
from tests.store.contract.units import UnitContract  # noqa: E402
from tests.store.contract.versions import VersionContract  # noqa: E402
from tests.store.contract.weights import WeightContract  # noqa: E402


class Together(
    GraphContract,
    GroupedContract,
    ClientContract,
    CallerContract,
    NameContract,
    NamespaceContract,
    NamelessContract,
    LogContract,
    MetricContract,
    MinuteContract,
    BrokerContract,
    EventContract,
    EventSourceContract,
    WeightContract,
    SearchContract,
    StatsContract,
    UnitContract,
    PinContract,
    VersionContract,
    AlarmContract,
    ProblemContract,
    DeclarationContract,
):
    """What is in each run."""

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
