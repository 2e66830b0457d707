"""`raymap declare`: templates to a running server, and what it says of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from raymap.commands.server import delete, get_json, no_raymap, post
from raymap.commands.tables import print_table
from raymap.contrib.declare.templates.reader import Place, read_template
from raymap.errors import CommandError, print_status
from raymap.units import counted, format_minute
from store.declared.model import Declaration

PATH = "/api/v1/declarations"
NO_DIFFERENCE, DIFFERENCE, NOTHING_TO_SAY, NO_ANSWER = range(4)
"""Exit codes of --check."""
TIMEOUT = 120.0
WORDS = {
    "never_seen": "declared, not seen",
    "undeclared": "seen, not declared",
    "unknown": "unknown",
    "seen": "seen",
}
DIFFERENCES = ("never_seen", "undeclared")


def declare(
    url: str,
    template: Path,
    place: Mapping[str, str],
    parameters: Sequence[str],
    *,
    dry_run: bool,
    as_json: bool,
) -> str:
    """Store what a template declares, or print it; the stack's name. Raises CommandError."""
    declaration = read_template(template, Place(**place), _parameters(parameters))
    body = msgspec.json.encode(declaration)
    if dry_run:
        print(msgspec.json.format(body, indent=1).decode() if as_json else described(declaration))
        return declaration.stack
    reply = json.loads(post(url, PATH, body))
    if as_json:
        print(json.dumps(reply, indent=1))
    print_status(
        f"the stack {declaration.stack} declares {reply['resources']} resources"
        f" and {reply['calls']} calls"
    )
    for note in declaration.notes:
        print_status(f"  {note}")
    return declaration.stack


def _parameters(given: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    wrong = next(
        (name or each for each, (name, sign, _) in zip(given, pairs, strict=True) if not sign), None
    )
    if wrong is not None:
        raise CommandError(f"--parameter: expected NAME=VALUE, got {wrong!r}.")
    return {name: value for name, _, value in pairs}


def described(declaration: Declaration) -> str:
    """What a template declares, in lines."""
    lines = [f"stack {declaration.stack}"]
    for each in declaration.resources:
        outside = " (of another stack)" if each.external else ""
        lines.append(f"  {each.id}: {each.type} {each.name or '(named when deployed)'}{outside}")
    lines += [f"  {c.source} → {c.target}: {', '.join(c.evidence)}" for c in declaration.calls]
    return "\n".join([*lines, *(f"  note: {note}" for note in declaration.notes)])


def list_stacks(url: str, place: Mapping[str, str], *, as_json: bool) -> None:
    """Print the declared stacks."""
    answer = get_json(url, PATH, _given(place))
    stacks = _member(answer, "stacks", url)
    if as_json:
        print(json.dumps(answer, indent=1))
    elif not stacks:
        print_status("no stack is declared")
    else:
        rows = [
            ("stack", "account", "region", "environment", "resources", "calls", "declared (UTC)")
        ]
        rows += [
            (
                each["stack"],
                each["account"],
                each["region"],
                each["environment"],
                str(each["resources"]),
                str(each["calls"]),
                format_minute(each["declared_at"]),
            )
            for each in stacks
        ]
        print_table(rows, right=(4, 5))


def remove(url: str, stack: str, account: str, region: str) -> None:
    """Remove what a stack declared; CommandError if nothing did."""
    place = {"stack": stack, "account": account, "region": region}
    if not _member(get_json(url, PATH, _given(place)), "stacks", url):
        raise CommandError(f"No stack {stack} is declared: raymap declare --list shows which are.")
    query = urlencode(_given({"account": account, "region": region}))
    delete(url, f"{PATH}/{quote(stack, safe='')}{'?' if query else ''}{query}")
    print_status(f"the stack {stack} declares nothing any more")


def check(url: str, query: Mapping[str, str], ignored: Collection[str], *, as_json: bool) -> int:
    """Print the comparison; its exit code."""
    answer = get_json(url, f"{PATH}/compare", _given(query), timeout=TIMEOUT)
    stacks = _member(answer, "stacks", url)
    found = [each for each in _findings(answer) if not _names(each) & {*ignored}]
    differences = [each for each in found if each["status"] in DIFFERENCES]
    if as_json:
        print(json.dumps(answer, indent=1))
    else:
        _print_comparison(answer, found, differences, len(_findings(answer)) - len(found))
    if not stacks or answer["traffic_since"] is None:
        why = "there was no traffic in this time" if stacks else "no stack is declared"
        print_status(f"nothing can be said: {why}")
        return NOTHING_TO_SAY
    return DIFFERENCE if differences else NO_DIFFERENCE


def _findings(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*answer["nodes"], *answer["edges"]]


def _names(finding: Mapping[str, Any]) -> set[str]:
    """Names by which a finding may be ignored; of a call one is enough."""
    keys = ("name", "logical_id", "source_name", "target_name")
    return {finding[key] for key in keys if finding.get(key)}


def _print_comparison(
    answer: Mapping[str, Any],
    found: list[dict[str, Any]],
    differences: list[dict[str, Any]],
    ignored: int,
) -> None:
    counts = {status: sum(each["status"] == status for each in found) for status in WORDS}
    until = f"{format_minute(answer['from'])} to {format_minute(answer['to'])} (UTC)"
    since = answer["traffic_since"]
    print(f"{until}, the first traffic at {format_minute(since)}" if since else until)
    if waiting := answer.get("incomplete"):
        print(f"incomplete: {counted(waiting['minutes'], 'minute')} still to be counted")
    print(", ".join(f"{WORDS[status]}: {count}" for status, count in counts.items()))
    if ignored:
        print(f"ignored: {ignored}")
    rows = [
        (WORDS[e["status"]], _what(e), ", ".join(e["stacks"]), e["why"])
        for e in (*differences, *(each for each in found if each["status"] == "unknown"))
    ]
    if rows:
        print()
        print_table([("", "what", "stack", "why"), *rows])


def _what(finding: Mapping[str, Any]) -> str:
    if "source_name" in finding:
        return f"{finding['source_name']} → {finding['target_name']}"
    id = finding["logical_id"]
    return f"{finding['type']} {finding['name']}{f' ({id})' if id else ''}"


def _given(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


def _member(answer: Any, name: str, url: str) -> Any:
    if not isinstance(answer, dict) or name not in answer:
        raise no_raymap(url)
    return answer[name]
