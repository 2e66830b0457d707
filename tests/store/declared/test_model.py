from __future__ import annotations

from typing import Any

import msgspec
import pytest

from store.declared.model import Declaration, InvalidDeclaration, read_declaration
from tests.store.contract.declared import SHOP

FN = {"id": "Fn", "type": "AWS::Lambda::Function"}


def test_a_declaration_as_json() -> None:
    assert read_declaration(msgspec.json.decode(msgspec.json.encode(SHOP))) == SHOP
    assert read_declaration({"stack": "s"}) == Declaration("s")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "missing required field `stack`"),
        ({"stack": ""}, "Expected `str` of length >= 1 - at `$.stack`"),
        ({"stack": 5}, "Expected `str`, got `int` - at `$.stack`"),
        ({"stack": "s", "resource": []}, "unknown field `resource`"),
        ({"stack": "s", "resources": {}}, "Expected `array`"),
        ({"stack": "s", "resources": [{"id": "A"}]}, "`type` - at `$.resources[0]`"),
        ({"stack": "s", "resources": [FN, FN]}, "resources[1].id must be given, and once, got 'Fn'"),
        ({"stack": "s", "resources": [{"id": "A", "type": "AWS::EC2::VPC"}]}, "resources[0].type must be one of AWS::ApiGateway"),
        ({"stack": "s", "resources": [FN], "calls": [{"source": "Fn", "target": "T", "evidence": ["policy"]}]}, "calls[0] names 'T', which no resource has as id"),
        ({"stack": "s", "resources": [FN], "calls": [{"source": "Fn", "target": "Fn", "evidence": []}]}, "$.calls[0].evidence"),
        ({"stack": "s", "resources": [FN], "calls": [{"source": "Fn", "target": "Fn", "evidence": ["guess"]}]}, "Invalid enum value 'guess'"),
        ({"stack": "s", "resources": [FN] * 2001}, "length <= 2000"),
        ({"stack": "s", "notes": ["x" * 501]}, "length <= 500"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDeclaration) as error:
        read_declaration(body)
    assert message in str(error.value)
