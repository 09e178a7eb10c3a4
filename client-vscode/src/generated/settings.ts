// made by `make generate`; do not edit

export const SERVER_SETTINGS: Record<string, string> = {
  model: "model",
  mode: "mode",
  review: "review",
  lenses: "lenses",
  inline_completion: "inlineCompletion",
  completion_model: "completionModel",
  send_chats_on_save: "sendChatsOnSave",
  show_thinking: "showThinking",
  max_tool_iterations: "maxToolIterations",
  max_cost_usd: "maxCostUsd",
};

export const TOOLS = ["search", "symbols", "references", "diagnostics"];
