"""What a resource says of the service and where it runs (docs/xray-format.md §11.1)."""

from __future__ import annotations

from typing import Any

import pytest

from store.otel.resource import UNKNOWN, read_resource
from tests.collector.otlp_samples import pairs


@pytest.mark.parametrize(
    ("attributes", "origin"),
    [
        ({"cloud.platform": "aws_ec2"}, "AWS::EC2::Instance"),
        ({"cloud.platform": "aws_ecs"}, "AWS::ECS::Container"),
        ({"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "FARGATE"}, "AWS::ECS::Fargate"),
        ({"cloud.platform": "aws_eks"}, "AWS::EKS::Container"),
        ({"cloud.platform": "aws_lambda"}, "AWS::Lambda::Function"),
        ({"cloud.platform": "aws_lambda", "cloud.provider": "gcp"}, ""),
        ({"cloud.provider": "aws", "faas.name": "checkout"}, "AWS::Lambda::Function"),
        ({"cloud.provider": "gcp", "faas.name": "checkout"}, ""),
        ({"faas.name": "checkout"}, ""),
        ({"cloud.platform": "aws_ec2", "aws.xray.origin": ""}, ""),
        ({"cloud.platform": "azure.functions", "cloud.provider": "azure"}, "Azure::Functions"),
        ({"cloud.platform": "azure_functions", "cloud.provider": "azure"}, "Azure::Functions"),
        ({"cloud.platform": "azure.app_service"}, "Azure::AppService"),
        ({"cloud.platform": "azure_aks"}, "Azure::AKS"),
        ({"cloud.platform": "azure.container_apps"}, "Azure::ContainerApps"),
        ({"cloud.platform": "gcp_cloud_run", "cloud.provider": "gcp"}, "GCP::CloudRun"),
        ({"cloud.platform": "gcp_kubernetes_engine"}, "GCP::KubernetesEngine"),
        ({"cloud.platform": "gcp_cloud_functions"}, "GCP::CloudFunctions"),
        ({"cloud.platform": "gcp.agent_engine"}, "GCP::AgentEngine"),
        ({"cloud.platform": "alibaba_cloud_fc", "cloud.provider": "alibaba_cloud"},
         "Alibaba::FunctionCompute"),
        ({"cloud.platform": "azure.functions", "cloud.provider": "gcp"}, ""),
        ({"cloud.platform": "gcp_of_tomorrow", "cloud.provider": "gcp"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_origins(attributes: dict[str, Any], origin: str) -> None:
    assert read_resource(pairs(attributes)).origin == origin


def test_another_cloud_has_no_account_or_place() -> None:
    given = {"cloud.account.id": "1", "host.id": "i-1", "cloud.availability_zone": "z"}
    here = read_resource(pairs({**given, "cloud.provider": "aws"}))
    assert (here.account, here.instance_id, here.availability_zone) == ("1", "i-1", "z")
    there = read_resource(pairs({**given, "cloud.provider": "azure"}))
    assert (there.account, there.instance_id, there.availability_zone) == ("", "", "")


def test_names_and_arns() -> None:
    assert read_resource([]).service == UNKNOWN
    assert read_resource(pairs({"service.name": "x" * 300})).service == "x" * 200
    assert read_resource(pairs({"cloud.resource_id": "/subscriptions/x"})).arn == ""
    assert read_resource(pairs({"faas.id": "arn:aws:x"})).arn == "arn:aws:x"


def test_version_and_environment() -> None:
    """A function's version before the program's; the former name of the environment's attribute, too."""
    program = {"service.version": "1.3.0", "deployment.environment": "old"}
    found = read_resource(pairs({**program, "faas.version": "42"}))
    assert (found.version, found.environment) == ("42", "old")
    found = read_resource(
        pairs({**program, "faas.version": "$LATEST", "deployment.environment.name": "prod"})
    )
    assert (found.version, found.environment) == ("1.3.0", "prod")
    assert read_resource(pairs({"container.image.tag": "v7"})).version == "v7"
    assert read_resource([]).version == read_resource([]).environment == ""
