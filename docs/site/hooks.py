"""Hooks of the site's build: documents stay written for GitHub, and the site gets what it needs.

Links that leave docs/ go to the repository, if `RAYMAP_REPOSITORY` says where it is, and are plain text
otherwise; tests/test_docs.py checks that they exist. The logo and the colours are the console's.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = {
    "site/logo.svg": ROOT / "ui" / "public" / "favicon.svg",
    "site/tokens.css": ROOT / "ui" / "src" / "styles" / "tokens.css",
}
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^\s*```")
_NUMBERED = re.compile(r"^\d+\. ")


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Adds the files that the console and the site share."""
    from mkdocs.structure.files import File  # tests have no mkdocs

    for name, source in CONSOLE.items():
        files.append(File.generated(config, name, abs_src_path=str(source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The text of a page, with links and lists as the site's parser expects them."""
    repository = str(config.repo_url or "").rstrip("/")
    lines = []
    fenced = False
    for line in indented(markdown.splitlines()):
        fenced ^= bool(_FENCE.match(line))
        lines.append(line if fenced else relinked(line, page.file.src_uri, repository))
    return "\n".join(lines) + "\n"


def relinked(line: str, page: str, repository: str) -> str:
    """The line with its links out of docs/ leading to the repository, or as text; names of files become titles."""

    def replace(found: re.Match[str]) -> str:
        text, target = found.groups()
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        if path.startswith("docs/"):
            file = path.partition("#")[0]
            return f"[{title(file)}]({target})" if text == posixpath.basename(file) else found[0]
        return f"[{text}]({repository}/blob/main/{path})" if repository else text

    return _LINK.sub(replace, line)


@cache
def title(path: str) -> str:
    """The heading of a document, for links that have the name of its file as their text."""
    first = (ROOT / path).read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ") if path.endswith(".md") else posixpath.basename(path)


def indented(lines: list[str]) -> list[str]:
    """What belongs to a numbered item indented by four, where CommonMark is content with three."""
    inside, result = False, []
    for line in lines:
        if _NUMBERED.match(line):
            inside = True
        elif line and not line.startswith(" "):
            inside = False
        result.append(" " + line if inside and line.startswith("   ") else line)
    return result
