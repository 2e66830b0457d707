"""Stack traces of several languages, and their chains of causes."""

from __future__ import annotations

import pytest

from store.otel.stack_traces import MAX_CAUSES, MAX_FRAMES, frames_of, split_causes
from store.otel.status import Thrown


@pytest.mark.parametrize(
    ("language", "line", "frame"),
    [
        ("kotlin", "\tat com.shop.Cart.add(Cart.kt:12)", ("Cart.kt", 12, "com.shop.Cart.add")),
        (
            "java",
            "\tat com.shop.Cart.add(Native Method)",
            ("Native Method", 0, "com.shop.Cart.add"),
        ),
        ("webjs", "    at add (/srv/cart.js:12:5)", ("/srv/cart.js", 12, "add")),
        ("php", "#0 /srv/cart.php(12): add()", ("/srv/cart.php", 12, "add()")),
    ],
)
def test_one_frame(language: str, line: str, frame: tuple[str, int, str]) -> None:
    (found,) = frames_of("E: x\n" + line, language)
    assert (found["path"], found["line"], found["label"]) == frame


def test_frames_are_bounded_and_unknown_languages_have_none() -> None:
    assert len(frames_of("\tat a.b(C.java:1)\n" * 99, "java")) == MAX_FRAMES
    assert frames_of("\tat a.b(C.java:1)", "brainfuck") == []


def test_causes_are_split_step_by_step() -> None:
    stack = "A: one\n\tat a.b(C.java:1)\nCaused by: x.B: two\n\tat d.e(F.java:2)\nCaused by: C\n"
    chain = split_causes(Thrown("A", "one", stack), "java")
    assert [(each.type, each.message) for each in chain] == [
        ("A", "one"),
        ("x.B", "two"),
        ("C", ""),
    ]
    endless = "A\n" + "Caused by: B: x\n" * 99
    assert len(split_causes(Thrown("A", "", endless), "java")) == MAX_CAUSES + 1


def test_without_a_type_or_stack_there_is_no_chain() -> None:
    for thrown in (Thrown("", "m", "A\nCaused by: B"), Thrown("A", "m")):
        assert split_causes(thrown, "java") == [thrown]
