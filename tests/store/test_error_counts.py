"""When sources of a function's errors contradict each other."""

from __future__ import annotations

import msgspec
import pytest

from collector.decode.document import decode_document
from store.error_counts import LEAST, Counted, Said, chance, contradict, spans_of
from store.model import Document, State, derived_version
from store.rules.invocation_documents import documents_of
from store.rules.invocations import Invocation, rank_of
from tests.builders import segment, subsegment, trace_of
from tests.lambda_samples import END, telemetry
from tests.store.test_invocation_evidence import FUNCTION

LATER = END + 60_000_000


def test_of_the_same_invocations_every_error_counts() -> None:
    stream = {0: Counted(1, 100), 60: Counted(0, 50)}
    assert not contradict(stream, dict(stream))
    assert contradict(stream, {0: Counted(0, 100), 60: Counted(0, 50)})
    assert contradict(stream, {0: Counted(0, 100), 60: Counted(1, 50)})


def test_steps_that_one_source_lacks_are_not_compared() -> None:
    assert not contradict({0: Counted(9, 9)}, {60: Counted(0, 9)})
    assert not contradict({}, {60: Counted(0, 9)})
    assert not contradict({0: Counted(9, 9), 60: Counted(0, 5)}, {60: Counted(0, 5)})


@pytest.mark.parametrize(
    ("all", "sample", "beyond"),
    [
        (Counted(24, 1_000), Counted(1, 50), False),  # 1.2 are to be expected
        (Counted(24, 1_000), Counted(0, 50), False),
        (Counted(24, 1_000), Counted(10, 50), True),
        (Counted(240, 1_000), Counted(0, 50), True),
        (Counted(0, 1_000), Counted(3, 20), True),
        (Counted(24, 1_000), Counted(23, 998), False),  # a minute is cut otherwise
        (Counted(24, 1_000), Counted(0, 998), True),
        (Counted(0, 0), Counted(3, 20), False),
    ],
)
def test_of_a_sample_what_chance_does_not_explain(
    all: Counted, sample: Counted, beyond: bool
) -> None:
    assert contradict({0: all}, {0: sample}) is beyond
    assert contradict({0: sample}, {0: all}) is beyond
    assert (chance(all, sample) < LEAST) is beyond


def derived(record: Invocation) -> list[Document]:
    """What is made of a record."""
    version = derived_version(1, rank_of(record))
    return [decode_document(msgspec.json.encode(each), version) for each in documents_of(record)]


def said(*documents: Document) -> list[tuple[bool, bool | None]]:
    found: list[Said] = list(spans_of([trace_of(*documents)], "checkout", now=LATER))
    return [(each.failed, each.logged) for each in found]


def test_spans_say_it_of_a_function_that_reports_itself() -> None:
    """By its own segment, whether or not there is a record of it."""
    failed = segment(7, node=FUNCTION, state=State.FAULT)
    assert said(failed) == [(True, None)]
    assert said(segment(7, node=FUNCTION._replace(name="other"))) == []
    assert said(segment(7, node=FUNCTION, state=State.IN_PROGRESS)) == []


@pytest.mark.parametrize("line", ["", "ValueError"])
@pytest.mark.parametrize("state", [State.OK, State.FAULT])
def test_spans_and_lines_of_one_invocation(line: str, state: State) -> None:
    record = telemetry(failure=line)
    documents = derived(record)
    function = next(each for each in documents if each.node == FUNCTION)
    assert said(*documents) == [], "an SDK's calls alone say nothing"
    handler = subsegment(
        9,
        parent_id=function.id,
        trace_id=function.trace_id,
        start=function.start,
        end=function.end,
        service="## handler",
        state=state,
    )
    assert said(*documents, handler) == [(state is State.FAULT, line != "")]
