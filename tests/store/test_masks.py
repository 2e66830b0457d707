"""Masks name their rule, and are counted where documents are stored."""

from __future__ import annotations

from store.masks import count_masks, is_mask, mask_of


def test_masks() -> None:
    assert is_mask(mask_of("card"))
    assert is_mask("***"), "as earlier releases wrote them"
    for text in ("", "**", "****", "***a", "***A***", "x***a***", "***a***b", "***a***b***"):
        assert not is_mask(text)


def test_masks_are_counted_by_rule() -> None:
    raws = [
        b'{"a": "***card***", "b": "?t=***token***&u=***my-rule***"}',
        b"\x0a\x09***card******card***",
        b"***",
    ]
    assert count_masks(raws) == {"card": 3, "token": 1, "my-rule": 1}
    assert count_masks([b"***" * 9, b""]) == {}
