"""A notebook as Markdown. Its pictures are text, so that they can be pasted: GitHub, GitLab and Azure DevOps draw
Mermaid, none of them an image that is part of the text, and a trace's timeline is aligned in a block of code."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from api.notebooks.escaping import escaped, fenced, mermaid_label, written
from api.schemas.notebooks import NotebookEntryLine, NotebookFigures, NotebookReply

MARKDOWN = "text/markdown"
WIDTH, NAMES = 40, 44
"""Characters of the bars and of the names of a timeline."""
_KINDS = {"view": "View", "trace": "Trace", "problem": "Problem", "words": "Note"}
_FAILING = {"fault": "#d13212", "error": "#b7791f", "throttle": "#8e44ad"}


def markdown(notebook: NotebookReply, site: str, now: int, pictures: Collection[str] = ()) -> str:
    """A notebook; ``site``: where links lead to, ``now``: epoch seconds, ``pictures``: entries whose maps are files."""
    entries = notebook["entries"]
    head = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, exported {_time(now)}"
    link = f"[notebook]({site}/notebooks/{notebook['id']})"
    parts = [f"# {escaped(notebook['title'])}", f"{head} from the {link}."]
    for entry in entries:
        parts += _entry(entry, site, pictures)
    return "\n\n".join(parts) + "\n"


def _entry(entry: NotebookEntryLine, site: str, pictures: Collection[str]) -> Iterator[str]:
    figures = entry["figures"]
    title = figures["title"] if figures else _KINDS[entry["kind"]]
    yield f"## {_time(entry['at'])} · {escaped(title)}"
    by = f", {escaped(entry['by'])}" if entry["by"] else ""
    what = (
        f"[{_KINDS[entry['kind']]}]({_address(site + entry['path'])})" if entry["path"] else "Note"
    )
    counted = f"; figures of {_time(entry['added'])}" if figures else ""
    yield f"{what}{by}{counted}"
    if entry["text"]:
        yield written(entry["text"])
    if entry["expired"]:
        yield "_The traces of this entry have expired since; its figures are those of when it was added._"
    if figures:
        yield from _figures(figures, entry["id"] if entry["id"] in pictures else "")


def _figures(figures: NotebookFigures, picture: str) -> Iterator[str]:
    if figures["facts"]:
        yield " · ".join(
            f"{escaped(name)}: **{escaped(value)}**" for name, value in figures["facts"]
        )
    if figures["is_empty"]:
        yield "Nothing was counted."
    if figures["bars"]:
        yield timeline(figures)
    elif figures["rows"]:
        if figures["states"]:
            yield f"![Service map](pictures/{picture}.svg)" if picture else diagram(figures)
        yield _table(figures)
    if figures["left_out"]:
        yield f"and {figures['left_out']:,} more"


def diagram(figures: NotebookFigures) -> str:
    """A map as a Mermaid flowchart."""
    lines = ["flowchart LR"]
    for at, (row, state) in enumerate(zip(figures["rows"], figures["states"], strict=True)):
        name, requests, faults = mermaid_label(row[0]), row[2], row[3]
        words = f"{requests} requests" + (f", {faults} faults" if state == "fault" else "")
        lines.append(f'  n{at}["{name}<br/>{mermaid_label(words)}"]')
    for source, target, requests in figures["edges"]:
        lines.append(f'  n{source} -->|"{mermaid_label(requests)}"| n{target}')
    for state, colour in _FAILING.items():
        nodes = [f"n{at}" for at, each in enumerate(figures["states"]) if each == state]
        if nodes:
            lines.append(f"  classDef {state} stroke:{colour},stroke-width:3px")
            lines.append(f"  class {','.join(nodes)} {state}")
    return fenced("\n".join(lines), "mermaid")


def timeline(figures: NotebookFigures) -> str:
    """The rows of a trace with bars, aligned in a block of code."""
    lines = []
    for row, depth, (start, length) in zip(
        figures["rows"], figures["depths"], figures["bars"], strict=True
    ):
        name = f"{'  ' * depth}{row[0]}"
        name = name if len(name) <= NAMES else f"{name[: NAMES - 1]}…"
        first = min(int(start * WIDTH), WIDTH - 1)
        bar = "█" * max(1, min(round(length * WIDTH), WIDTH - first))
        status = "" if row[1].split(" ")[0] == "ok" else f"  {row[1]}"
        lines.append(f"{name:<{NAMES}} {' ' * first + bar:<{WIDTH}} {row[3]:>10}{status}")
    return fenced("\n".join(line.rstrip() for line in lines))


def _table(figures: NotebookFigures) -> str:
    head = [escaped(each) for each in figures["columns"]]
    rows = [[escaped(each) for each in row] for row in figures["rows"]]
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


def _address(text: str) -> str:
    """An address within the brackets of a link."""
    return text.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
