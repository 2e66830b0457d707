"""What the site's build changes in documents that are written for GitHub."""

from __future__ import annotations

from docs.site.hooks import CONSOLE, indented, relinked

REPOSITORY = "https://git.example/raymap"


def test_links_out_of_docs_go_to_the_repository() -> None:
    line = "See [`users.sql`](../deploy/users.sql#L3), [keys](security.md), [it](#here), [x](https://x)."
    assert relinked(line, "operating.md", REPOSITORY) == line.replace(
        "../deploy/users.sql#L3", f"{REPOSITORY}/blob/main/deploy/users.sql#L3"
    )
    deeper = "[bench](../../bench/README.md), [map](../api.md)"
    assert relinked(deeper, "benchmarks/README.md", REPOSITORY) == deeper.replace(
        "../../bench", f"{REPOSITORY}/blob/main/bench"
    )


def test_without_a_repository_such_links_are_text() -> None:
    assert (
        relinked("[rules](../deploy/x.yaml) and [keys](a.md)", "b.md", "")
        == "rules and [keys](a.md)"
    )


def test_names_of_files_become_titles() -> None:
    line = "as [security.md](security.md#keys) and [here](security.md) say"
    assert relinked(line, "api.md", "") == line.replace("[security.md]", "[Keys, roles and TLS]")


def test_what_belongs_to_a_numbered_item_is_indented_by_four() -> None:
    lines = ["1. First:", "", "   ```sh", "   ls", "   ```", "2. Second", "", "End", "   quoted"]
    assert indented(lines) == [
        *("1. First:", "", "    ```sh", "    ls", "    ```", "2. Second", "", "End", "   quoted"),
    ]


def test_the_logo_and_the_colours_are_the_consoles() -> None:
    assert all(source.is_file() for source in CONSOLE.values())
