"""TagResource, UntagResource, ListTagsForResource as boto3 sees them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.xray.test_sampling_rules import ARN as RULE_ARN
from tests.api.xray.test_sampling_rules import RULE

DEFAULT_GROUP = "arn:aws:xray:local:000000000000:group/Default"


def tags(xray: Any, arn: str) -> dict[str, str]:
    listed = xray.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert listed == sorted(listed, key=lambda tag: tag["Key"])
    return {tag["Key"]: tag["Value"] for tag in listed}


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


@pytest.mark.parametrize("arn", [DEFAULT_GROUP, RULE_ARN + "Default"])
def test_tags_are_added_replaced_and_removed(xray: Any, arn: str) -> None:
    assert tags(xray, arn) == {}
    xray.tag_resource(ResourceARN=arn, Tags=pairs(stage="test", owner="Zoë B"))
    xray.tag_resource(ResourceARN=arn, Tags=pairs(stage="live", empty=""))
    assert tags(xray, arn) == {"empty": "", "owner": "Zoë B", "stage": "live"}
    xray.untag_resource(ResourceARN=arn, TagKeys=["owner", "unknown"])
    assert tags(xray, arn) == {"empty": "", "stage": "live"}
    xray.untag_resource(ResourceARN=arn, TagKeys=["empty", "stage"])
    assert tags(xray, arn) == {}


def test_a_resource_is_created_with_tags_and_deleted_with_them(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE, Tags=pairs(a="1"))
    group = xray.create_group(GroupName="g", Tags=pairs(b="2"))["Group"]
    assert tags(xray, RULE_ARN + "checkout") == {"a": "1"}
    assert tags(xray, group["GroupARN"]) == {"b": "2"}
    xray.delete_sampling_rule(RuleName="checkout")
    xray.delete_group(GroupName="g")
    for arn in (RULE_ARN + "checkout", group["GroupARN"]):
        with pytest.raises(xray.exceptions.ResourceNotFoundException):
            tags(xray, arn)
    xray.create_sampling_rule(SamplingRule=RULE)
    assert tags(xray, RULE_ARN + "checkout") == {}


def test_a_resource_has_50_tags_at_most(xray: Any) -> None:
    many = pairs(**{f"k{n:02}": "v" for n in range(50)})
    xray.tag_resource(ResourceARN=DEFAULT_GROUP, Tags=many)
    with pytest.raises(xray.exceptions.TooManyTagsException, match="would have 51") as refused:
        xray.tag_resource(ResourceARN=DEFAULT_GROUP, Tags=pairs(more="v"))
    assert refused.value.response["ResourceName"] == DEFAULT_GROUP
    xray.tag_resource(ResourceARN=DEFAULT_GROUP, Tags=pairs(k00="changed"))
    assert len(tags(xray, DEFAULT_GROUP)) == 50
    with pytest.raises(xray.exceptions.TooManyTagsException):
        xray.create_group(GroupName="g", Tags=[*many, *pairs(more="v")])


def test_unknown_resources(xray: Any) -> None:
    arn = "arn:aws:xray:local:000000000000:group/none"
    for operation, more in (
        (xray.list_tags_for_resource, {}),
        (xray.tag_resource, {"Tags": []}),
        (xray.untag_resource, {"TagKeys": ["a"]}),
    ):
        with pytest.raises(xray.exceptions.ResourceNotFoundException) as refused:
            operation(ResourceARN=arn, **more)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert refused.value.response["ResourceName"] == arn


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ({"Key": "AWS:x", "Value": ""}, "prefix aws: is reserved"),
        ({"Key": "k" * 129, "Value": ""}, "at most 128"),
        ({"Key": "k", "Value": "v" * 257}, "at most 256"),
        ({"Key": "k\n", "Value": ""}, "may have letters"),
        ({"Key": "k", "Value": "<"}, "may have letters"),
    ],
)
def test_invalid_tags(xray: Any, tag: dict[str, str], said: str) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
        xray.tag_resource(ResourceARN=DEFAULT_GROUP, Tags=[tag])
    with pytest.raises(xray.exceptions.InvalidRequestException, match="there twice"):
        xray.tag_resource(ResourceARN=DEFAULT_GROUP, Tags=[*pairs(a="1"), *pairs(a="2")])
