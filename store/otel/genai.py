"""Whom a span of OpenTelemetry's GenAI and MCP conventions calls, as a node's name and type.

A model is an operation of its provider, as a table's rows are of a table: one provider is one node.
Source: semantic conventions 1.41, "Generative AI" and "Model Context Protocol".
"""

from __future__ import annotations

from store.otel.attributes import Attributes, text
from store.otel.hosts import called_host

MODEL_KEYS = ("gen_ai.provider.name", "gen_ai.system")
_AGENT_OPERATIONS = ("invoke_agent", "create_agent")
_TOOL_OPERATION = "execute_tool"
_RENAMED = {
    "Anthropic": "anthropic",
    "Cohere": "cohere",
    "Groq": "groq",
    "MistralAI": "mistral_ai",
    "OpenAI": "openai",
    "Watsonx": "ibm.watsonx.ai",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Values of ``gen_ai.system`` that ``gen_ai.provider.name`` spells otherwise, those with capitals OpenLLMetry's."""


def is_genai(attributes: Attributes) -> bool:
    """Whether a span is a call of a model or an agent."""
    return any(key in attributes for key in (*MODEL_KEYS, "gen_ai.operation.name"))


def works_inside(attributes: Attributes) -> bool:
    """Whether an INTERNAL span is the work of an agent or a tool in its own process, as the conventions say."""
    return _agent_or_tool(attributes) is not None


def _agent_or_tool(attributes: Attributes) -> tuple[str, str] | None:
    operation = text(attributes, "gen_ai.operation.name")
    if operation in _AGENT_OPERATIONS:
        agent = text(attributes, "gen_ai.agent.name", "gen_ai.agent.id")
        return (agent, "GenAI::Agent") if agent else None
    tool = text(attributes, "gen_ai.tool.name") if operation == _TOOL_OPERATION else ""
    return (tool, "GenAI::Tool") if tool else None


def genai_callee(attributes: Attributes, service: str) -> tuple[str, str] | None:
    """The MCP server, agent, tool or provider; None if the span names none. ``service`` sent it."""
    if "mcp.method.name" in attributes:  # over stdio there is no address, but perhaps a tool
        name = called_host(attributes, service) or text(attributes, "gen_ai.tool.name")
        if name:
            return name, "GenAI::MCP"
    worker = _agent_or_tool(attributes)
    if worker:
        return worker
    provider = text(attributes, *MODEL_KEYS)
    return (_RENAMED.get(provider, provider), "GenAI::Model") if provider else None
