"""Intrinsics without a deployment: what can be known is, the rest is marked."""

from __future__ import annotations

from typing import Any

import pytest

from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.intrinsics import (
    UNKNOWN,
    Resolver,
    mention,
    mentions,
    pattern,
)
from raymap.contrib.declare.templates.tree import parse_tree

TEMPLATE = parse_tree(
    """
Parameters:
  Stage: {Type: String, Default: dev}
  Count: {Type: Number, Default: 3}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
  Secret: {Type: AWS::SSM::Parameter::Value<String>, Default: /x/y}
  Open: {Type: String}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Dev: !Not [!Condition Prod]
  Maybe: !Equals [!Ref Open, x]
  Both: !And [!Condition Dev, !Condition Maybe]
  Either: !Or [!Condition Dev, !Condition Maybe]
  One: !Condition Two
  Two: !Condition One
Mappings: {By: {dev: {Size: small, Hosts: [h1, h2]}}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
""",
    "t",
).root


def resolver(**parameters: str) -> Resolver:
    pseudo = {"AWS::StackName": "shop", "AWS::Region": "", "AWS::Partition": "aws"}
    return Resolver("t", TEMPLATE, parameters, pseudo)


def resolved(text: str, **parameters: str) -> Any:
    return resolver(**parameters).resolve(parse_tree(text, "x").root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref Count", "3"),
        ("!Ref Names", ["a", "b"]),
        ("!Ref Secret", UNKNOWN),
        ("!Ref Open", UNKNOWN),
        ("!Ref Nowhere", UNKNOWN),
        ("!Ref AWS::StackName", "shop"),
        ("!Ref AWS::Region", UNKNOWN),
        ("!Ref Table", mention("Table")),
        ("!GetAtt Table.Arn", mention("Table", "Arn")),
        ("!GetAtt Nowhere.Arn", UNKNOWN),
        ("!Sub 'x-${Stage}-${!Stage}-${AWS::StackName}'", "x-dev-${Stage}-shop"),
        ("!Sub ['${a}/${Table.Arn}', {a: !Ref Count}]", "3/" + mention("Table", "Arn")),
        ("!Join ['-', [a, !Ref Stage, !Ref 'AWS::NoValue']]", "a-dev"),
        ("!Join ['-', !Ref Names]", "a-b"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select [9, !Ref Names]", UNKNOWN),
        ("!Select [0, !Split ['/', 'x/y']]", "x"),
        ("!FindInMap [By, !Ref Stage, Size]", "small"),
        ("!FindInMap [By, !Ref Stage, Hosts]", ["h1", "h2"]),
        ("!FindInMap [By, prod, Size]", UNKNOWN),
        ("!If [Prod, a, b]", "b"),
        ("!If [Maybe, a, b]", "a"),
        ("!If [Maybe, !Ref AWS::NoValue, b]", "b"),
        ("{x: !If [Dev, !Ref AWS::NoValue, b], y: 1}", {"y": 1}),
        ("!ImportValue x", UNKNOWN),
        ("!Base64 x", "x"),
        ("'{{resolve:ssm:/x}}-y'", f"{UNKNOWN}-y"),
        ("!Sub 5", "5"),
        ("!Sub [5, x]", UNKNOWN),
        ("!Join [a]", UNKNOWN),
        ("!If [Prod]", UNKNOWN),
        ("!GetAtt 7", UNKNOWN),
        ("!Ref [a]", UNKNOWN),
    ],
)
def test_intrinsics(text: str, expected: object) -> None:
    assert resolved(text) == expected


def test_parameters_that_are_given() -> None:
    assert resolved("!Sub '${Stage}-${Secret}'", Stage="prod", Secret="s") == "prod-s"
    assert resolved("!If [Prod, a, b]", Stage="prod") == "a"


@pytest.mark.parametrize(
    ("condition", "active"),
    [("Prod", False), ("Dev", True), ("Maybe", True), ("Both", True), ("Either", True),
     ("One", True), ("Nowhere", True), (5, True)],
)  # fmt: skip
def test_conditions_that_are_not_known_to_be_false_hold(condition: object, active: bool) -> None:
    assert resolver().is_active(condition) is active


def test_unknown_functions_are_noted() -> None:
    found = resolver()
    assert found.resolve({"Fn::Magic": "x"}) == UNKNOWN
    assert found.unknown_functions == {"Fn::Magic"}


def test_tokens_in_a_template_are_text() -> None:
    """What a template contains cannot pass for a reference."""
    assert mentions(resolved(f"'{mention('Table')}'")) == []


def test_patterns() -> None:
    assert pattern(f"a-{UNKNOWN}{UNKNOWN}-{mention('T', 'Arn')}/x") == "a-*-*/x"


def test_variables_that_repeat_each_other_are_refused() -> None:
    value: Any = "x" * 50
    for _ in range(60):
        value = {"Fn::Sub": ["${a}${a}", {"a": value}]}
    with pytest.raises(InvalidTemplate, match=r"longer than|refer to each other"):
        resolver().resolve(value)


def test_values_nested_too_deep_are_refused() -> None:
    value: Any = "x"
    for _ in range(300):
        value = [value]
    with pytest.raises(InvalidTemplate, match="levels deep"):
        resolver().resolve(value)
