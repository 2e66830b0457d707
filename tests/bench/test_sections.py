"""Sections of the benchmark results: written once, then replaced in place."""

from __future__ import annotations

from pathlib import Path

from bench.sections import results_folder, table, write

REPOSITORY = Path(__file__).resolve().parents[2]


def test_new_sections_are_appended_in_order(tmp_path: Path) -> None:
    write(tmp_path, "scale", "## Scale\n\n1 ms")
    write(tmp_path, "soak", "## Soak")
    text = (tmp_path / "benchmarks" / "README.md").read_text()
    assert text.startswith("# Benchmarks: current results\n")
    assert text.index("## Scale") < text.index("## Soak")


def test_a_section_is_replaced_in_place_and_the_rest_is_untouched(tmp_path: Path) -> None:
    write(tmp_path, "scale", "## Scale\n\nold figure \\1")
    write(tmp_path, "soak", "## Soak")
    write(tmp_path, "scale", r"## Scale, \g<0> new")
    text = (tmp_path / "benchmarks" / "README.md").read_text()
    assert "old figure" not in text
    assert r"\g<0> new" in text
    assert text.index("## Scale") < text.index("## Soak")


def test_every_generated_section_of_the_repository_would_be_replaced(tmp_path: Path) -> None:
    """The markers in the committed file are those that the benches look for, and nothing else is replaced."""
    committed = (REPOSITORY / "docs" / "benchmarks" / "README.md").read_text()
    (results_folder(tmp_path) / "README.md").write_text(committed)
    rest = committed
    for name in ("scale", "soak", "recall"):
        begin, end = rest.index(f"<!-- {name}:"), rest.index(f"<!-- /{name} -->")
        assert end - begin > 500, "a section with results"
        rest = rest[:begin] + rest[end:]
        write(tmp_path, name, f"## new {name}")
    text = (tmp_path / "benchmarks" / "README.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## new")] == [
        "## new scale",
        "## new soak",
        "## new recall",
    ]
    assert abs(len(text) - len(rest)) < 500, (
        "what was there of each section is gone, and nothing else"
    )


def test_table() -> None:
    assert list(table(("", "ms"), [("map", "3")])) == ["|  | ms |", "|---|--:|", "| map | 3 |"]
