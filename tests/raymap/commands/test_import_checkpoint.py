"""Spans of time, and the file that remembers them."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymap.commands.import_checkpoint import Checkpoint, Span, default_path, merged, remaining
from raymap.errors import CommandError

JOB = {"region": "eu-west-1", "to": "http://127.0.0.1:2000"}
spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def moments(*some: Span) -> set[int]:
    return {moment for start, end in some for moment in range(start, end)}


@given(spans)
def test_merged_spans_are_the_same_time_in_order_and_apart(some: list[Span]) -> None:
    found = merged(some)
    assert moments(*found) == moments(*some)
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(st.tuples(st.integers(0, 60), st.integers(0, 60)), spans, st.integers(1, 20))
def test_what_remains_and_what_is_done_are_the_whole(
    whole: Span, done: list[Span], longest: int
) -> None:
    pieces = list(remaining(whole, done, longest))
    assert moments(*pieces) == moments(whole) - moments(*done)
    assert sum(end - start for start, end in pieces) == len(moments(*pieces)), "no overlap"
    assert all(0 < end - start <= longest for start, end in pieces)
    assert pieces == sorted(pieces)


def test_a_second_run_reads_what_the_first_completed(tmp_path: Path) -> None:
    path = tmp_path / "state" / "checkpoint.json"
    first = Checkpoint.load(path, JOB)
    for span in [(0, 10), (20, 30), (10, 15), (40, 40)]:
        first.complete(span)
    assert Checkpoint.load(path, JOB).done == [(0, 15), (20, 30)]
    assert os.listdir(path.parent) == ["checkpoint.json"], "no temporary file is left"


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.json"
    checkpoint = Checkpoint.load(path, JOB)
    checkpoint.complete((0, 10))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.complete((10, 20))
    assert Checkpoint.load(path, JOB).done == [(0, 10)]
    assert os.listdir(tmp_path) == ["checkpoint.json"]


def test_the_file_of_another_import_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    Checkpoint.load(path, JOB).complete((0, 10))
    with pytest.raises(CommandError, match="region is 'eu-west-1', not 'us-east-1'"):
        Checkpoint.load(path, {**JOB, "region": "us-east-1"})


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"format": 1, "import": {}, "done": [[1]]}', b"[]"]
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="is no checkpoint of an import, or damaged"):
        Checkpoint.load(path, JOB)


def test_each_import_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = default_path(JOB)
    assert path.parent == tmp_path / "raymap"
    assert path == default_path(dict(reversed(JOB.items())))
    assert path != default_path({**JOB, "to": "elsewhere"})
