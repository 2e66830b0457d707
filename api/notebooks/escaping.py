"""Text of others in Markdown, Mermaid and code: what it says is shown, and does nothing."""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#!|<>~&$@]|:(?=//)|(?<=\bwww)\.)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_LINK = re.compile(r"\]\((?!\s*<?(?:https?://|mailto:|/|#))", re.IGNORECASE)
_REFERENCE = re.compile(r"^(\s*)(\[[^\]]*\]:)")
_MERMAID = {ord(each): f"#{ord(each)};" for each in '"#<>&`\\;[](){}|%'}


def escaped(text: str) -> str:
    """A text in one line that Markdown shows as it is: no link, no HTML, no cell of a table ends."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def mermaid_label(text: str) -> str:
    """A text within the quotes of a Mermaid label."""
    return " ".join(text.split()).translate(_MERMAID)


def fenced(text: str, language: str = "") -> str:
    """A block of code that nothing in it ends."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def written(text: str) -> str:
    """Markdown that someone wrote, without HTML, images from elsewhere and links that run something.

    What is code stays as it is, and ends with the text.
    """
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            lines.append(line)
        elif mark and not (mark[1][0] == "`" and "`" in line[mark.end() :]):
            fence = mark[1]
            lines.append(line)
        else:
            lines.append(_without_html(line))
    return "\n".join([*lines, fence] if fence else lines)


def _without_html(line: str) -> str:
    """A line outside of blocks of code. What is code in it is left alone."""
    parts, end = [], 0
    for code in _CODE.finditer(line):
        parts += [_harmless(line[end : code.start()]), code[0]]
        end = code.end()
    parts.append(_harmless(line[end:]))
    return _REFERENCE.sub(r"\1\\\2", "".join(parts))


def _harmless(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("![", r"!\[")
    return _LINK.sub(r"]\\(", text)
