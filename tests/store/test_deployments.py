from __future__ import annotations

from typing import Any

import pytest

from store.deployments import Deployment, InvalidDeployment, read_deployment
from store.times import SECOND

NOW = 1_795_560_000 * SECOND
EVENT: dict[str, Any] = {
    "account": "123456789012",
    "region": "us-east-1",
    "detail-type": "CodeDeploy Deployment State-change Notification",
    "source": "aws.codedeploy",
    "version": "0",
    "time": "2016-06-30T22:06:31Z",
    "id": "c071bfbf-83c4-49ca-a6ff-3df053957145",
    "resources": [
        "arn:aws:codedeploy:us-east-1:123456789012:application:myApplication",
        "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:myApplication/myDeploymentGroup",
    ],
    "detail": {
        "instanceGroupId": "9fd2fbef-2157-40d8-91e7-6845af69e2d2",
        "region": "us-east-1",
        "application": "myApplication",
        "deploymentId": "d-123456789",
        "state": "SUCCESS",
        "deploymentGroup": "myDeploymentGroup",
    },
}
"""As AWS documents it."""


def test_event_of_codedeploy() -> None:
    """An application of CodeDeploy is no service, and the event knows no version."""
    assert read_deployment(EVENT, NOW) == Deployment(
        id="123456789012/us-east-1/d-123456789/SUCCESS",
        at=1_467_324_391 * SECOND,
        account="123456789012",
        region="us-east-1",
        state="success",
        note="myApplication myDeploymentGroup d-123456789",
    )


def test_states_of_a_deployment_are_marks_of_their_own() -> None:
    start = {**EVENT, "detail": {**EVENT["detail"], "state": "START"}}
    assert read_deployment(start, NOW).id != read_deployment(EVENT, NOW).id


def test_own_deployment() -> None:
    body = {"service": "checkout", "version": "42", "at": "2026-11-24T10:00:00Z", "state": "done"}
    deployment = read_deployment(body, NOW)
    assert (deployment.service, deployment.version, deployment.state) == ("checkout", "42", "done")
    assert read_deployment(body, NOW + 1).id == deployment.id  # sent again, it is the same
    assert read_deployment({"version": "42"}, NOW).at == NOW
    assert read_deployment({"version": "42", "at": 12.5, "id": "x"}, NOW) == Deployment(
        "x", 12_500_000, version="42"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "service or version must be given"),
        ({"service": 5}, "service must be text of at most 200 characters"),
        ({"service": "x" * 201}, "service must be text"),
        ({"service": "x", "vesion": "42"}, "'vesion' is unknown, expected id, service, version"),
        ({"service": "x", "at": "soon"}, "at must be epoch seconds or an ISO 8601 text"),
        ({"service": "x", "at": True}, "at must be RFC 3339 or epoch seconds"),
        ({"service": "x", "at": 1e300}, "at must"),
        ({"service": "x", "link": "javascript:alert(1)"}, "link must begin with https://"),
        ({**EVENT, "detail": 5}, "detail must be an object"),
        ({**EVENT, "detail": {"state": "START"}}, "detail.deploymentId and detail.state"),
        (
            {**EVENT, "detail-type": "CodeDeploy Instance State-change Notification"},
            "detail-type must be 'CodeDeploy Deployment State-change Notification'",
        ),
        ({**EVENT, "time": "late"}, "time must be"),
    ],
)
def test_what_is_wrong_is_said(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDeployment) as error:
        read_deployment(body, NOW)
    assert message in str(error.value)
