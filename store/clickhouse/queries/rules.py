"""Rules of the model as conditions and values of SQL, rendered from the constants that they compare with.

SQL files have these and some constants as ``$name``. What a rule says of rows, the function named with it says in Python.
"""

from __future__ import annotations

from store.clickhouse.queries.registry import Sql, numbers_in
from store.layers import ENCLOSING as ENCLOSING_KINDS
from store.layers import LEAVING as LEAVING_KINDS
from store.minutes import SeriesKind
from store.model import (
    ARRIVAL,
    BACKGROUND_KINDS,
    CLIENT,
    COMPLETE,
    JOIN_SLOTS,
    SETTLE_SLOT,
    UNCONFIRMED,
    Fetched,
    Independent,
    Kind,
    State,
)
from store.rules.brokers import AWS_BROKERS, MESSAGING
from store.rules.invocations import SERVICE
from store.rules.operations import OF_PROXY
from store.rules.other_names import OTHER_NAMES
from store.times import BUCKET, MINUTE

FIRST_CASE = 1 << 63
"""Lesser numbers stand for no case (`store.draw`)."""
MARKER = 255
"""The `kind` of a version row, which states that a revision of a bucket was written."""
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
IS_SEGMENT = Sql(f"independent = {Independent.NO:d}")
IS_STREAMED = Sql(f"independent = {Independent.OF_PARENT:d}")
"""Whether the parent's segment knows whose a row is."""
IS_IN_PROGRESS = Sql(f"state = {State.IN_PROGRESS:d}")
FETCHED_NOTHING = Sql(f"fetched = {Fetched.NO:d}")
ANSWERS = Sql(f"(kind != {Kind.CONSUMER:d} AND fetched = {Fetched.NO:d})")
"""`store.rules.brokers.answers`, of a segment."""
PROCESSES = Sql(f"(kind = {Kind.CONSUMER:d} AND fetched != {Fetched.UNSEEN:d})")
"""`store.messages.processes`, of a segment."""
IN_BACKGROUND = numbers_in("kind", BACKGROUND_KINDS)
"""Whether a segment is work that serves no request, if it has no parent."""
SERVES_NO_REQUEST = Sql(f"(parent_id = 0 AND {IN_BACKGROUND.text} AND before_name = '')")
"""Whether a segment is background work of its node (`store.draw`), if no link names its cause."""
LEAVING = Sql(f"({', '.join(f'{kind:d}' for kind in LEAVING_KINDS)})")
"""The kinds of `store.layers.LEAVING`."""
ENCLOSING = Sql(f"({', '.join(f'{kind:d}' for kind in ENCLOSING_KINDS)})")
"""The kinds of `store.layers.ENCLOSING`."""
_OF_PROXY = "'" + OF_PROXY.replace("\\", r"\\") + "$'"
PASSED_ON = Sql(
    f"(kind = {Kind.SERVER:d} AND endsWith(operation, '/*') AND match(operation, {_OF_PROXY}))"
)
"""`store.rules.operations.is_of_proxy`, of a segment: another may say what was done (`store.parents.ParentIndex.operation`)."""
MAY_BE_REPLACED = Sql(f"ver < {COMPLETE}")
"""Whether a document may come that wins over a row's, whenever that is."""
VERSION = Sql(f"bitAnd(ver, {COMPLETE - 1})")
"""The version that a row came with, whatever its state."""
IS_BROKER = Sql(f"(type IN {AWS_BROKERS} OR startsWith(type, '{MESSAGING}'))")
"""`store.rules.brokers.is_broker`."""
SETTLE_SLOT_OF = Sql(
    f"toUInt64(intDiv(greatest(start, toInt64(bitAnd(ver, {ARRIVAL}))), {SETTLE_SLOT})"
    f" + if(type = '{SERVICE}', {JOIN_SLOTS}, 0))"
)
"""`store.model.settle_slot`, of a segment: Lambda's are joined afterwards."""
AWAITS_EVENT = Sql(f"(type = '{SERVICE}' AND owner_name = '')")
"""`store.parents.awaits_event`, of a segment in ``scope_rows`` that was reported: Python decides on the traces of derived
ones."""

RULES = {
    "answers": ANSWERS,
    "awaits_event": AWAITS_EVENT,
    "bucket_width": Sql(str(BUCKET)),
    "client": Sql(f"'{CLIENT}'"),
    "enclosing": ENCLOSING,
    "first_case": Sql(str(FIRST_CASE)),
    "in_background": IN_BACKGROUND,
    "is_broker": IS_BROKER,
    "leaving": LEAVING,
    "marker": Sql(str(MARKER)),
    "may_be_replaced": MAY_BE_REPLACED,
    "minute": Sql(str(MINUTE)),
    "other_names": Sql(f"'{OTHER_NAMES}'"),
    "passed_on": PASSED_ON,
    "processes": PROCESSES,
    "series_kinds": Sql(", ".join(f"{kind:d}" for kind in SeriesKind)),
    "serves_no_request": SERVES_NO_REQUEST,
    "settle_slot": SETTLE_SLOT_OF,
    "settled_account": SETTLED_ACCOUNT,
    "version": VERSION,
}
"""By the names that SQL files have them by."""
