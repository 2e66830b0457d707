from __future__ import annotations

from typing import Any

import pytest

from store.rules.deployed import (
    ENVIRONMENT_ANNOTATIONS,
    annotated_environment,
    arn_qualifier,
    environment_of,
    version_of,
)

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (f"{FUNCTION}:42", "42"),
        (f"{FUNCTION}:live", "live"),
        (f"{FUNCTION}:$LATEST", "$LATEST"),
        (FUNCTION, ""),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/function:42", ""),
        ("checkout:42", ""),
        (42, ""),
        (None, ""),
    ],
)
def test_qualifier_of_a_functions_arn(arn: object, expected: str) -> None:
    assert arn_qualifier(arn) == expected


@pytest.mark.parametrize(
    ("arns", "named", "expected"),
    [
        ([f"{FUNCTION}:42"], ["1.3.0"], "42"),
        ([FUNCTION], ["1.3.0", "7"], "1.3.0"),
        ([f"{FUNCTION}:$LATEST"], ["1.3.0"], "1.3.0"),
        ([f"{FUNCTION}:$LATEST"], [None], "$LATEST"),
        ([], ["$LATEST", "1.3.0"], "1.3.0"),
        ([None], [None, 42], "42"),
        ([], [42.0], "42"),
        ([], [True], ""),
        ([], [["42"]], ""),
        ([], ["x" * 201], ""),
        ([], [], ""),
    ],
)
def test_the_most_exact_version_is_taken(arns: list[Any], named: list[Any], expected: str) -> None:
    """A function's own before a program's, and `$LATEST` only where there is no other."""
    assert version_of(arns, *named) == expected


@pytest.mark.parametrize("key", ENVIRONMENT_ANNOTATIONS)
def test_environment_in_an_annotation(key: str) -> None:
    assert annotated_environment({key: "prod", "other": "x"}) == "prod"


def test_environment_is_the_first_that_is_named() -> None:
    assert environment_of("", None, "prod", "dev") == "prod"
    assert environment_of(None) == ""
