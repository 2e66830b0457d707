"""Rules of the model as conditions and values of SQL, rendered from the constants that they compare with.

SQL files have them as ``$name``; what they say of rows, the functions named here say in Python.
"""

from __future__ import annotations

from store.clickhouse.queries.registry import Sql
from store.model import UNCONFIRMED, Fetched, Kind

_IS_UNCONFIRMED = f"startsWith(source_account, '{UNCONFIRMED}')"
SETTLED_ACCOUNT = Sql(
    f"if({_IS_UNCONFIRMED}, replaceRegexpOne(toString(source_account), '^{UNCONFIRMED}[0-9]+ ?', ''),"
    " toString(source_account))"
)
"""The account of `store.model.confirmed`, of a source."""
UNCONFIRMED_SLOT = Sql(
    f"toUInt64OrZero(extract(toString(source_account), '^{UNCONFIRMED}([0-9]+)'))"
)
"""`store.model.waiting_slot` of a source; 0 of one that is not `is_unconfirmed`."""
ANSWERS = Sql(f"(kind != {Kind.CONSUMER:d} AND fetched = {Fetched.NO:d})")
"""`store.rules.brokers.answers`, of a segment."""
PROCESSES = Sql(f"(kind = {Kind.CONSUMER:d} AND fetched != {Fetched.UNSEEN:d})")
"""`store.messages.processes`, of a segment."""

RULES = {"answers": ANSWERS, "processes": PROCESSES, "settled_account": SETTLED_ACCOUNT}
"""By the names that SQL files have them by."""
