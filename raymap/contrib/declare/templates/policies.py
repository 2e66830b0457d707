"""IAM policies → the calls they allow.

A statement about everything (``Resource: '*'``) declares no call: it is noted, and the caller's calls to that service
count as allowed. What polls an event source needs permission to read it; that is no call of the function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from raymap.contrib.declare.templates.arns import named_by
from raymap.contrib.declare.templates.intrinsics import mentions, pattern
from raymap.contrib.declare.templates.stack import Stack
from store.declared.identity import KINDS
from store.declared.model import Evidence

Statements = list[Mapping[str, Any]]

SERVICES = {kind.policy for kind in KINDS.values()}
ANY = "*"
_CONSUMING = {
    "sqs": {
        "receivemessage", "deletemessage", "deletemessagebatch", "changemessagevisibility",
        "changemessagevisibilitybatch", "getqueueattributes", "getqueueurl",
    },
    "kinesis": {
        "getrecords", "getsharditerator", "describestream", "describestreamsummary", "listshards",
        "liststreams", "subscribetoshard",
    },
    "dynamodb": {"getrecords", "getsharditerator", "describestream", "liststreams"},
}  # fmt: skip
"""Actions of Lambda's pollers."""
_WITHOUT_CALLS = (
    "AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSLambdaENIManagementAccess",
    "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaDynamoDBExecutionRole", "AWSLambdaKinesisExecutionRole", "AWSLambdaMSKExecutionRole",
    "CloudWatchLambdaInsightsExecutionRolePolicy", "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "AmazonAPIGatewayPushToCloudWatchLogs", "CloudWatchLogsFullAccess", "AmazonElasticFileSystemClientFullAccess",
)  # fmt: skip
"""Managed policies that allow no call to a resource of the map."""
_MANAGED = {
    "DynamoDB": "dynamodb", "S3": "s3", "SQS": "sqs", "SNS": "sns", "Kinesis": "kinesis",
    "Lambda": "lambda", "StepFunctions": "states", "EventBridge": "events",
}  # fmt: skip
"""Words in the names of AWS's managed policies."""


class Policies:
    """The policies of a template by the role that has them."""

    def __init__(self, stack: Stack, resources: Mapping[str, Mapping[str, Any]]) -> None:
        self._stack = stack
        self._resources = resources
        self._attached: dict[str, list[Any]] = {}
        for resource in resources.values():
            if resource["Type"] in (
                "AWS::IAM::Policy",
                "AWS::IAM::ManagedPolicy",
                "AWS::IAM::RolePolicy",
            ):
                self._attach(resource["Properties"])

    def _attach(self, properties: Mapping[str, Any]) -> None:
        roles = [*_list(properties.get("Roles")), *_list(properties.get("RoleName"))]
        for role in roles:
            for id, _ in mentions(role if isinstance(role, str) else ""):
                self._attached.setdefault(id, []).append(properties.get("PolicyDocument"))

    def allow(self, caller: str, role: object, *, only_unrestricted: bool = False) -> None:
        """Add what a role allows a caller. ``only_unrestricted``: its calls are known otherwise."""
        text = role if isinstance(role, str) else ""
        ids = [id for id, _ in mentions(text) if id in self._resources]
        if not ids:
            self._note_unlisted(caller, "its role is not in the template")
            return
        properties = self._resources[ids[0]]["Properties"]
        documents = [each.get("PolicyDocument") for each in _mappings(properties.get("Policies"))]
        documents += self._attached.get(ids[0], [])
        for arn in _list(properties.get("ManagedPolicyArns")):
            documents += self._managed(caller, arn)
        actions: dict[str, set[str]] = {}
        for document in documents:
            for statement in _statements(document):
                self._allow_statement(caller, statement, actions)
        if not only_unrestricted:
            self._add_calls(caller, actions)

    def _managed(self, caller: str, arn: object) -> list[Any]:
        """The document of a managed policy of the template; of another one what its name says."""
        text = arn if isinstance(arn, str) else ""
        for id, _ in mentions(text):
            if id in self._resources:
                return [self._resources[id]["Properties"].get("PolicyDocument")]
        name = pattern(text).rpartition("/")[2]
        if name in _WITHOUT_CALLS:
            return []
        services = {service for word, service in _MANAGED.items() if word in name}
        if services and name.startswith(("Amazon", "AWS")):
            for service in sorted(services):
                self._unrestrict(caller, service, f"the policy {name}")
        else:
            self._note_unlisted(caller, f"the policy {name[:100]} is not in the template")
        return []

    def _note_unlisted(self, caller: str, why: str) -> None:
        self._unrestrict(caller, ANY, "")
        self._stack.note(f"{caller} may call what the template does not say: {why}")

    def _unrestrict(self, caller: str, service: str, why: str) -> None:
        known = self._stack.resources[caller].unrestricted
        self._stack.change(caller, unrestricted=tuple(sorted({*known, service})))
        if why:
            what = "anything" if service == ANY else f"any resource of {service}"
            self._stack.note(f"{caller} may call {what} ({why}), which declares no call")

    def _allow_statement(
        self, caller: str, statement: Mapping[str, Any], actions: dict[str, set[str]]
    ) -> None:
        if statement.get("Effect") != "Allow":
            return
        names = [each.lower() for each in _list(statement.get("Action")) if isinstance(each, str)]
        if "NotAction" in statement:
            names.append(ANY)
        services = {name.partition(":")[0] for name in names}
        given = [each for each in _list(statement.get("Resource")) if isinstance(each, str)]
        for text in given if "Resource" in statement else [ANY]:
            if _is_broad(text):
                for service in sorted(services & {ANY, *SERVICES}):
                    self._unrestrict(caller, service, f"Resource: {pattern(text)[:120]!r}")
            elif not _is_stream(text):
                for target in self._stack.targets(text):
                    own = self._stack.kind_of(target)
                    found = {name for name in names if name.partition(":")[0] in (own, ANY)}
                    if found:
                        actions.setdefault(target, set()).update(found)

    def _add_calls(self, caller: str, actions: Mapping[str, set[str]]) -> None:
        for target, names in actions.items():
            polls = self._stack.has_call(target, caller, Evidence.EVENT)
            consuming = _CONSUMING.get(self._stack.kind_of(target), set())
            if not (polls and {name.partition(":")[2] for name in names} <= consuming):
                self._stack.call(caller, target, Evidence.POLICY)


def _is_broad(text: str) -> bool:
    """Whether a resource in a statement is any of its kind, or nothing of it is known."""
    if mentions(text):
        return False
    if not pattern(text).strip("*"):
        return True
    named = named_by(text)
    return named is not None and not named.name.strip("*/-_.:")


def _is_stream(text: str) -> bool:
    """A table's stream, which only pollers read."""
    return "/stream/" in text or any(attribute == "StreamArn" for _, attribute in mentions(text))


def _statements(document: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, dict):
        yield from _mappings(document.get("Statement"))


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _mappings(value: object) -> Iterable[Mapping[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]
