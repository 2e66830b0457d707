"""raymap topology: the cells, and what each has of the traces."""

from __future__ import annotations

from collections.abc import Sequence

from store.cells.topology import read_member
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect


def show(cells: Sequence[Address]) -> None:
    """A line for each cell, the home cell first."""
    if len(cells) == 1:
        print(f"one cell: {cells[0].name}/{cells[0].database}")
        return
    for place, cell in enumerate(cells, 1):
        client = connect(cell)
        try:
            member = read_member(client)
            ((traces,),) = client.execute("SELECT uniq(trace_id) FROM traces")
        finally:
            client.disconnect()
        assert member is not None, "the topology has been checked"
        what = f"epoch {member.epoch}, {traces:,} traces"
        home = ", configuration and logs" if place == 1 else ""
        print(f"{place} of {len(cells)}  {cell.name}/{cell.database}  {what}{home}")
