"""Resource policies as boto3 sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest


def document(effect: str = "Allow", action: Any = "xray:PutTraceSegments", **more: Any) -> str:
    statement = {"Effect": effect, "Principal": "*", "Action": action, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def put(xray: Any, name: str = "p", text: str | None = None, **more: Any) -> Any:
    text = document() if text is None else text
    return xray.put_resource_policy(PolicyName=name, PolicyDocument=text, **more)["ResourcePolicy"]


def test_a_policy_is_stored_listed_and_deleted(xray: Any) -> None:
    assert xray.list_resource_policies()["ResourcePolicies"] == []
    first = put(xray)
    assert (first["PolicyName"], first["PolicyDocument"]) == ("p", document())
    assert first["PolicyRevisionId"] == "1"
    assert put(xray)["PolicyRevisionId"] == "2"
    put(xray, "a")
    listed = xray.list_resource_policies()["ResourcePolicies"]
    assert [(p["PolicyName"], p["PolicyRevisionId"]) for p in listed] == [("a", "1"), ("p", "2")]
    xray.delete_resource_policy(PolicyName="a")
    assert len(xray.list_resource_policies()["ResourcePolicies"]) == 1
    with pytest.raises(xray.exceptions.InvalidRequestException, match="no resource policy 'a'"):
        xray.delete_resource_policy(PolicyName="a")


def test_revision_ids(xray: Any) -> None:
    wrong = xray.exceptions.InvalidPolicyRevisionIdException
    with pytest.raises(wrong, match="no such policy"):
        put(xray, PolicyRevisionId="1")
    assert put(xray, PolicyRevisionId="0")["PolicyRevisionId"] == "1"
    with pytest.raises(wrong, match="the latest is 1, got '0'"):
        put(xray, PolicyRevisionId="0")
    assert put(xray, PolicyRevisionId="1")["PolicyRevisionId"] == "2"
    with pytest.raises(wrong, match="the latest is 2, got '1'"):
        xray.delete_resource_policy(PolicyName="p", PolicyRevisionId="1")
    xray.delete_resource_policy(PolicyName="p", PolicyRevisionId="2")


def test_there_are_five_policies_at_most(xray: Any) -> None:
    for number in range(5):
        put(xray, f"p{number}")
    with pytest.raises(xray.exceptions.PolicyCountLimitExceededException, match="5 resource"):
        put(xray, "more")
    assert put(xray, "p0")["PolicyRevisionId"] == "2"


def test_a_document_has_five_kilobytes_at_most(xray: Any) -> None:
    base = document()
    put(xray, text=base + " " * (5 * 1024 - len(base)))
    with pytest.raises(xray.exceptions.PolicySizeLimitExceededException, match="got 5121"):
        put(xray, text=base + " " * (5 * 1024 + 1 - len(base)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "a JSON object"),
        ("{}", "must have a Statement"),
        ('{"Statement": []}', "must have a Statement"),
        ('{"Statement": [1]}', r"Statement\[0\] must be an object"),
        ('{"Statement": {"Effect": "Maybe"}}', "Effect must be"),
        ('{"Statement": {"Effect": "Allow", "Action": "*"}}', "either Principal or"),
        ('{"Statement": {"Effect": "Allow", "Principal": "*"}}', "either Action or"),
    ],
)
def test_malformed_documents(xray: Any, text: str, said: str) -> None:
    with pytest.raises(xray.exceptions.MalformedPolicyDocumentException, match=said):
        put(xray, text=text)


@pytest.mark.parametrize("action", ["*", "xray:*", ["xray:Get*", "XRay:PutResource?olicy"]])
def test_a_policy_that_locks_everyone_out_needs_the_bypass(xray: Any, action: Any) -> None:
    text = document("Deny", action)
    with pytest.raises(xray.exceptions.LockoutPreventionException, match="Bypass"):
        put(xray, text=text)
    assert put(xray, text=text, BypassPolicyLockoutCheck=True)["PolicyDocument"] == text


def test_other_denials_are_no_lockout(xray: Any) -> None:
    put(xray, text=document("Deny", "xray:Get*"))
    put(xray, text=document("Deny", "*", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    put(xray, text=document("Deny", "*", Principal={"AWS": "arn:aws:iam::1:root"}))
    with pytest.raises(xray.exceptions.LockoutPreventionException):
        put(xray, text=document("Deny", "*", Principal={"AWS": ["*"]}))


def test_names(xray: Any) -> None:
    for name in ("x" * 129, "a b"):
        with pytest.raises(xray.exceptions.InvalidRequestException, match="PolicyName"):
            put(xray, name)
