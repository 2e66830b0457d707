"""Resource policies: stored, checked and listed (docs/xray-format.md §9.3). This server has no
authentication, so no policy is ever evaluated."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.xray.changes import change
from store.config import records
from store.config.protocol import Change, Configuration
from store.config.records import ResourcePolicy

Json = dict[str, Any]

MAX_POLICIES = 5
MAX_DOCUMENT = 5 * 1024
"""Bytes of a document."""
MAX_NAME = 128
CREATE_ONLY = "0"
"""The revision id that requires that there is no such policy yet."""
_NAME = re.compile(r"[\w+=,.@-]+")
_PUT_ACTION = "xray:putresourcepolicy"


def put_resource_policy(context: Context, body: JsonBody) -> Json:
    """PutResourcePolicy: the revision id counts from 1."""
    name = _name(body)
    document = body.required_text("PolicyDocument")
    expected = body.text("PolicyRevisionId")
    statements = _statements(document)
    if not body.flag("BypassPolicyLockoutCheck") and any(map(_locks_out, statements)):
        raise ApiError(
            "PolicyDocument would deny everyone a later PutResourcePolicy; "
            "set BypassPolicyLockoutCheck if that is wanted",
            code="LockoutPrevention",
        )

    def decide(configuration: Configuration, now: int) -> tuple[ResourcePolicy, list[Change]]:
        policies = records.read(configuration, ResourcePolicy)
        known = policies.get(name)
        _require_revision(known, expected)
        if known is None and len(policies) >= MAX_POLICIES:
            raise ApiError(
                f"there are {MAX_POLICIES} resource policies, which is the limit",
                code="PolicyCountLimitExceeded",
            )
        revision = known.revision + 1 if known else 1
        policy = ResourcePolicy(name, document, revision, now)
        return policy, [records.put(name, policy)]

    return {"ResourcePolicy": _render(change(context, decide))}


def delete_resource_policy(context: Context, body: JsonBody) -> Json:
    """DeleteResourcePolicy: by name; of a given revision, if one is sent."""
    name, expected = _name(body), body.text("PolicyRevisionId")

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        known = records.read(configuration, ResourcePolicy).get(name)
        if known is None:
            raise ApiError(f"PolicyName: there is no resource policy {name!r}")
        _require_revision(known, expected)
        return None, [records.remove(name, ResourcePolicy)]

    change(context, decide)
    return {}


def list_resource_policies(context: Context, body: JsonBody) -> Json:
    """ListResourcePolicies, in order of name: one page, as there are five at most."""
    policies = records.read(context.store.read_configuration(), ResourcePolicy)
    return {"ResourcePolicies": [_render(policy) for policy in policies.values()]}


def _name(body: JsonBody) -> str:
    name = body.required_text("PolicyName", most=MAX_NAME)
    if not _NAME.fullmatch(name):
        raise ApiError(f"PolicyName may have letters, digits and _ + = , . @ -, got {name!r}")
    return name


def _require_revision(known: ResourcePolicy | None, expected: str) -> None:
    """ApiError unless the expected revision id, if any, is the latest."""
    latest = str(known.revision) if known else CREATE_ONLY
    if expected and expected != latest:
        have = f"the latest is {latest}" if known else "there is no such policy"
        raise ApiError(
            f"PolicyRevisionId: {have}, got {expected!r}", code="InvalidPolicyRevisionId"
        )


def _statements(document: str) -> list[Json]:
    """The statements of a policy document. ApiError for one that is too long or no policy."""
    if (size := len(document.encode())) > MAX_DOCUMENT:
        raise ApiError(
            f"PolicyDocument may have {MAX_DOCUMENT} bytes, got {size}",
            code="PolicySizeLimitExceeded",
        )
    try:
        policy = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(f"is not JSON: {error}") from None
    if not isinstance(policy, dict):
        raise _malformed("must be a JSON object")
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise _malformed("must have a Statement: an object or a list of them")
    for at, statement in enumerate(statements):
        _check_statement(at, statement)
    return statements


def _check_statement(at: int, statement: Any) -> None:
    where = f"Statement[{at}]"
    if not isinstance(statement, dict):
        raise _malformed(f"{where} must be an object")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(f"{where}.Effect must be Allow or Deny")
    for one, other in (("Principal", "NotPrincipal"), ("Action", "NotAction")):
        if (one in statement) == (other in statement):
            raise _malformed(f"{where} must have either {one} or {other}")


def _malformed(what: str) -> ApiError:
    return ApiError(f"PolicyDocument {what}", code="MalformedPolicyDocument")


def _locks_out(statement: Json) -> bool:
    """Whether a statement denies every principal a later PutResourcePolicy, unconditionally."""
    if statement["Effect"] != "Deny" or statement.get("Condition"):
        return False
    principal = statement.get("Principal")
    aws = principal.get("AWS") if isinstance(principal, dict) else principal
    everyone = "*" in (aws if isinstance(aws, list) else [aws])
    actions = statement.get("Action", [])
    patterns = [str(a) for a in (actions if isinstance(actions, list) else [actions])]
    return everyone and any(_covers(pattern.lower(), _PUT_ACTION) for pattern in patterns)


def _covers(pattern: str, action: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, action) is not None


def _render(policy: ResourcePolicy) -> Json:
    return {
        "PolicyName": policy.name,
        "PolicyDocument": policy.document,
        "PolicyRevisionId": str(policy.revision),
        "LastUpdatedTime": policy.updated / 1_000_000,
    }
