// What one item of the conversation looks like.

import type { Ask, Change, File, Item, Tool, User } from "../chat/conversation";
import type { FromPanel } from "../chat/messages";
import { button, cut, h, plain } from "./elements";
import { colour, rendered, type Does } from "./markdown";

export type Send = (message: FromPanel) => void;

const MOST_OUTPUT = 20_000;
const MOST_DIFF = 400;
/** What the user opened stays open when the card is made anew. */
const opened = new Set<string>();

export class Cards {
  readonly does: Does;

  constructor(private readonly send: Send, private readonly edit: (said: User) => void) {
    this.does = {
      link: (href) => send({ type: "link", href }),
      code: (what, text, path) => send(what === "apply" ? { type: what, text, path } : { type: what, text }),
    };
  }

  fill(item: Item, at: number, into: HTMLElement): void {
    into.className = item.kind;
    switch (item.kind) {
      case "user": return this.user(item, into);
      case "agent":
        into.setAttribute("aria-label", "Attaché");
        return into.replaceChildren(rendered(item.text, this.does), this.tools(item.text));
      case "thought": return into.replaceChildren(fold(`thought-${at}`, [h("span", {}, "Thinking")], () => rendered(item.text, this.does)));
      case "tool": return this.tool(item, into);
      case "change": return this.change(item, into);
      case "ask": return this.ask(item, into);
      case "plan": return into.replaceChildren(h("ul", { class: "steps", "aria-label": "Plan" }, ...item.steps.map((step) =>
        h("li", { class: step.status }, h("span", { "aria-label": step.status }, MARKS[step.status] ?? "○"), ` ${plain(step.content)}`))));
      case "note": return into.replaceChildren(
        h("p", { class: item.bad ? "bad" : "quiet", role: item.bad ? "alert" : "status" }, plain(item.text)),
        item.hint ? h("p", { class: "quiet" }, plain(item.hint)) : "");
      case "foot": return into.replaceChildren(h("p", { class: "quiet" }, item.text));
    }
  }

  private user(item: User, into: HTMLElement): void {
    into.setAttribute("aria-label", "You");
    const images = item.images.map((image) => h("img", { src: `data:${image.mimeType};base64,${image.data}`, alt: "attached picture" }));
    const { seq } = item;
    const again = (fork: boolean, text: string): void => this.send({ type: "resend", seq, text, fork, images: item.images });
    const acts = seq ? [
      button("edit", () => this.edit(item), { title: "Change it and send it again, in a fork" }),
      button("retry", () => again(false, item.text), { title: "Forget the answer and ask again" }),
      button("fork", () => this.send({ type: "fork", seq: seq - 1 }), { title: "A new session with all that came before" }),
      button("rewind", () => this.send({ type: "rewind", seq: seq - 1 }), { title: "Go back to before this: what was said, the files, or both" }),
    ] : [];
    into.replaceChildren(h("div", { class: "words" }, rendered(item.text, this.does)), ...images, h("div", { class: "acts" }, ...acts));
  }

  private tools(text: string): HTMLElement {
    return h("div", { class: "acts" }, button("copy", () => this.send({ type: "copy", text }), { title: "Copy this answer" }));
  }

  private tool(item: Tool, into: HTMLElement): void {
    const [name = "", ...rest] = plain(item.title).split(" ");
    const mark = { running: "…", done: "✓", failed: "✗" }[item.state];
    const spent = item.seconds === undefined ? "" : ` · ${item.seconds.toFixed(1)} s${item.cached ? " · from before" : ""}`;
    const line = [h("span", { class: `mark ${item.state}`, "aria-label": item.state }, mark), h("b", {}, name), ` ${rest.join(" ")}`,
      h("span", { class: "quiet" }, spent)];
    into.replaceChildren(fold(`tool-${item.id}`, line, () => {
      const body = document.createDocumentFragment();
      if (item.places.length) body.append(h("p", {}, ...item.places.slice(0, 50).map((place) =>
        button(`${plain(place.path)}${place.line ? `:${place.line}` : ""}`, () => this.send({ type: "open", path: place.path, line: place.line ?? 0 }), { class: "place" }))));
      if (item.input && item.input !== "{}") body.append(block(item.input, "json", "arguments"));
      if (item.output) body.append(block(item.output, "", "output"));
      return body;
    }));
  }

  private change(item: Change, into: HTMLElement): void {
    const files = item.files.map((file) => h("li", {},
      button(plain(file.path), () => this.send({ type: "compare", change: item.id, path: file.path }), { class: "place", title: "Show what changed" }),
      h("span", { class: "quiet" }, ` ${counted(file)}`)));
    into.replaceChildren(h("p", {}, h("span", { class: "mark" }, "✎"), h("b", {}, ` ${plain(item.title)}`),
      h("span", { class: "quiet" }, item.undone ? " · undone" : "")), h("ul", {}, ...files));
  }

  private ask(item: Ask, into: HTMLElement): void {
    into.setAttribute("aria-label", item.inWords ? "Question" : "Approval");
    const rows = item.detail.flatMap(([label, value]) => [h("dt", {}, plain(label)), h("dd", {}, value.includes("\n") || label === "diff"
      ? block(value, /^@@|^[-+]/m.test(value) ? "diff" : "", label) : plain(value))]);
    const told = h(item.inWords ? "p" : "dl", {}, ...(item.inWords ? item.options.map((option) => `${plain(option.name)}  `) : rows));
    if (item.state !== "open") {
      into.className = "asked";
      const line = [h("span", { class: "mark" }, "?"), h("code", {}, plain(item.title)),
        h("span", { class: "quiet" }, ` · ${item.state === "gone" ? "no longer asked" : plain(item.said)}`)];
      return into.replaceChildren(fold(`ask-${item.id}`, line, () => told));
    }
    const options = item.options.map((option) => button(plain(option.name), () => this.send({ type: "answer", id: item.id, option: option.optionId }),
      option.kind === "allow_always" && item.pattern ? { title: `Covers: ${plain(item.pattern)}` } : {}));
    const choices = (...more: Node[]): HTMLElement => h("div", { class: "acts choices", role: "group", "aria-label": "Your answer" }, ...options, ...more);
    if (item.inWords) {
      const none = button("No answer", () => this.send({ type: "reply", id: item.id, text: "" }), { title: "Let it decide by itself" });
      return into.replaceChildren(h("p", {}, h("b", {}, "Attaché asks: "), h("span", { class: "what" }, plain(item.title))), choices(none),
        h("p", { class: "quiet" }, options.length ? "or type your answer below" : "type your answer below"));
    }
    const card = [h("p", {}, h("b", {}, "Attaché wants to: "), h("code", { class: "what" }, plain(item.title))), told];
    const why = h("input", { type: "text", placeholder: "why not, or what to do instead", "aria-label": "Reason", maxlength: 4000 });
    const deny = (): void => this.send({ type: "deny", id: item.id, digest: item.digest, reason: why.value });
    why.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the input that is focused next would take it for a line
      deny();
    });
    const reason = h("div", { class: "acts", hidden: true }, why, button("Deny", deny));
    const covers = item.pattern ? h("p", { class: "quiet" }, `For this session covers: ${plain(item.pattern)}`) : "";
    into.replaceChildren(...card, covers, choices(button("Deny and say why", () => { reason.hidden = false; why.focus(); })), reason);
  }
}

const MARKS: Record<string, string> = { completed: "✓", in_progress: "▸", pending: "○" };

function fold(key: string, summary: (Node | string)[], body: () => Node): HTMLElement {
  const inside = h("div", { class: "inside" });
  const details = h("details", { open: opened.has(key) }, h("summary", {}, ...summary), inside);
  const fill = (): void => { if (details.open && !inside.hasChildNodes()) inside.append(body()); };
  details.addEventListener("toggle", () => { if (details.open) opened.add(key); else opened.delete(key); fill(); });
  fill();
  return details;
}

function block(text: string, language: string, label: string): HTMLElement {
  const [shown, rest] = cut(plain(text), MOST_OUTPUT);
  const code = h("code");
  colour(code, shown, language);
  return h("div", { class: "output" }, h("pre", { tabindex: 0, "aria-label": label }, code),
    rest ? h("p", { class: "quiet" }, `… ${rest.toLocaleString("en")} more characters`) : "");
}

/** `−2 +3`: lines of one file that differ, found by what is common at both ends. */
function counted(file: File): string {
  if (file.oldText === undefined && file.newText === undefined) return "";
  const [before, after] = [file.oldText ?? "", file.newText ?? ""].map((text) => text.split("\n"));
  if (!before || !after) return "";
  let [head, tail] = [0, 0];
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head += 1;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const [removed, added] = [before.length - head - tail, after.length - head - tail];
  const word = file.oldText === null ? "new, " : file.newText === null ? "deleted, " : "";
  return Math.max(removed, added) > MOST_DIFF ? `${word}many lines` : `${word}−${removed} +${added}`;
}
