"""A notebook as Markdown: what others wrote is shown and does nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.notebooks.escaping import escaped, fenced, mermaid_label, written
from api.notebooks.markdown import markdown
from api.schemas.notebooks import NotebookEntryLine, NotebookFigures, NotebookReply

AT = 1_795_557_180


def figures(**change: Any) -> NotebookFigures:
    empty: NotebookFigures = {
        "title": "Service map",
        "facts": [],
        "columns": [],
        "rows": [],
        "states": [],
        "edges": [],
        "bars": [],
        "depths": [],
        "left_out": 0,
        "is_empty": False,
    }
    return {**empty, **change}  # type: ignore[typeddict-item]


def entry(**change: Any) -> NotebookEntryLine:
    words: NotebookEntryLine = {
        "id": "e",
        "kind": "words",
        "at": AT,
        "text": "",
        "path": "",
        "figures": None,
        "expired": False,
        "added": AT + 60,
        "modified": AT + 60,
        "by": "ann",
    }
    return {**words, **change}  # type: ignore[typeddict-item]


def notebook(*entries: NotebookEntryLine, title: str = "Checkout") -> NotebookReply:
    return {
        "id": "5f",
        "title": title,
        "revision": 1,
        "created": AT,
        "modified": AT,
        "by": "ann",
        "entries": list(entries),
        "most": 100,
    }


def test_the_whole_of_a_notebook() -> None:
    map_ = figures(
        facts=[("Services", "2")],
        columns=["Service", "Type", "Requests", "Faults"],
        rows=[["web", "", "8", "12.5 %"], ["stock|x", "", "2", "0 %"]],
        states=["fault", "ok"],
        edges=[(0, 1, "2")],
        left_out=3,
    )
    trace = figures(
        title="GET /a",
        columns=["Segment", "Status", "Start", "Duration"],
        rows=[["web", "ok", "0 ms", "1 s"], ["stock", "fault 500 E", "500 ms", "500 ms"]],
        bars=[(0.0, 1.0), (0.5, 0.5)],
        depths=[0, 1],
    )
    text = markdown(
        notebook(
            entry(text="It *began* here."),
            entry(kind="view", path="/map?from=1&to=2&filter=service(%22a%22)", figures=map_),
            entry(kind="trace", path="/traces/1-a", figures=trace, expired=True, by=""),
        ),
        "http://here",
        AT + 120,
    )
    bar = "█" * 40
    assert (
        text
        == f"""# Checkout

3 entries, exported 2026-11-24 21:55:00 UTC from the [notebook](http://here/notebooks/5f).

## 2026-11-24 21:53:00 UTC · Note

Note, ann

It *began* here.

## 2026-11-24 21:53:00 UTC · Service map

[View](http://here/map?from=1&to=2&filter=service%28%22a%22%29), ann; figures of 2026-11-24 21:54:00 UTC

Services: **2**

```mermaid
flowchart LR
  n0["web<br/>8 requests, 12.5 #37; faults"]
  n1["stock#124;x<br/>2 requests"]
  n0 -->|"2"| n1
  classDef fault stroke:#d13212,stroke-width:3px
  class n0 fault
```

| Service | Type | Requests | Faults |
| --- | --- | --- | --- |
| web |  | 8 | 12.5 % |
| stock\\|x |  | 2 | 0 % |

and 3 more

## 2026-11-24 21:53:00 UTC · GET /a

[Trace](http://here/traces/1-a); figures of 2026-11-24 21:54:00 UTC

_The traces of this entry have expired since; its figures are those of when it was added._

```
{"web":<44} {bar}        1 s
{"  stock":<44} {" " * 20}{"█" * 20}     500 ms  fault 500 E
```
"""
    )


def test_a_map_may_be_a_file() -> None:
    map_ = figures(columns=["Service"], rows=[["web", "", "8", ""]], states=["ok"])
    shown = entry(kind="view", path="/map?from=1&to=2", figures=map_)
    text = markdown(notebook(shown, {**shown, "id": "f"}), "http://here", AT, {"e"})
    assert text.count("![Service map](pictures/e.svg)") == 1
    assert text.count("```mermaid") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("&lt;b>", "&amp;lt;b>"),
        ("![x](http://evil/x.png)", r"!\[x](http://evil/x.png)"),
        ("[x](javascript:alert(1))", r"[x]\(javascript:alert(1))"),
        ("[x]( data:text/html,a)", r"[x]\( data:text/html,a)"),
        ("[x](https://a.b) [y](/map) [z](#a)", "[x](https://a.b) [y](/map) [z](#a)"),
        ("[x]: javascript:alert(1)", r"\[x]: javascript:alert(1)"),
        ("`a < b && c`, a < b", "`a < b && c`, a &lt; b"),
        ("``a ` < b`` <", "``a ` < b`` &lt;"),
        ("```\n<b>\n```\n<b>", "```\n<b>\n```\n&lt;b>"),
        ("```sql\na < b", "```sql\na < b\n```"),
        ("~~~~\n~~~\n<b>", "~~~~\n~~~\n<b>\n~~~~"),
        ("```\n```x\n<b>", "```\n```x\n<b>\n```"),
        ("# Head\n* a *b*", "# Head\n* a *b*"),
    ],
)
def test_what_someone_wrote_is_markdown_without_html(text: str, shown: str) -> None:
    assert written(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b\nc", r"a\|b c"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[a](b) *c* `d`", r"\[a\](b) \*c\* \`d\`".replace("](b)", "]\\(b\\)")),
        ("http://evil www.evil @ann", r"http\://evil www\.evil \@ann"),
        ("GET /orders 1.5 %", "GET /orders 1.5 %"),
    ],
)
def test_names_are_shown_as_they_are(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text(max_size=60))
def test_nothing_ends_a_label_a_cell_or_a_block(text: str) -> None:
    assert not set('"<>[]`\n') & set(mermaid_label(text))
    assert "\n" not in escaped(text)
    assert not {"|", "<"} & set(
        escaped(text).replace(r"\\", "").replace(r"\|", "").replace(r"\<", "")
    )
    first, *inside, last = fenced(text).split("\n")
    assert first == last
    assert not any(line.strip().startswith(first) for line in inside)
