"""The pages of docs/reference/ are what the code says."""

from __future__ import annotations

from pathlib import Path

from tests.docs.reference import FOLDER, pages


def test_pages_are_current(tmp_path: Path) -> None:
    """`python -m tests.docs` renews them."""
    stale = [n for n, text in pages(tmp_path).items() if (FOLDER / n).read_text() != text]
    assert stale == []


def test_every_operation_has_a_section(tmp_path: Path) -> None:
    from tests.docs.operations import TITLES
    from tests.raymap.auth.routes import apps

    paths = apps(tmp_path)[0].openapi()["paths"]
    tags = {
        tag
        for methods in paths.values()
        for each in methods.values()
        for tag in each.get("tags", ())
    }
    assert tags == TITLES.keys()
