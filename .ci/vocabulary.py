"""Refuse words that have a standard term in tracing, ClickHouse, Kafka or Python.

``python .ci/vocabulary.py`` checks every tracked text file: names of files, identifiers (whole or as a
``snake_case`` or ``camelCase`` part), comments, strings, SQL, TypeScript and Markdown. It prints one
``path:line: word: text`` per occurrence and a summary, and exits 1 when there is any.
``CONTRIBUTING.md`` says what to write instead.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUGGESTIONS = {
    ("asked", "asker", "askers"): "requested, query, QueryRunner",
    ("door", "doors"): "receiver, listener",
    ("held", "holds"): "contains, stores, true, reserved",
    ("kept", "keeper", "keepers"): "retained, stored, acknowledged",
    ("kin", "kinship"): "related, parent",
    ("nobody", "somebody", "whoever"): "no client, a reader, the sender",
    ("seldom",): "rarely, throttled",
    ("sheet", "sheets"): "columns",
    ("shelf", "shelves"): "partition",
    ("stray", "strays"): "orphan, unresolved",
    ("tallies", "tallied", "tally"): "aggregate, count",
    ("told",): "notified, reported",
    ("weave", "weaver", "weaves", "weaving", "woven"): "build",
}
WORDS = {word: instead for words, instead in SUGGESTIONS.items() for word in words}
PHRASES = {
    "away": re.compile(
        r"\b(?:is|are|be|been|being|was|were|or|stay|stays|stayed|while) away\b", re.I
    ),
    "of late": re.compile(r"\bof late(?=[.,;:)])", re.I),
}
"""'away' is refused as a state ("the store is away"), not in "right away"; "of late data" is fine."""

NAMES = re.compile(
    r"\bZooKeeper\b|\bKeeper\b|apache\.zookeeper|ZooKeeperServerMain|clickhouse,? keeper|insert_keeper_max_retries|keeper_server"
)
"""Programs that coordinate ClickHouse's replicas, and a setting: names, not words of ours."""

PARTS_ONLY = frozenset(["away"])
"""Ordinary English on its own, refused as part of an identifier (``StoreAway``, ``is_away``)."""

ALLOWED = (
    (r"\.ci/vocabulary\.py", r".*", "this list"),
    (r"tests/test_vocabulary\.py", r".*", "samples of refused text"),
    (r"CONTRIBUTING\.md", r"^\|.*\|$", "the table that says what to write instead"),
)
"""Path, text of the line, reason. Keep it short: a third-party name, or a text about the words."""

SUFFIXES = frozenset(
    [
        ".py",
        ".pyi",
        ".sql",
        ".ts",
        ".tsx",
        ".js",
        ".mjs",
        ".css",
        ".html",
        ".proto",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".sh",
        ".cfg",
        ".ini",
    ]
)
BARE_NAMES = frozenset(["Makefile", "run"])

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Occurrence(NamedTuple):
    """A refused word: where, which, and the text of its line (line 0: the path itself)."""

    path: str
    line: int
    word: str
    text: str


def words_in(text: str) -> Iterator[str]:
    """Refused words and phrases of one line, in lower case, as often as they occur."""
    for identifier in _IDENTIFIER.findall(NAMES.sub("", text)):
        parts = [part.lower() for part in _PART.findall(identifier)]
        yield from (part for part in parts if part in WORDS)
        if len(parts) > 1:
            yield from (part for part in parts if part in PARTS_ONLY)
    for name, pattern in PHRASES.items():
        yield from (name for _ in pattern.findall(text))


def is_allowed(path: str, text: str) -> bool:
    """Whether the allow-list covers this line."""
    return any(re.fullmatch(where, path) and re.match(line, text) for where, line, _ in ALLOWED)


def occurrences(root: Path, path: str) -> Iterator[Occurrence]:
    """Refused words in the name and in the text of one file."""
    lines = [path, *(root / path).read_text(encoding="utf-8").splitlines()]
    for number, text in enumerate(lines):
        if not is_allowed(path, text):
            yield from (Occurrence(path, number, word, text.strip()) for word in words_in(text))


def tracked_files(root: Path) -> list[str]:
    """Text files that git tracks or would add, as paths below ``root``."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(
        name
        for name in filter(None, listed.split("\0"))
        if (Path(name).suffix in SUFFIXES or Path(name).name in BARE_NAMES)
        and (root / name).is_file()
    )


def main() -> int:
    """Check the given files, or all of the repository."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "files", nargs="*", help="paths below --root; all tracked text files if none"
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--count", action="store_true", help="print the summary only")
    options = parser.parse_args()
    files = options.files or tracked_files(options.root)
    found = [each for file in files for each in occurrences(options.root, file)]
    if not options.count:
        for each in found:
            print(f"{each.path}:{each.line}: {each.word}: {each.text[:140]}")
    print(
        f"vocabulary: {len(found)} occurrences in {len({each.path for each in found})} of {len(files)} files"
    )
    if found:
        for word, count in Counter(each.word for each in found).most_common():
            print(f"  {count:5} {word:10} instead: {WORDS.get(word, 'unavailable, recently')}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
