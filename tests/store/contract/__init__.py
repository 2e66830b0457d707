"""The contract of every store; a subclass provides the `store` fixture (test_contract.py)."""

from __future__ import annotations

from tests.store.contract.alarms import AlarmContract
from tests.store.contract.background import BackgroundContract
from tests.store.contract.brokers import BrokerContract
from tests.store.contract.callers import CallerContract
from tests.store.contract.clients import ClientContract
from tests.store.contract.copies import CopyContract
from tests.store.contract.declared import DeclarationContract
from tests.store.contract.event_sources import EventSourceContract
from tests.store.contract.events import EventContract
from tests.store.contract.graph import GraphContract
from tests.store.contract.grouped import GroupedContract
from tests.store.contract.layers import LayerContract
from tests.store.contract.logs import LogContract
from tests.store.contract.metrics import MetricContract
from tests.store.contract.minutes import MinuteContract
from tests.store.contract.nameless import NamelessContract
from tests.store.contract.names import NameContract
from tests.store.contract.namespaces import NamespaceContract
from tests.store.contract.owners import OwnerContract
from tests.store.contract.pins import PinContract
from tests.store.contract.problems import ProblemContract
from tests.store.contract.requests import RequestContract
from tests.store.contract.search import SearchContract
from tests.store.contract.stats import StatsContract
from tests.store.contract.subsegments import SubsegmentContract
from tests.store.contract.units import UnitContract
from tests.store.contract.unknown import UnknownContract
from tests.store.contract.versions import VersionContract
from tests.store.contract.weights import WeightContract


class StoreContract(
    GraphContract,
    GroupedContract,
    CopyContract,
    ClientContract,
    CallerContract,
    NameContract,
    NamespaceContract,
    NamelessContract,
    LogContract,
    MetricContract,
    MinuteContract,
    SubsegmentContract,
    OwnerContract,
    BrokerContract,
    EventContract,
    EventSourceContract,
    BackgroundContract,
    RequestContract,
    LayerContract,
    WeightContract,
    SearchContract,
    StatsContract,
    UnitContract,
    PinContract,
    VersionContract,
    AlarmContract,
    ProblemContract,
    DeclarationContract,
    UnknownContract,
):
    """Every store passes every test."""
