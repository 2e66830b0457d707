"""raymap topology: the cells, what each has of the traces, and which take documents since when."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from raymap.cells import require_cells
from raymap.commands.replica_checks import look_at
from raymap.errors import CommandError, print_status
from raymap.schema_check import require_schema
from store.cells.topology import (
    Member,
    TopologyMismatch,
    add_cell,
    connected,
    now,
    read_topology,
    set_active,
)
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.schema.retention import prepare_database
from store.times import SECOND


def show(cells: Sequence[Address], *, as_json: bool) -> None:
    """A line for each cell, the home cell first, and one for each epoch."""
    require_cells(cells)
    member = read_topology(cells)
    lines = [_cell(place, cell, member) for place, cell in enumerate(cells)]
    epochs: list[dict[str, Any]] = [
        {
            "epoch": number,
            "since": _iso(each.since) if each.since else None,
            "cells": [place + 1 for place in each.active],
        }
        for number, each in enumerate(member.owners.epochs if member else (), 1)
    ]
    if as_json:
        print(json.dumps({"cells": lines, "epochs": epochs}, indent=2))
        return
    for line in lines:
        home = ", configuration and logs" if line["cell"] == 1 and len(cells) > 1 else ""
        print(
            f"{line['cell']} of {len(cells)}  {line['database']}  epoch {line['epoch']}, "
            f"{line['traces']:,} traces, {line['documents']:,} documents, {line['state']}{home}"
        )
        for each in line["replicas"]:
            print(f"        {each['status']:<5} replica {each['replica']}: {each['detail']}")
    for each in epochs[1:]:
        print(f"epoch {each['epoch']}  since {each['since']}  cells {_listed(each['cells'])}")


def _cell(place: int, cell: Address, member: Member | None) -> dict[str, Any]:
    with connected(cell) as client:
        ((traces,),) = client.execute("SELECT uniq(trace_id) FROM traces")
        ((documents,),) = client.execute("SELECT count() FROM segments")
    return {
        "cell": place + 1,
        "database": f"{cell.name}/{cell.database}",
        "epoch": member.epoch if member else 0,
        "traces": traces,
        "documents": documents,
        "state": _state(place, member),
        "replicas": replica_lines(cell),
    }


def replica_lines(cell: Address) -> list[dict[str, Any]]:
    """How far each replica lags, judged as by `raymap doctor`; none of a single server."""
    found = [(each.name, look_at(each)) for each in cell.each] if cell.replicated else []
    return [
        {
            "replica": name,
            "status": replica.check.status,
            "detail": replica.check.detail,
            "state": replica.state._asdict() if replica.state else None,
        }
        for name, replica in found
    ]


def _state(place: int, member: Member | None) -> str:
    """Whether it takes documents, now and at the end."""
    if member is None:
        return "active"
    today = place in member.owners.epoch_at(now()).active
    finally_ = place in member.owners.last.active
    return {(1, 1): "active", (0, 0): "drained", (1, 0): "active until drained"}.get(
        (today, finally_), "joining"
    )


def _listed(places: Sequence[int]) -> str:
    return ", ".join(map(str, places))


def add(cells: Sequence[Address], url: str, seconds: float) -> None:
    """Add a cell at the end, or end an addition that broke off. CommandError for one that is of another topology, or has traces."""
    _require_schemas(cells)
    added = parse_url(url)
    prepare_database(added, {})
    _changed(lambda: add_cell(cells, added, _at(seconds)))


def set_taking(cells: Sequence[Address], cell: int, taking: bool, seconds: float) -> None:
    """Drain a cell, or have it take documents again. CommandError where there is none."""
    _require_schemas(cells)
    if not 1 <= cell <= len(cells):
        raise CommandError(f"There is no cell {cell}: there are {len(cells)}.")
    _changed(lambda: set_active(cells, cell - 1, taking, _at(seconds)))


def _require_schemas(cells: Sequence[Address]) -> None:
    """Not `require_cells`: a change that broke off has left them with two topologies, and is to be ended."""
    for cell in cells:
        require_schema(cell)


def _iso(time: int) -> str:
    return datetime.fromtimestamp(time / SECOND, UTC).isoformat(timespec="seconds")


def _at(seconds: float) -> int:
    return now() + int(seconds * SECOND)


def _changed(change: Callable[[], Member]) -> None:
    try:
        member = change()
    except TopologyMismatch as error:
        raise CommandError(f"{error}.") from None
    last = member.owners.last
    print_status(
        f"epoch {member.epoch}: traces that begin from {_iso(last.since)} on go to cells "
        f"{_listed([place + 1 for place in last.active])}"
    )
    print_status(
        "by then start every process again with all cells; those with fewer stop inserting"
    )
