"""The request bodies of the APIs whose SDKs are not installed here, as their vendors document them; nothing else may stand in them."""

# ruff: noqa: N815 - the names are the vendors' own

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Json = dict[str, Any]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$", min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Union(Form):
    """An object of which exactly one field is given."""

    @model_validator(mode="after")
    def one(self):
        given = self.model_fields_set - getattr(self, "_beside", set())
        assert len(given) == 1, f"{sorted(given)} are given at once"
        return self


def _object(text: str) -> str:
    assert isinstance(json.loads(text), dict)
    return text


JsonObject = Annotated[str, AfterValidator(_object)]


# ---- Gemini: generateContent


class GeminiBlob(Form):
    mimeType: str
    data: Base64


class GeminiCall(Form):
    name: Name
    args: Json = {}
    id: str | None = None


class GeminiResult(Form):
    name: Name
    response: Json
    id: str | None = None


class GeminiPart(Form):
    text: str | None = None
    inlineData: GeminiBlob | None = None
    functionCall: GeminiCall | None = None
    functionResponse: GeminiResult | None = None
    thoughtSignature: str | None = None
    thought: bool | None = None

    @model_validator(mode="after")
    def one(self):
        assert len(self.model_fields_set - {"thoughtSignature", "thought"}) == 1
        return self


class GeminiContent(Form):
    role: Literal["user", "model"]
    parts: list[GeminiPart] = Field(min_length=1)


class GeminiSystem(Form):
    parts: list[GeminiPart] = Field(min_length=1)


class GeminiThinking(Form):
    thinkingBudget: int | None = None
    thinkingLevel: Literal["minimal", "low", "medium", "high"] | None = None
    includeThoughts: bool | None = None


class GeminiConfig(Form):
    maxOutputTokens: int = Field(gt=0)
    temperature: float | None = None
    thinkingConfig: GeminiThinking | None = None
    responseMimeType: Literal["application/json"] | None = None
    responseJsonSchema: Json | None = None


class GeminiDeclaration(Form):
    name: Name
    description: str
    parametersJsonSchema: Json


class GeminiTool(Form):
    functionDeclarations: list[GeminiDeclaration] = Field(min_length=1)


class GeminiCalling(Form):
    mode: Literal["AUTO", "ANY", "NONE"]


class GeminiToolConfig(Form):
    functionCallingConfig: GeminiCalling


class Gemini(Form):
    contents: list[GeminiContent]
    generationConfig: GeminiConfig
    systemInstruction: GeminiSystem | None = None
    tools: list[GeminiTool] | None = None
    toolConfig: GeminiToolConfig | None = None


# ---- Bedrock: ConverseStream


class ConverseBytes(Form):
    bytes: Base64


class ConverseImage(Form):
    format: Literal["png", "jpeg", "gif", "webp"]
    source: ConverseBytes


class ConverseDocument(Form):
    format: Literal["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9()\[\]-]+( [A-Za-z0-9()\[\]-]+)*$", max_length=200)]
    source: ConverseBytes


class ConverseUse(Form):
    toolUseId: Name
    name: Name
    input: Json


class ConverseInner(Union):
    text: str | None = None
    image: ConverseImage | None = None


class ConverseResult(Form):
    toolUseId: Name
    content: list[ConverseInner]
    status: Literal["success", "error"] | None = None


class ConverseReason(Form):
    text: str
    signature: str | None = None


class ConverseReasoning(Union):
    reasoningText: ConverseReason | None = None
    redactedContent: str | None = None


class ConversePoint(Form):
    type: Literal["default"]


class ConverseBlock(Union):
    text: Annotated[str, Field(min_length=1, pattern=r"\S")] | None = None
    image: ConverseImage | None = None
    document: ConverseDocument | None = None
    toolUse: ConverseUse | None = None
    toolResult: ConverseResult | None = None
    reasoningContent: ConverseReasoning | None = None
    cachePoint: ConversePoint | None = None


class ConverseMessage(Form):
    role: Literal["user", "assistant"]
    content: list[ConverseBlock] = Field(min_length=1)


class ConverseLimits(Form):
    maxTokens: int = Field(gt=0)
    temperature: float | None = None


class ConverseSystem(Union):
    text: str | None = None
    cachePoint: ConversePoint | None = None


class ConverseSchema(Form):
    json_: Json = Field(alias="json")


class ConverseSpec(Form):
    name: Name
    description: Annotated[str, Field(min_length=1)] | None = None
    inputSchema: ConverseSchema


class ConverseTool(Union):
    toolSpec: ConverseSpec | None = None
    cachePoint: ConversePoint | None = None


class ConverseChoice(Union):
    auto: Json | None = None
    any: Json | None = None


class ConverseTools(Form):
    tools: list[ConverseTool] = Field(min_length=1)
    toolChoice: ConverseChoice | None = None


class ConverseJson(Form):
    name: str
    schema_: JsonObject = Field(alias="schema")


class ConverseStructure(Union):
    jsonSchema: ConverseJson | None = None


class ConverseText(Form):
    type: Literal["json_schema"]
    structure: ConverseStructure


class ConverseOutput(Form):
    textFormat: ConverseText


class Converse(Form):
    messages: list[ConverseMessage]
    inferenceConfig: ConverseLimits
    system: list[ConverseSystem] | None = None
    toolConfig: ConverseTools | None = None
    additionalModelRequestFields: Json | None = None
    outputConfig: ConverseOutput | None = None


# ---- Cohere: v2/chat


class CohereFunction(Form):
    name: str
    arguments: JsonObject


class CohereCall(Form):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: CohereFunction


class CohereUrl(Form):
    url: str = Field(pattern=r"^data:image/[\w.+-]+;base64,")


class CoherePart(Form):
    type: Literal["text", "thinking", "image_url"]
    text: str | None = None
    thinking: str | None = None
    image_url: CohereUrl | None = None


class CohereMessage(Form):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[CoherePart] | None = None
    tool_calls: list[CohereCall] | None = None
    tool_plan: str | None = None
    tool_call_id: str | None = None


class CohereThinking(Form):
    type: Literal["enabled", "disabled"]
    token_budget: int | None = None


class CohereDeclared(Form):
    name: str
    description: str
    parameters: Json


class CohereTool(Form):
    type: Literal["function"]
    function: CohereDeclared


class CohereFormat(Form):
    type: Literal["json_object", "text"]
    schema_: Json | None = Field(None, alias="schema")


class Cohere(Form):
    model: str
    messages: list[CohereMessage]
    max_tokens: int = Field(gt=0)
    stream: Literal[True]
    temperature: float | None = None
    tools: list[CohereTool] | None = None
    tool_choice: Literal["REQUIRED", "NONE"] | None = None
    thinking: CohereThinking | None = None
    response_format: CohereFormat | None = None


# ---- Ollama: /api/chat


class OllamaFunction(Form):
    name: str
    arguments: Json
    index: int | None = None


class OllamaCall(Form):
    id: str | None = None
    function: OllamaFunction


class OllamaMessage(Form):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    thinking: str | None = None
    images: list[Base64] | None = None
    tool_calls: list[OllamaCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class OllamaOptions(Form):
    num_predict: int
    num_ctx: int
    temperature: float | None = None


class Ollama(Form):
    model: str
    messages: list[OllamaMessage]
    stream: Literal[True]
    options: OllamaOptions
    tools: list[CohereTool] | None = None
    think: bool | None = None
    format: Json | None = None
    truncate: bool | None = None
    shift: bool | None = None
