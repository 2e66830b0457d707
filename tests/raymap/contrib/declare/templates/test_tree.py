"""Files that no one checked: every wrong one is one sentence with its line, in bounded memory."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.tree import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse_tree

LAUGHS = "\n".join(
    ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
)
"""Ten to the power of twelve values."""


def root(text: str, file: str = "template.yaml") -> Any:
    return parse_tree(text, file).root


def problem(text: str, file: str = "template.yaml") -> str:
    with pytest.raises(InvalidTemplate) as error:
        parse_tree(text, file)
    return str(error.value)


def test_short_forms_of_intrinsics() -> None:
    text = """
a: !Ref Table
b: !GetAtt Table.StreamArn
c: !GetAtt [Table, Arn]
d: !Sub "${Table}-x"
e: !Join ["-", [!Ref A, b]]
f: !If [Prod, {x: !Ref "AWS::NoValue"}, 1]
g: !Condition Prod
h: !Transform {Name: AWS::Include}
"""
    assert root(text) == {
        "a": {"Ref": "Table"},
        "b": {"Fn::GetAtt": ["Table", "StreamArn"]},
        "c": {"Fn::GetAtt": ["Table", "Arn"]},
        "d": {"Fn::Sub": "${Table}-x"},
        "e": {"Fn::Join": ["-", [{"Ref": "A"}, "b"]]},
        "f": {"Fn::If": ["Prod", {"x": {"Ref": "AWS::NoValue"}}, 1]},
        "g": {"Condition": "Prod"},
        "h": {"Fn::Transform": {"Name": "AWS::Include"}},
    }


def test_types_of_plain_scalars() -> None:
    """Dates and accounts with leading zeros are text; what is quoted always is."""
    text = "[2012-10-17, 012345678901, 0x1F, 1:30, 12, -3, 1.5, yes, false, ~, null, '12', \"yes\"]"
    assert root(text) == [
        *("2012-10-17", "012345678901", "0x1F", "1:30", 12, -3, 1.5, True, False, None, None),
        *("12", "yes"),
    ]


def test_aliases_and_merges_are_values_of_their_own() -> None:
    found = root("a: &a {x: [1], y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n")
    assert found == {
        "a": {"x": [1], "y": 2},
        "b": {"x": [1], "y": 2},
        "c": {"x": [1], "y": 3},
        "d": {"x": [1], "y": 2, "z": 4},
    }
    assert found["a"]["x"] is not found["b"]["x"]


def test_lines_of_keys() -> None:
    lines = parse_tree("Resources:\n  A:\n    Type: X\n    Properties: {B: 1}\n", "t").lines
    assert lines[("Resources",)] == 1
    assert lines["Resources", "A", "Properties"] == 4


def test_json() -> None:
    assert root('{"a": [1, {"Ref": "B"}]}', "template.json") == {"a": [1, {"Ref": "B"}]}
    assert root("{a: !Ref B}") == {"a": {"Ref": "B"}}  # YAML that begins like JSON


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", "template.yaml, line 2: not YAML: "),
        ("a: 1\n\tb: 2\n", "template.yaml, line 2: not YAML: "),
        ("a: 1\n---\nb: 2\n", "line 2: a second YAML document; expected one"),
        ("a: 1\n[b]: 2\n", "line 2: a key must be text"),
        ("a:\n  *b : 1\n", "line 2: *b names no anchor"),
        ("a: &a\n  b: *a\n", "line 2: *a names no anchor that is complete before it"),
        ("a: {<<: 5}\n", "line 1: << must have a mapping"),
        ("a: \x00\n", "not YAML: "),
        ("[" * (MAX_DEPTH + 1), f"line 1: nested deeper than {MAX_DEPTH} levels"),
        ("a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 50 + "*a" + "]" * 50, "line 2: nested"),
        (LAUGHS, f"with its aliases it has more than {MAX_VALUES:,} values"),
        ("x" * (MAX_BYTES + 1), "it has more than"),
        ("- 1\n" * (MAX_VALUES + 1), f"more than {MAX_VALUES:,} values"),
    ],
)
def test_wrong_yaml_is_one_sentence(text: str, message: str) -> None:
    assert message in problem(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"a": }', "template.json, line 2: not JSON: "),
        ("[" * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("[" * 200 + "]" * 200, f"nested deeper than {MAX_DEPTH} levels"),
        ("[" + "1," * MAX_VALUES + "1]", f"more than {MAX_VALUES:,} values"),
        ("[" + "9" * 5000 + "]", "not JSON: "),
        ("", "line 1: not JSON"),
    ],
)
def test_wrong_json_is_one_sentence(text: str, message: str) -> None:
    assert message in problem(text, "template.json")


def test_aliases_take_no_memory_before_they_are_refused() -> None:
    tracemalloc.start()
    try:
        problem(LAUGHS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


def test_a_long_text_repeated_by_aliases_counts_by_its_length() -> None:
    text = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 1000)}]\n"
    assert "more than" in problem(text)


@given(st.text(alphabet="ab:-[]{}&*!<>|#'\"% \n\t?,.0é\x00", max_size=80))
def test_any_text_is_a_value_or_one_error(text: str) -> None:
    for file in ("template.yaml", "template.json"):
        with suppress(InvalidTemplate):
            parse_tree(text, file)
