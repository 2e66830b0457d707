"""Whom a span of OpenTelemetry's GenAI and MCP conventions calls, as a node's name and type.

A model is an operation of its provider, as a table's rows are of a table: one provider is one node.
Source: semantic conventions 1.41, "Generative AI" and "Model Context Protocol".
"""

from __future__ import annotations

from store.otel.attributes import Attributes, text
from store.otel.hosts import called_host

MODEL_KEYS = ("gen_ai.provider.name", "gen_ai.system")
_AGENT_OPERATIONS = ("invoke_agent", "create_agent")
_RENAMED = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Values of ``gen_ai.system`` that ``gen_ai.provider.name`` spells otherwise."""


def is_genai(attributes: Attributes) -> bool:
    """Whether a span is a call of a model or an agent."""
    return any(key in attributes for key in (*MODEL_KEYS, "gen_ai.operation.name"))


def genai_callee(attributes: Attributes, service: str) -> tuple[str, str] | None:
    """The MCP server, agent or provider; None if the span names none. ``service`` sent it."""
    if "mcp.method.name" in attributes:  # over stdio there is no address, but perhaps a tool
        name = called_host(attributes, service) or text(attributes, "gen_ai.tool.name")
        if name:
            return name, "GenAI::MCP"
    if text(attributes, "gen_ai.operation.name") in _AGENT_OPERATIONS:
        agent = text(attributes, "gen_ai.agent.name", "gen_ai.agent.id")
        if agent:
            return agent, "GenAI::Agent"
    provider = text(attributes, *MODEL_KEYS)
    return (_RENAMED.get(provider, provider), "GenAI::Model") if provider else None
