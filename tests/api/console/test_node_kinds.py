"""Which glyph the console draws for a type."""

from __future__ import annotations

import pytest

from api.console.node_kinds import kind_of


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("", "service"),
        ("client", "client"),
        ("client::Synthetics", "client"),
        ("remote", "remote"),
        ("AWS::Lambda::Function", "function"),
        ("AWS::Lambda", "function"),
        ("AWS::DynamoDB::Table", "table"),
        ("AWS::SQS::Queue", "queue"),
        ("AWS::ECS::Container", "service"),
        ("AWS::ECS", "remote"),
        ("AWS::Bedrock", "remote"),
        ("Database::SQL", "database"),
        ("Database::Redis", "database"),
        ("Messaging::kafka", "topic"),
        ("GenAI::Model", "remote"),
        ("GenAI::MCP", "remote"),
        ("GenAI::Agent", "service"),
        ("GCP::CloudFunctions", "function"),
        ("Azure::Functions", "function"),
        ("Alibaba::FunctionCompute", "function"),
        ("Azure::AppService", "service"),
        ("Unheard::Of", "service"),
    ],
)
def test_kind(type: str, kind: str) -> None:
    assert kind_of(type) == kind
