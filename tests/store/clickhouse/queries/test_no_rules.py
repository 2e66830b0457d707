"""No rule about outcomes is in SQL that counts: it carries what rows say of theirs into cases, and Python decides on these."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from store.clickhouse import queries
from store.clickhouse.queries.registry import COMMENT
from store.clickhouse.queries.rules import FIRST_CASE, MARKER
from store.clickhouse.units.aggregates import PLACES, UNWEIGHTED, WEIGHTED, read_aggregate
from store.model import CLIENT, COMPLETE, UNCONFIRMED, State, derived_version, precedence
from store.rules.brokers import MESSAGING
from store.rules.other_names import OTHER_NAMES
from store.times import MINUTE

FOLDER = Path(queries.__file__).parent
STATEMENTS = {
    str(path.relative_to(FOLDER).with_suffix("")): COMMENT.sub("", path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*/*.sql"))
}
MODULES_FOLDER = FOLDER.parent
MODULES = sorted(MODULES_FOLDER.rglob("*.py"))
COUNTING = {
    name: text for name, text in STATEMENTS.items() if name.startswith(("units/", "rollup/"))
}
CONSTANTS = [
    *(UNCONFIRMED.strip(), "AWS::", MESSAGING, OTHER_NAMES, f"'{CLIENT}'", "/*'"),
    *map(str, (MARKER, MINUTE, FIRST_CASE, COMPLETE, COMPLETE - 1)),
]
"""Parts of names, and numbers, that Python's rules compare with."""
NUMBERS = re.compile(r"\b(?:fetched|independent|kind|state)(?: !?= | [<>]=? | (?:NOT )?IN )\(?\d")
OUTCOME = re.compile(r"\b(?:state|status|exception|user_agent)\b")
COLUMNS = re.compile(r", state, status, exception$", re.MULTILINE)
"""They are selected as they are."""
CANARY = "position(user_agent, {canary:String}) > 0"
"""Of user agents there are too many to carry."""
CARRYING = ("units/case_columns", "units/scope_rows")


def outcomes_in(name: str, text: str) -> list[str]:
    """What a statement says of outcomes, beyond carrying them."""
    return OUTCOME.findall(
        COLUMNS.sub("", text).replace(CANARY, "") if name in CARRYING else text,
    )


@pytest.mark.parametrize("name", COUNTING)
def test_counting_names_no_outcome(name: str) -> None:
    assert outcomes_in(name, COUNTING[name]) == []


def test_the_sums_of_units_name_no_kind() -> None:
    fragments = [each.text for each in (*UNWEIGHTED.values(), *WEIGHTED.values())]
    texts = [COUNTING[f"units/{name}"] for name in ("count", "units", "units_with_other_names")]
    assert [text for text in (*fragments, *texts) if re.search(r"\bkind (IN|=|!=)", text)] == []


@pytest.mark.parametrize("constant", CONSTANTS)
def test_no_statement_repeats_a_constant(constant: str) -> None:
    assert [name for name, text in STATEMENTS.items() if constant in text] == []


def test_no_statement_says_which_versions_are_derived() -> None:
    """Traces with any are decided in Python: a complete copy may replace them (units/references.sql)."""
    bound = str(precedence(State.OK, derived_version(0, 0)))
    assert [name for name, each in queries.REGISTRY.templates.items() if bound in each.text] == []


def test_no_statement_says_what_answers_or_processes() -> None:
    """`store.rules.brokers.answers` and `store.messages.is_processed_by` do, and $answers and $processes (`RULES`)."""
    consumes = re.compile(r"\bkind !?= \$Kind\.CONSUMER AND .*fetched|\bkind != \$Kind\.CONSUMER")
    assert [name for name, text in STATEMENTS.items() if consumes.search(text)] == []


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_repeats_the_number_of_a_member(name: str) -> None:
    assert NUMBERS.findall(STATEMENTS[name]) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(MODULES_FOLDER)))
def test_no_module_repeats_the_number_of_a_member(path: Path) -> None:
    assert NUMBERS.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "rule",
    [
        "sumIf(weights, state = 1) AS ok_",
        "if(state = 0, 1, duration)",
        "multiIf(exception != '', exception, status >= 400, 'failed', '')",
        "position(user_agent, 'CloudWatchSynthetics') > 0 AS synthetic",
    ],
)
def test_a_rule_is_found_where_outcomes_are_carried(rule: str) -> None:
    assert outcomes_in("units/scope_rows", COUNTING["units/scope_rows"] + rule)


def test_the_place_of_each_state_is_that_of_its_count() -> None:
    for state, place in PLACES.items():
        counts = [int(each == place) for each in range(1, len(State) + 1)]
        row: list[Any] = [[], 0, 0, 0, 0, *counts, 1, 0, {}, {}, {}]
        assert getattr(read_aggregate(row).statistics, state.name.lower()) == 1
