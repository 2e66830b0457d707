"""What `raymap doctor` says of the replicas of a database."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from raymap.commands.checks import Check, Status
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.diagnostics import ReplicaState, clock_offset, replica_state
from store.clickhouse.rollup.turn import MOST_SKEW

DELAY_WARN, DELAY_FAIL = 5, 60
"""Seconds by which a replica lacks rows of others."""


class Replica(NamedTuple):
    """What is known of one: only the check if it does not answer. ``ahead``: seconds by which its clock is."""

    check: Check
    state: ReplicaState | None = None
    ahead: float | None = None


def replica_checks(address: Address) -> Iterator[Check]:
    """A line for each replica that the address names, and one for their clocks; nothing of a single server."""
    ahead = []
    for each in address.each if address.replicated else ():
        replica = look_at(each)
        yield replica.check
        if replica.ahead is not None:
            ahead.append(replica.ahead)
    if len(ahead) > 1:
        yield clocks_check(max(ahead) - min(ahead))


def look_at(address: Address) -> Replica:
    """One replica, by its own address."""
    client = connect(address, timeout=10.0)
    try:
        run = partial(execute, client)
        state = replica_state(run)
        return Replica(replica_check(address.name, state), state, clock_offset(run))
    except Exception as error:
        return Replica(Check(f"replica {address.name}", "fail", first_line(error), "start it"))
    finally:
        client.disconnect()


def replica_check(name: str, state: ReplicaState) -> Check:
    """Whether a replica has all rows, and takes more."""
    status: Status = "ok"
    help = ""
    if not state.tables:
        return Check(f"replica {name}", "fail", "has no tables", "raymap migrate")
    detail = f"{state.active} of {state.total} are active, {state.delay} s behind, {state.waiting:,} entries wait"
    if state.read_only:
        detail = f"{state.read_only} of {state.tables} tables are read-only: it does not reach Keeper; {detail}"
        status, help = "fail", "SYSTEM RESTART REPLICAS, when Keeper answers"
    elif state.delay >= DELAY_WARN:
        status = "fail" if state.delay >= DELAY_FAIL else "warn"
        help = "see system.replication_queue there"
    elif state.active < state.total:
        status, help = "warn", "start the others, or SYSTEM DROP REPLICA"
    return Check(f"replica {name}", status, detail, help)


def clocks_check(apart: float) -> Check:
    """Whether the replicas agree on the time."""
    detail = f"they are {apart:.2f} s apart"
    if apart < MOST_SKEW:
        return Check("clocks of replicas", "ok", detail)
    return Check(
        "clocks of replicas",
        "fail",
        f"{detail}, and nothing is counted until it is less than {MOST_SKEW} s",
        "timedatectl set-ntp true",
    )
