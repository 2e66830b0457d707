"""The text of every statement but those of searches, with all includes resolved.

After an intended change:  python -m tests.store.clickhouse.queries.test_golden
"""

from __future__ import annotations

from pathlib import Path

import pytest

from store.clickhouse.queries import REGISTRY, Sql, Template

GOLDEN = Path(__file__).parent / "golden"
PACKAGES = (
    *("units", "rollup", "graph", "pins", "retention", "diagnostics", "config", "versions"),
    "alarms",
    "logs",
    "metrics",
    "problems",
)
NAMES = [name for name in REGISTRY.templates if name.split("/")[0] in PACKAGES]


def rendered(template: Template) -> str:
    """The statement with fragments shown as ``<name>``; parameters stay placeholders."""
    fragments = {name: Sql(f"<{name}>") for name in template.fragments}
    return template.render(fragments, **dict.fromkeys(template.parameters, 0)).text + "\n"


def golden_file(name: str) -> Path:
    return GOLDEN / f"{name}.sql"


@pytest.mark.parametrize("name", NAMES)
def test_rendered_text(name: str) -> None:
    assert rendered(REGISTRY.templates[name]) == golden_file(name).read_text(encoding="utf-8")


def test_every_golden_file_has_a_statement() -> None:
    found = {str(path.relative_to(GOLDEN).with_suffix("")) for path in GOLDEN.glob("*/*.sql")}
    assert found == set(NAMES)


if __name__ == "__main__":
    for name in NAMES:
        golden_file(name).parent.mkdir(parents=True, exist_ok=True)
        golden_file(name).write_text(rendered(REGISTRY.templates[name]), encoding="utf-8")
