"""Writes docs/xray-api.md: which members of AWS's model the operations fill.

What came back from all 38 operations (`tests.api.xray.scenario`) is compared with botocore's model.
After an intended change:  python -m tests.api.xray.conformance
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from botocore.model import OperationModel, Shape

from tests.api.xray.scenario import OPERATIONS, filled_members

PAGE = Path(__file__).resolve().parents[3] / "docs" / "xray-api.md"

REASONS: tuple[tuple[str, str], ...] = (
    (
        r"GetInsight(Summaries|Events|ImpactGraph) NextToken",
        "a page has 100 insights, or 50 events; an impact graph has one page",
    ),
    (r"(GetServiceGraph|GetTraceGraph) NextToken", "one page"),
    (r"BatchGetTraces NextToken", "a page has 8 MiB of documents; not in this scenario"),
    (r"(GetGroups|GetSamplingRules|ListResourcePolicies|GetIndexingRules) NextToken", "one page"),
    (r"ListTagsForResource NextToken", "a page has 200 tags, a resource 50"),
    (
        r"GetTimeSeriesServiceStatistics NextToken",
        "a page has 1,000 periods; not in this scenario",
    ),
    (
        r"(GetSamplingStatisticSummaries|GetRetrievedTracesGraph) NextToken",
        "a page has 1,000 elements; not in this scenario",
    ),
    (r".*Aliases\[\]\.Type", "the model does not know which type a caller took the callee for"),
    (r".*EncryptionConfig\.KeyId", "KMS keys are refused"),
)
"""(operation and path, why it is never filled): the first that matches."""


def member_paths(shape: Shape | None, prefix: str = "") -> Iterator[str]:
    """Paths of the scalars of a shape; ``[]`` stands for an element, ``.*`` for a map's value."""
    if shape is None:
        return
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                yield from member_paths(member, f"{prefix}.{name}" if prefix else name)
        case "list":
            yield from member_paths(shape.member, f"{prefix}[]")
        case "map":
            yield from member_paths(shape.value, f"{prefix}.*")
        case _:
            yield prefix


def reason(operation: str, path: str) -> str:
    """Why a member is never filled; ValueError without an entry in `REASONS`."""
    for pattern, text in REASONS:
        if re.fullmatch(pattern, f"{operation} {path}") or re.fullmatch(pattern, operation):
            return text
    raise ValueError(f"{operation} never fills {path}, and no reason is given")


def section(operation: OperationModel, filled: set[str]) -> Iterator[str]:
    """The lines of one operation."""
    yield f"## {operation.name}"
    yield ""
    yield f"`POST {operation.http['requestUri']}`"
    yield ""
    paths = list(member_paths(operation.output_shape))
    if not paths:
        yield "Answers an empty object."
        yield ""
        return
    found = [path for path in paths if path in filled]
    if found:
        yield "Filled: " + ", ".join(f"`{path}`" for path in found) + "."
        yield ""
    never: dict[str, list[str]] = {}
    for path in paths:
        if path not in filled:
            never.setdefault(reason(operation.name, path), []).append(path)
    if never and not found:
        yield f"Nothing is filled: {'; '.join(never)}."
        yield ""
    elif never:
        yield "| never | why |"
        yield "|---|---|"
        for text, members in never.items():
            yield f"| {', '.join(f'`{path}`' for path in members)} | {text} |"
        yield ""


HEAD = """# X-Ray's API: what is filled

Written by the tests from a run of all {operations} operations (`python -m tests.api.xray.conformance`): for each,
which members of AWS's model have a value in some answer, and why the others never do. {filled} of
{members} are filled. What the operations do is in [xray-format.md](xray-format.md), sections 4 to 10.
"""


def page() -> str:
    """The text of docs/xray-api.md."""
    filled = filled_members()
    assert filled.keys() == OPERATIONS.keys()
    sections = [line for name in sorted(filled) for line in section(OPERATIONS[name], filled[name])]
    all_members = sum(len(list(member_paths(o.output_shape))) for o in OPERATIONS.values())
    head = HEAD.format(
        operations=len(filled), filled=sum(map(len, filled.values())), members=all_members
    )
    return "\n".join([head, *sections]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
