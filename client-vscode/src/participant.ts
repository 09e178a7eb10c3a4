// `@attache` in the editor's own chat, and our tools for the models of others: where the host has such a thing.

import * as vscode from "vscode";
import { Conversation, fields, words } from "./chat/conversation";
import { TOOLS } from "./generated/settings";
import { aside, type Server } from "./server";

/** What hosts of late have and the types of the oldest that we run on do not. */
type Message = { content: readonly unknown[] };
type Provider = {
  provideLanguageModelChatInformation(): Promise<object[]>;
  provideLanguageModelChatResponse(model: unknown, messages: readonly Message[], options: unknown,
    progress: vscode.Progress<unknown>, token: vscode.CancellationToken): Promise<void>;
  provideTokenCount(model: unknown, text: string | Message): Promise<number>;
};
type Models = { registerLanguageModelChatProvider?: (vendor: string, provider: Provider) => vscode.Disposable };

type Known = { sessionId?: string };

export function participant(context: vscode.ExtensionContext, server: Server): void {
  const host = vscode as Partial<Pick<typeof vscode, "chat" | "lm">>;
  const listeners = new Map<string, (update: unknown) => void>();
  server.on("attache/session/update", (params) => {
    const { sessionId, update } = fields(params);
    listeners.get(words(sessionId))?.(update);
  });

  if (host.chat?.createChatParticipant) {
    const answer: vscode.ChatRequestHandler = async (request, past, stream, token) => {
      const last = past.history.filter((turn) => turn instanceof vscode.ChatResponseTurn).at(-1);
      const known = (last?.result.metadata as Known | undefined)?.sessionId;
      const sessionId = known ?? (await server.ask<{ sessionId: string }>("attache/session/new", { cwd: "", mcpServers: [] })).sessionId;
      const metadata: Known = { sessionId };
      listeners.set(sessionId, (update) => tell(stream, update));
      const stop = token.onCancellationRequested(() => void server.tell("attache/session/cancel", { sessionId }));
      try {
        if (request.command) await server.ask("attache/session/set_mode", { sessionId, modeId: request.command });
        const finished = await server.ask("attache/session/prompt", { sessionId, prompt: [{ type: "text", text: asked(request) }] });
        const { error, hint } = fields(fields(fields(finished)["_meta"])["attache"]);
        return error ? { metadata, errorDetails: { message: [words(error), words(hint)].filter(Boolean).join(". ") } } : { metadata };
      } finally {
        stop.dispose();
        listeners.delete(sessionId);
      }
    };
    const made = host.chat.createChatParticipant("attache.agent", answer);
    made.iconPath = new vscode.ThemeIcon("sparkle");
    context.subscriptions.push(made);
  }

  // A host that knows of no model lets no participant answer: ours brings the agent itself as one.
  const models = host.lm as Models | undefined;
  if (models?.registerLanguageModelChatProvider)
    context.subscriptions.push(models.registerLanguageModelChatProvider("attache", agentAsModel(server)));
  void host.lm?.selectChatModels({ vendor: "attache" }); // hosts list a provider's models only once they were asked for

  if (host.lm?.registerTool)
    for (const name of TOOLS)
      context.subscriptions.push(host.lm.registerTool<object>(`attache_${name}`, {
        async invoke({ input }) {
          const output = await server.ask<{ text: string }>("attache/tool/run", { name, arguments: input });
          return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(output.text)]);
        },
      }));
}

function agentAsModel(server: Server): Provider {
  const said = (message: Message) => message.content.filter((part) => part instanceof vscode.LanguageModelTextPart)
    .map((part) => part.value).join("");
  return {
    provideLanguageModelChatInformation: () => Promise.resolve([{
      id: "agent", name: "Attaché", family: "attache", version: "1", maxInputTokens: 100_000, maxOutputTokens: 8_000,
      tooltip: "Attaché with its own model and tools; it changes nothing here", capabilities: { imageInput: false, toolCalling: true }, isUserSelectable: true,
    }]),
    async provideLanguageModelChatResponse(_model, messages, _options, progress, token) {
      progress.report(new vscode.LanguageModelTextPart(await aside(server, messages.map(said).filter(Boolean).join("\n\n"), token)));
    },
    provideTokenCount: (_model, text) => Promise.resolve(Math.ceil((typeof text === "string" ? text : said(text)).length / 4)),
  };
}

/** The prompt with the places that the user attached to it. */
function asked(request: vscode.ChatRequest): string {
  const places = request.references.map(({ value }) => {
    if (value instanceof vscode.Uri) return `@${vscode.workspace.asRelativePath(value, false)}`;
    if (value instanceof vscode.Location) return `@${vscode.workspace.asRelativePath(value.uri, false)}:${value.range.start.line + 1}-${value.range.end.line + 1}`;
    return "";
  });
  return [request.prompt, ...places.filter(Boolean)].join("\n");
}

function tell(stream: vscode.ChatResponseStream, update: unknown): void {
  const one = new Conversation();
  one.apply(update);
  for (const item of one.items) {
    if (item.kind === "agent") stream.markdown(item.text);
    if (item.kind === "tool" && item.state === "running") stream.progress(item.title);
    if (item.kind === "change") stream.markdown(`\n\n- ✎ ${item.files.map((file) => `\`${file.path}\``).join(", ")}: pending review\n\n`);
    if (item.kind === "tool")
      for (const { path, line } of item.places.slice(0, 5)) {
        const root = vscode.workspace.workspaceFolders?.[0]?.uri;
        if (root) stream.reference(new vscode.Location(vscode.Uri.joinPath(root, path), new vscode.Position(Math.max((line ?? 1) - 1, 0), 0)));
      }
  }
}
