// One conversation as a list of items: the fold of what the server told of a session. No editor, no page.

import type { RunFinished } from "../generated/protocol";

export type File = { path: string; oldText?: string | null; newText?: string | null };
export type Image = { data: string; mimeType: string };
export type Option = { optionId: string; name: string; kind: string };
export type Step = { content: string; status: string };
export type Tool = {
  kind: "tool"; id: string; title: string; what: string; state: "running" | "done" | "failed"; input: string; output: string;
  places: { path: string; line?: number }[]; seconds?: number; cached?: boolean;
};
export type Ask = {
  kind: "ask"; id: string; title: string; detail: [string, string][]; pattern: string; digest: string; options: Option[];
  /** What the agent wants to know, answered in words; else it wants leave. */
  inWords: boolean;
  state: "open" | "answered" | "gone"; said: string;
};
export type Change = { kind: "change"; id: string; step: number; title: string; files: File[]; undone: boolean };
export type User = { kind: "user"; text: string; images: Image[]; seq: number };
export type Item =
  | User | Tool | Ask | Change
  | { kind: "agent"; text: string }
  | { kind: "thought"; text: string }
  | { kind: "plan"; steps: Step[] }
  | { kind: "note"; text: string; hint: string; bad: boolean }
  | { kind: "foot"; text: string };

type Fields = Record<string, unknown>;

export const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const words = (value: unknown): string => (typeof value === "string" ? value : "");
export const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

export class Conversation {
  items: Item[] = [];
  title = "";
  mode = "";
  private readonly tools = new Map<string, Tool>();
  private said: User | undefined;

  /** Take in one `update` of `session/update`; return where items changed, the lowest first, or -1 for nowhere. */
  apply(update: unknown): number {
    const told = fields(update);
    const ours = fields(fields(told["_meta"])["attache"]);
    switch (told["sessionUpdate"]) {
      case "user_message_chunk": return this.user(fields(told["content"]), number(ours["seq"]));
      case "agent_message_chunk": return this.speak("agent", words(fields(told["content"])["text"]));
      case "agent_thought_chunk": return this.speak("thought", words(fields(told["content"])["text"]));
      case "tool_call":
      case "tool_call_update": return this.tool(told, ours);
      case "plan": return this.plan(list(told["entries"]));
      case "current_mode_update": this.mode = words(told["currentModeId"]); return -1;
      case "session_info_update":
        this.title = words(told["title"]) || this.title;
        return this.happened(words(ours["event"]), ours);
      default: return -1;
    }
  }

  /** What the user says, before the server has heard it. */
  say(text: string, images: Image[]): number {
    this.said = { kind: "user", text, images, seq: 0 };
    return this.add(this.said);
  }

  /** The question that words may answer now. */
  asked(): Ask | undefined {
    return this.items.findLast((each): each is Ask => each.kind === "ask" && each.inWords && each.state === "open");
  }

  ask(ask: Ask): number {
    return this.add(ask);
  }

  settle(id: string, state: Ask["state"], said: string): number {
    const at = this.items.findIndex((each) => each.kind === "ask" && each.id === id && each.state === "open");
    const found = this.items[at];
    if (found?.kind === "ask") Object.assign(found, { state, said });
    return at;
  }

  note(text: string, hint = "", bad = true): number {
    return this.add({ kind: "note", text, hint, bad });
  }

  /** Nothing runs any more: what still waited or ran has ended. Returns the first item that changed. */
  ended(): number {
    let first = -1;
    this.items.forEach((each, at) => {
      const open = each.kind === "ask" ? each.state === "open" : each.kind === "tool" && each.state === "running";
      if (!open) return;
      if (each.kind === "ask") each.state = "gone";
      if (each.kind === "tool") each.state = "failed";
      first = first < 0 ? at : first;
    });
    this.said = undefined;
    return first;
  }

  private add(item: Item): number {
    return this.items.push(item) - 1;
  }

  private user(content: Fields, seq: number): number {
    const image = content["type"] === "image" ? [{ data: words(content["data"]), mimeType: words(content["mimeType"]) }] : [];
    const last = this.items.at(-1);
    if (last?.kind === "user" && seq && last.seq === seq) {
      last.text += words(content["text"]);
      last.images.push(...image);
      return this.items.length - 1;
    }
    return this.add({ kind: "user", text: words(content["text"]), images: image, seq });
  }

  private speak(kind: "agent" | "thought", text: string): number {
    const last = this.items.at(-1);
    if (!text) return -1;
    if (last?.kind !== kind) return this.add({ kind, text });
    last.text += text;
    return this.items.length - 1;
  }

  private tool(told: Fields, ours: Fields): number {
    const id = words(told["toolCallId"]);
    let found = this.tools.get(id);
    if (!found || told["sessionUpdate"] === "tool_call") {
      found = { kind: "tool", id, title: "", what: "other", state: "running", input: "", output: "", places: [] };
      this.tools.set(id, found);
      this.add(found);
    }
    found.title = words(told["title"]) || found.title;
    found.what = words(told["kind"]) || found.what;
    if (told["rawInput"] !== undefined) found.input = JSON.stringify(told["rawInput"], null, 2);
    if (told["status"] === "completed") found.state = "done";
    if (told["status"] === "failed") found.state = "failed";
    const content = list(told["content"]);
    if (content.length) found.output = content.map((each) => words(fields(fields(each)["content"])["text"])).join("\n");
    else found.output += words(ours["delta"]);
    const places = list(told["locations"]).map((each) => fields(each));
    if (places.length) found.places = places.map((each) => ({ path: words(each["path"]), line: number(each["line"]) }));
    if (typeof ours["seconds"] === "number") found.seconds = ours["seconds"];
    if (ours["cached"] === true) found.cached = true;
    return this.items.indexOf(found);
  }

  private plan(entries: unknown[]): number {
    const steps = entries.map((each) => ({ content: words(fields(each)["content"]), status: words(fields(each)["status"]) }));
    const at = this.items.findLastIndex((each) => each.kind === "plan" || each.kind === "user");
    const found = this.items[at];
    if (found?.kind !== "plan") return this.add({ kind: "plan", steps });
    found.steps = steps;
    return at;
  }

  private happened(event: string, ours: Fields): number {
    switch (event) {
      case "run.started":
        if (this.said) this.said.seq = number(ours["seq"]);
        return this.said ? this.items.indexOf(this.said) : -1;
      case "change.landed": {
        const landed = fields(ours["landed"]);
        const files = list(landed["files"]).map((each) => fields(each) as File);
        return this.add({
          kind: "change", id: words(landed["id"]), step: number(landed["step"]), title: words(landed["title"]), files, undone: false,
        });
      }
      case "change.undone": {
        const at = this.items.findIndex((each) => each.kind === "change" && each.id === ours["change_set"]);
        const found = this.items[at];
        if (found?.kind === "change") found.undone = ours["redone"] !== true;
        return at;
      }
      case "change.refused": return this.note(`not changed: ${words(ours["reason"])}`);
      case "error.raised": return this.note(`${words(ours["where"])}: ${words(ours["message"])}`, words(ours["hint"]));
      case "stream.restarted": return this.restart();
      case "run.finished": return this.finish(ours);
      default: return -1;
    }
  }

  /** What was streamed of this answer no longer counts. */
  private restart(): number {
    const before = this.items.length;
    while (["agent", "thought"].includes(this.items.at(-1)?.kind ?? "")) this.items.pop();
    return before === this.items.length ? -1 : this.items.length;
  }

  private finish(ours: Fields): number {
    const first = this.ended();
    const stop = words(ours["stop_reason"]);
    const error = words(ours["error"]);
    if (error) this.note(error, words(ours["hint"]));
    else if (stop && stop !== "end_turn") this.note(STOPPED[stop] ?? `stopped: ${stop}`, "", false);
    const at = this.add({ kind: "foot", text: summed(ours) });
    return first < 0 ? at : first;
  }
}

const STOPPED: Record<string, string> = {
  interrupted: "stopped by you",
  max_turns: "stopped: it took as many turns as one run may",
  max_tokens: "the answer was cut: it reached the longest that is allowed",
  budget: "stopped: over budget",
  approval_needed: "stopped: an approval was needed and nobody gave it",
  refusal: "the model refused to answer",
};

function summed(run: Partial<RunFinished>): string {
  const cached = number(run.usage?.cached_tokens);
  const cost = number(run.cost_usd);
  const turns = number(run.turns);
  return [
    `${turns} turn${turns === 1 ? "" : "s"}`,
    `${number(run.usage?.input_tokens).toLocaleString("en")} tokens in${cached ? ` (${cached.toLocaleString("en")} cached)` : ""}`,
    `${number(run.usage?.output_tokens).toLocaleString("en")} out`,
    ...(cost ? [`$${cost.toFixed(3)}`] : []),
    `${number(run.seconds).toFixed(1)} s`,
  ].join(" · ");
}

/** The conversation as a Markdown document. */
export function exported(conversation: Conversation): string {
  const parts = conversation.items.map((item) => {
    switch (item.kind) {
      case "user": return `## You\n\n${item.text}`;
      case "agent": return item.text.trim();
      case "thought": return item.text.trim().replace(/^/gm, "> ");
      case "tool": return `- ${item.state === "failed" ? "✗" : "✓"} **${item.title}**${item.seconds === undefined ? "" : ` · ${item.seconds.toFixed(1)} s`}`;
      case "change": return item.files.map((file) => `- ✎ **edit** ${file.path}${item.undone ? " (undone)" : ""}`).join("\n");
      case "plan": return item.steps.map((step) => `- [${step.status === "completed" ? "x" : " "}] ${step.content}`).join("\n");
      case "note": return `*${item.text}*`;
      case "foot": return `<sub>${item.text}</sub>`;
      case "ask": return `- ? ${item.title} · ${item.said || item.state}`;
    }
  });
  return `# ${conversation.title || "Chat"}\n\n${parts.join("\n\n")}\n`;
}
