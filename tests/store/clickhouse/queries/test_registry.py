"""The SQL files: their registry, their rendered text, and that there is no long SQL elsewhere."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries.registry import QueryError, Registry, Sql


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "maps/nodes": "-- Why.\nSELECT /*include shared/columns table=n*/ FROM $source WHERE a = {a:UInt8}",
        "shared/columns": "$table.x, $table.y",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.sql").write_text(text)
    return tmp_path


def test_places_are_filled_and_values_travel_beside_the_text(folder: Path) -> None:
    template = Registry(folder).declare("maps/nodes", "source", "a")
    source = Sql("(SELECT * FROM t WHERE s = {s:String})", {"s": "it's $a {a:UInt8}"})
    rendered = template.render({"source": source}, a=3)
    assert rendered.text == (
        "SELECT n.x, n.y FROM (SELECT * FROM t WHERE s = {s:String}) WHERE a = {a:UInt8}"
    )
    assert rendered.parameters == {"a": 3, "s": "it's $a {a:UInt8}"}


def test_a_rule_is_the_same_in_every_file(folder: Path) -> None:
    (folder / "shared/columns.sql").write_text("$table.x, $late")
    rules = {"late": Sql("at > 9")}
    registry = Registry(folder, rules)
    assert registry.declare("maps/nodes", "source", "a").text.startswith("SELECT n.x, at > 9 FROM")
    registry.require_complete()
    rules["early"] = Sql("at < 9")
    with pytest.raises(QueryError, match="early"):
        registry.require_complete()


class Colour(IntEnum):
    RED = 1
    DEEP_BLUE = 2


def test_a_member_of_an_enumeration_is_its_number(folder: Path) -> None:
    file = folder / "maps/nodes.sql"
    file.write_text("SELECT 1 FROM t WHERE c IN ($Colour.RED, $Colour.DEEP_BLUE)")
    registry = Registry(folder, {}, Colour)
    assert registry.declare("maps/nodes").text == "SELECT 1 FROM t WHERE c IN (1, 2)"
    file.write_text("SELECT 1 FROM t WHERE c = $Colour.GREEN")
    with pytest.raises(QueryError, match=r"Colour\.GREEN"):
        Registry(folder, {}, Colour).declare("maps/nodes")


@pytest.mark.parametrize(
    ("fragments", "parameters"),
    [("", "a"), ("source more", "a"), ("source", ""), ("source", "a b")],
)
def test_a_declaration_that_differs_from_its_file_is_refused(
    folder: Path, fragments: str, parameters: str
) -> None:
    with pytest.raises(QueryError, match="maps/nodes"):
        Registry(folder).declare("maps/nodes", fragments, parameters)


def test_missing_and_unused_files_are_refused(folder: Path) -> None:
    registry = Registry(folder)
    with pytest.raises(QueryError, match="no file maps/edges"):
        registry.declare("maps/edges")
    registry.declare("maps/nodes", "source", "a")
    registry.require_complete()
    (folder / "maps/unused.sql").write_text("SELECT 1")
    with pytest.raises(QueryError, match="maps/unused"):
        registry.require_complete()


def test_a_use_that_differs_from_the_declaration_is_refused(folder: Path) -> None:
    template = Registry(folder).declare("maps/nodes", "source", "a")
    source = Sql("t")
    for fragments, values in (
        ({}, {"a": 1}),
        ({"source": source}, {}),
        ({"source": source}, {"b": 1}),
    ):
        with pytest.raises(QueryError, match="maps/nodes"):
            template.render(fragments, **values)
    with pytest.raises(QueryError, match="two values"):
        template.render({"source": Sql("t", {"a": 2})}, a=1)


TYPED: dict[str, list[Any]] = {
    "String": ["", "it's", "\\ \n\t\0 {b:Int8} $c :d", "é\U0001f600"],
    "FixedString(16)": [bytes(range(16)), bytes(range(240, 256)), b"'\\\n\t\0" + b"'" * 11],
    "Int64": [-(2**63), 2**63 - 1],
    "UInt64": [2**64 - 1],
    "Array(String)": [[], ["it's", "\\", "\n\0"]],
    "Array(UInt64)": [[], [0, 2**64 - 1]],
    "Array(FixedString(16))": [[], [b"'\\\n\t\0" + b"'" * 11, bytes(range(240, 256))]],
    "Array(Tuple(UInt8, Int64))": [[], [(1, -2), (3, 4)]],
}


@pytest.mark.parametrize("type", TYPED)
def test_values_of_each_type_arrive_as_they_were_sent(
    clickhouse_database: Address, type: str
) -> None:
    client: Client = connect(clickhouse_database)
    hexed = "FixedString" in type
    for value in TYPED[type]:
        expression = "arrayMap(x -> hex(x), v)" if type.startswith("Array(Fixed") else "hex(v)"
        text = f"WITH {{v:{type}}} AS v SELECT {expression if hexed else 'v'} AS got"
        ((found,),) = execute(client, Sql(text, {"v": value}))
        if hexed:
            found = (
                [*map(bytes.fromhex, found)] if isinstance(found, list) else bytes.fromhex(found)
            )
        assert found == value
    client.disconnect()
