"""The reference of filter expressions, docs/filters.md: `python -m store.filters.reference` prints it."""

from __future__ import annotations

from store.filters.keywords import KEYWORDS, OPERATORS, Scope
from store.filters.parse import MAX_DEPTH, MAX_LENGTH, MAX_TERMS
from store.filters.patterns import MAX_PATTERN

_PLACES = {
    Scope.TRACE: "trace",
    Scope.SERVICE: "service",
    Scope.EDGE: "edge",
    Scope.ROOT_CAUSE: "root cause",
}

_HEAD = f"""\
# Filter expressions

X-Ray's language ([format](xray-format.md), section 7), for `FilterExpression` of GetTraceSummaries:

```sh
aws xray get-trace-summaries --endpoint-url http://127.0.0.1:2000 --start-time … --end-time … \\
    --filter-expression 'service("orders") {{ fault }} AND annotation.tier = "gold"'
```

* Terms are joined by `AND` (or simply written one after the other), `OR`, `!` or `NOT`, and parentheses; AND binds
  tighter than OR. Keywords ignore case, values do not.
* `service("name")` matches traces that pass through a node; `service(id(name: "…", type: "…", account.id: "…"))` says
  which; `edge("a", "b")` matches a call. A block such as `{{ fault AND responsetime > 2 }}` must be true of one unit of
  that node, or of one call.
* `annotation.key` or `annotation[key with dots]`: alone, the key is set (a boolean: is true). A string matches string
  annotations only, a number numbers, `true` and `false` booleans.
* `rootcause.fault.service {{ … }}`, `.entity`, `.exception`; likewise `error` and `responsetime`. The conditions are true of
  one element of a path. Long windows are searched fast where a service is named: the names of entities and exceptions
  stand in documents alone, which are read trace by trace.
* `rootcause.json = #[{{"Services": [{{"Name": "…", "EntityPath": [{{"Name": "…"}}]}}]}}]`: exactly this path.
* Beyond X-Ray: `field IN (a, b)`; `field EXISTS`, whatever the value; `field =~ "regex"`, found anywhere in the text
  ([RE2](https://github.com/google/re2/wiki/Syntax), at most {MAX_PATTERN} characters; a dot matches line breaks, too); windows of
  any length.
* At most {MAX_LENGTH:,} characters, {MAX_TERMS} terms and {MAX_DEPTH} levels. An error names the position, what was found and what
  was expected, and the keyword that is nearest.
* In the console Enter runs the expression, and Shift+Enter begins a line. Tab takes the first completion, or the one chosen
  by arrow keys, which Enter takes, too. Alt+↑ and Alt+↓ bring back expressions that were run before.

| keyword | value | where | meaning |
|---|---|---|---|
"""


def reference() -> str:
    """The page as Markdown."""
    rows = []
    for name, keyword in sorted(KEYWORDS.items()):
        places = ", ".join(text for scope, text in _PLACES.items() if scope & keyword.scope)
        rows.append(f"| `{name}` | {keyword.kind.value} | {places} | {keyword.meaning} |\n")
    operators = "".join(
        f"* {kind.value}: {', '.join(f'`{operator.upper()}`' for operator in operators)}\n"
        for kind, operators in OPERATORS.items()
    )
    return f"{_HEAD}{''.join(rows)}\nOperators:\n\n{operators}"


if __name__ == "__main__":
    print(reference(), end="")
