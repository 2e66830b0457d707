"""The vocabulary check: what it refuses, and what is ordinary English."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "vocabulary.py"


@pytest.fixture(scope="module")
def vocabulary() -> Iterable[ModuleType]:
    spec = importlib.util.spec_from_file_location("vocabulary", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["vocabulary"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["vocabulary"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the door is open", ["door"]),
        ("class SpanDoor:", ["door"]),
        ("def put_packed(self, kept_rows):", ["kept"]),
        ('log.warning("store_away")', ["away"]),
        ("class StoreAway(Exception):", ["away"]),
        ("# while the store is away", ["away"]),
        ("Written anew of late.", ["of late"]),
        ("HELD = 3  # asked for by nobody", ["held", "asked", "nobody"]),
    ],
)
def test_refuses_whole_words_and_parts_of_identifiers(
    vocabulary: ModuleType, text: str, words: list[str]
) -> None:
    assert sorted(vocabulary.words_in(text)) == sorted(words)


@pytest.mark.parametrize(
    "text",
    [
        "throw it away",
        "right away",
        "indoor taskbar",
        "of late documents",
        "a stylesheet",
        "household",
    ],
)
def test_ordinary_english_passes(vocabulary: ModuleType, text: str) -> None:
    assert list(vocabulary.words_in(text)) == []


def test_names_of_files_count(vocabulary: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "seldom.py").write_text("x = 1\n")
    assert [tuple(each)[:3] for each in vocabulary.occurrences(tmp_path, "seldom.py")] == [
        ("seldom.py", 0, "seldom")
    ]
