"""What an answer lacks is said where that can be done, or refused."""

from __future__ import annotations

from store.missing import gathering, lacks, note, whole


def test_not_gathered() -> None:
    assert not note(["cell 2"])
    assert lacks() == []


def test_gathered() -> None:
    with gathering() as lacking:
        assert note(["cell 2"])
        with gathering() as inner:
            assert lacks() == []
        assert note(["cell 1", "cell 2"])
        assert lacks() == ["cell 1", "cell 2"]
    assert lacking.names == ["cell 1", "cell 2"]
    assert inner.names == []
    assert lacks() == []


def test_what_is_judged_is_whole() -> None:
    with gathering():
        with whole():
            assert not note(["cell 2"])
        assert lacks() == []


def test_an_answer_that_has_begun() -> None:
    with gathering() as lacking:
        lacking.closed = True
        assert not note(["cell 2"])
