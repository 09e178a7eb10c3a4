// The panel: shows one session as the server tells it, and hands on what the user does. It decides nothing.

import { Conversation, fields, list, words, type Image, type Item, type User } from "../chat/conversation";
import type { FromPanel, ToPanel } from "../chat/messages";
import { Cards } from "./cards";
import { Composer } from "./composer";
import { button, h, plain } from "./elements";
import { VirtualList } from "./list";
import { Growing } from "./markdown";

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

const editor = acquireVsCodeApi();
const send = (message: FromPanel): void => editor.postMessage(message);

const ASK = "Ask; @ mentions, / commands";
let told = new Conversation();
let running = false;
let editing: User | undefined;
const queue: { text: string; images: Image[] }[] = [];
let growing: { at: number; text: Growing } | undefined;
let dirty = Number.POSITIVE_INFINITY;
let frame = 0;

const FILLERS = [["instructions", "instructions and tools"], ["said", "what you said"], ["answers", "answers and calls"], ["results", "results of tools"]] as const;

// ---------------------------------------------------------------- the page

const title = h("h1", {}, "New session");
const live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
const banner = h("div", { class: "banner", role: "alert", hidden: true });
const hunks = h("div", { class: "hunks", role: "region", "aria-label": "Changes to review", hidden: true });
const working = h("div", { class: "working", hidden: true });
const waiting = h("div", { class: "queue", hidden: true });
const modes = h("select", { "aria-label": "Mode", hidden: true, change: () => send({ type: "mode", mode: modes.value }) });
const model = button("model", () => send({ type: "pickModel" }), { class: "model", title: "Take another model" });
const meter = h("meter", { min: 0, max: 1, low: 0.6, high: 0.85, optimum: 0.1, "aria-label": "Context used", hidden: true });
const spent = h("span", { class: "quiet" });
const search = h("input", { type: "search", placeholder: "Find in this session", "aria-label": "Find in this session", hidden: true });
const action = button("Send", () => (running && !composer.input.value.trim() ? send({ type: "stop" }) : composer.submit()), { class: "primary" });

const cards = new Cards((message) => { if (message.type === "answer" || message.type === "deny" || message.type === "reply") answered(message); send(message); }, edit);
const feed = new VirtualList(fill, guess);
const composer = new Composer({
  send: submit,
  complete: (id, query) => send({ type: "complete", id, query }),
  escape: () => { if (editing) edited(undefined); else if (running) send({ type: "stop" }); },
  complain: (text) => noted(text, ""),
});

document.body.append(
  h("header", {}, title,
    button("find", () => { search.hidden = !search.hidden; search.focus(); }, { title: "Find in this session" })),
  search, banner, feed.element, live, working, hunks, waiting,
  h("footer", {}, composer.element, h("div", { class: "under" }, modes, model, button("+", () => send({ type: "addContext" }),
    { title: "Mention files", "aria-label": "Mention files" }), meter, spent, h("span", { class: "grow" }), action)));

let found = -1;
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { search.hidden = true; composer.input.focus(); }
  if (event.key !== "Enter" || !search.value) return;
  const wanted = search.value.toLowerCase();
  const order = told.items.map((_, at) => (at + found + 1) % told.items.length);
  found = order.find((at) => JSON.stringify(told.items[at]).toLowerCase().includes(wanted)) ?? -1;
  if (found >= 0) feed.reveal(found);
  search.focus();
  say(found >= 0 ? `found in message ${found + 1}` : "not found");
});

// ---------------------------------------------------------------- showing

function fill(at: number, into: HTMLElement): void {
  const item = told.items[at];
  if (!item) return;
  const grows = item.kind === "agent" && running && at === told.items.length - 1;
  if (!grows) {
    if (growing?.at === at) growing = undefined;
    return cards.fill(item, at, into);
  }
  if (growing?.at !== at || !into.hasChildNodes()) {
    into.className = item.kind;
    into.replaceChildren();
    growing = { at, text: new Growing(into, cards.does) };
  }
  growing.text.show(item.text);
}

function guess(at: number): number {
  const item = told.items[at];
  if (!item || item.kind === "tool" || item.kind === "thought" || item.kind === "foot") return 28;
  return "text" in item ? 30 + 20 * Math.min(Math.ceil(item.text.length / 70), 400) : 80;
}

/** Show what changed from an item on, once a frame however often it is asked for. */
function paint(first: number): void {
  if (first < 0) return;
  dirty = Math.min(dirty, first);
  frame ||= requestAnimationFrame(() => {
    const from = dirty;
    [frame, dirty] = [0, Number.POSITIVE_INFINITY];
    feed.update(told.items.length, from);
  });
}

function say(text: string): void {
  live.textContent = text;
}

function noted(text: string, hint: string): void {
  paint(told.note(text, hint));
}

function run(now: boolean): void {
  const ended = running && !now;
  running = now;
  feed.element.setAttribute("aria-busy", String(now));
  working.hidden = !now;
  if (now) working.textContent = "▍ working · Escape stops";
  label();
  if (!ended) return;
  say("finished");
  paint(told.ended());
  paint(told.items.length - 2);
  const next = queue.shift();
  showQueue();
  if (next) submit(next.text, next.images);
}

function label(): void {
  const asked = told.asked();
  composer.input.placeholder = asked ? "Your answer, in your own words" : ASK;
  action.textContent = asked && composer.input.value.trim() ? "Answer" : running ? (composer.input.value.trim() ? "Queue" : "Stop") : editing ? "Send again" : "Send";
}

// ---------------------------------------------------------------- doing

const COMMANDS: Record<string, FromPanel> = {
  "/new": { type: "new" }, "/sessions": { type: "sessions" }, "/model": { type: "pickModel" }, "/export": { type: "export" },
  "/undo": { type: "review", what: "undo" }, "/plan": { type: "mode", mode: "plan" }, "/explore": { type: "mode", mode: "explore" },
  "/build": { type: "mode", mode: "build" },
};

function submit(text: string, images: Image[]): void {
  const command = Object.hasOwn(COMMANDS, text) ? COMMANDS[text] : undefined;
  if (command) return send(command);
  const asked = told.asked();
  if (asked && text && !images.length) {
    const reply = { type: "reply", id: asked.id, text } as const;
    answered(reply);
    return send(reply);
  }
  if (running) { queue.push({ text, images }); return showQueue(); }
  if (editing) {
    const { seq } = editing;
    edited(undefined);
    return send({ type: "resend", seq, text, fork: true, images });
  }
  if (!told.items.length) feed.element.replaceChildren();
  paint(told.say(text, images));
  feed.toEnd();
  run(true);
  send({ type: "prompt", text, images });
}

/** What was said while it ran: said at the end, or pushed in at once. */
function showQueue(): void {
  waiting.hidden = !queue.length;
  waiting.replaceChildren(...queue.map((each, at) => h("p", {}, h("span", {}, plain(each.text)),
    button("now", () => { queue.splice(at, 1); showQueue(); send({ type: "steer", text: each.text }); say("sent to the run"); }, { title: "Say it to the run under way" }),
    button("✕", () => { queue.splice(at, 1); showQueue(); }, { "aria-label": "Do not send" }))));
  label();
}

function edit(item: User): void {
  edited(item);
  composer.put(item.text, item.images);
}

function edited(item: User | undefined): void {
  if (editing && !item) composer.put("");
  editing = item;
  label();
}

function answered(message: Extract<FromPanel, { type: "answer" | "deny" | "reply" }>): void {
  const ask = told.items.find((item): item is Item & { kind: "ask" } => item.kind === "ask" && item.id === message.id);
  const name = message.type === "reply" ? message.text || "not answered" : message.type === "deny" ? `Deny${message.reason ? `: ${message.reason}` : ""}`
    : ask?.options.find((option) => option.optionId === message.option)?.name ?? message.option;
  paint(told.settle(message.id, "answered", name));
  working.textContent = "▍ working · Escape stops";
  label();
  composer.input.focus();
}

// ---------------------------------------------------------------- hearing

const HEAR: { [K in ToPanel["type"]]: (message: Extract<ToPanel, { type: K }>) => void } = {
  server: ({ state, text }) => {
    banner.hidden = state === "ready" || state === "starting" && !text;
    banner.className = `banner ${state}`;
    banner.replaceChildren(h("span", {}, plain(text)));
    if (state === "waiting" || state === "failed")
      banner.append(button("Start again", () => send({ type: "recover" })), button("Log", () => send({ type: "log" })));
  },
  session: (message) => {
    title.textContent = plain(message.title) || "New session";
    modes.replaceChildren(...message.modes.map((mode) => h("option", { value: mode }, mode)));
    modes.hidden = !message.modes.length;
    modes.value = message.mode;
    model.textContent = message.model || "model";
  },
  titled: (message) => { title.textContent = plain(message.title); },
  history: ({ updates }) => {
    told = new Conversation();
    growing = undefined;
    updates.forEach((update) => told.apply(update));
    told.ended();
    feed.clear();
    feed.update(told.items.length, 0);
    feed.toEnd();
    label();
  },
  older: ({ updates }) => {
    const past = new Conversation();
    updates.forEach((update) => past.apply(update));
    past.ended();
    told.items.unshift(...past.items);
    if (growing) growing.at += past.items.length;
    if (dirty < told.items.length) dirty += past.items.length;
    feed.prepend(past.items.length);
  },
  update: ({ updates }) => {
    for (const update of updates) {
      const first = told.apply(update);
      const last = told.items[first];
      if (last?.kind === "tool" && last.state === "running") working.textContent = `▍ ${plain(last.title).slice(0, 100)} · Escape stops`;
      paint(first);
    }
    if (told.title) title.textContent = plain(told.title);
    if (told.mode) modes.value = told.mode;
  },
  running: ({ running: now }) => run(now),
  settled: ({ updates }) => settle(updates),
  note: ({ text, hint }) => noted(text, hint),
  permission: ({ id, request }) => {
    const asked = fields(request);
    const ours = fields(fields(asked["_meta"])["attache"]);
    const about = words(fields(asked["toolCall"])["title"]);
    const inWords = typeof ours["question"] === "string";
    paint(told.ask({
      kind: "ask", id, title: about, inWords, pattern: words(ours["pattern"]), digest: words(ours["digest"]), state: "open", said: "",
      detail: list(ours["detail"]).map((pair) => [words(list(pair)[0]), words(list(pair)[1])]),
      options: list(asked["options"]).map(fields).map((each) => ({ optionId: words(each["optionId"]), name: words(each["name"]), kind: words(each["kind"]) })),
    }));
    working.textContent = "▍ waiting for your answer · Escape stops";
    label();
    say(inWords ? `Attaché asks: ${plain(about)} Choices stand in the conversation; or type your answer.` : `Approval needed: ${plain(about)}`);
  },
  permissionGone: ({ id, said }) => paint(told.settle(id, "gone", said)),
  status: (message) => {
    if (message.model) model.textContent = message.model;
    if (message.mode) modes.value = message.mode;
    meter.hidden = !message.size;
    if (message.size) {
      meter.value = message.context / message.size;
      const filled = FILLERS.map(([name, words]) => [message.shares[name] ?? 0, words] as const).filter(([count]) => count > 0)
        .map(([count, words]) => `about ${count.toLocaleString("en")} ${words}`).join("\n");
      meter.title = `${message.context.toLocaleString("en")} of ${message.size.toLocaleString("en")} tokens are in the model's context:\n${filled}\nThis session: ${message.tokens}`;
      meter.setAttribute("aria-description", meter.title);
    }
    spent.textContent = message.cost ? `$${message.cost.toFixed(3)}` : "";
    spent.title = message.tokens;
  },
  hunks: ({ changes, files }) => {
    hunks.hidden = !changes;
    const act = (name: string, what: "show" | "next" | "accept" | "reject" | "undo"): HTMLElement => button(name, () => send({ type: "review", what }));
    hunks.replaceChildren(h("span", {}, `${changes} change${changes === 1 ? "" : "s"} in ${files} file${files === 1 ? "" : "s"}`),
      act("review", "show"), act("next", "next"), act("accept all", "accept"), act("reject all", "reject"), act("undo", "undo"));
  },
  completions: ({ id, items }) => composer.completed(id, items),
  draft: ({ text, send: now }) => {
    if (now) submit(text, []);
    else composer.add(text);
  },
  suggestions: ({ items, about }) => {
    if (told.items.length) return;
    feed.element.replaceChildren(h("section", { class: "empty" }, h("p", { class: "quiet" }, plain(about)),
      ...items.map((item) => button(plain(item), () => composer.put(item), { class: "suggestion" }))));
  },
};

/** What the log holds of the run that just ended: where a piece was lost on the way, its text is put right. */
function settle(updates: unknown[]): void {
  const whole = new Conversation();
  updates.forEach((update) => whole.apply(update));
  const start = told.items.findLastIndex((item) => item.kind === "user" && item.seq > 0);
  const spoken = (items: Item[]): { kind: string; text: string }[] => items.filter((item) => item.kind === "agent" || item.kind === "thought");
  const shown = spoken(told.items.slice(start));
  spoken(whole.items).forEach((item, at) => {
    const other = shown[at];
    if (!other || other.kind !== item.kind || other.text === item.text) return;
    other.text = item.text;
    paint(start);
  });
}

window.addEventListener("message", ({ data }: MessageEvent<ToPanel>) => {
  const hear = typeof data === "object" && Object.hasOwn(HEAR, data.type) ? HEAR[data.type] : undefined;
  (hear as ((message: ToPanel) => void) | undefined)?.(data);
});
window.addEventListener("focus", () => { if (document.activeElement === document.body) composer.input.focus(); });
composer.input.addEventListener("input", label);
label();
send({ type: "ready" });
