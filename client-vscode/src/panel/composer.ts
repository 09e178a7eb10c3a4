// The input: grows, completes `@` and `/`, remembers what was sent, takes pictures.

import type { Image } from "../chat/conversation";
import { MOST_IMAGE, type Completion } from "../chat/messages";
import { button, h } from "./elements";

const MOST_PICTURES = 8;

export class Composer {
  readonly input = h("textarea", { rows: 1, "aria-label": "Message to Attaché",
    "aria-autocomplete": "list", "aria-controls": "completions", spellcheck: false });
  private readonly options = h("ul", { id: "completions", role: "listbox", "aria-label": "Completions", hidden: true });
  private readonly pictures = h("div", { class: "pictures" });
  readonly element = h("div", { class: "composer" }, this.options, this.pictures, this.input);
  private images: Image[] = [];
  private sent: string[] = [];
  private back = 0;
  private items: Completion[] = [];
  private chosen = 0;
  private asked = 0;

  constructor(private readonly does: {
    send: (text: string, images: Image[]) => void; complete: (id: number, query: string) => void; escape: () => void;
    complain: (text: string) => void;
  }) {
    this.input.addEventListener("input", () => { this.grow(); this.look(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.input.addEventListener("paste", (event) => this.take(event, event.clipboardData));
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => this.take(event, event.dataTransfer));
  }

  put(text: string, images: Image[] = []): void {
    this.input.value = text;
    this.images = [...images];
    this.showPictures();
    this.grow();
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
  }

  add(text: string): void {
    const before = this.input.value;
    this.put(before && !/\s$/.test(before) ? `${before} ${text}` : before + text, this.images);
  }

  submit(): void {
    const text = this.input.value.trim();
    if (!text && !this.images.length) return;
    this.sent.push(text);
    this.back = 0;
    const { images } = this;
    this.put("");
    this.does.send(text, images);
  }

  completed(id: number, items: Completion[]): void {
    if (id !== this.asked || !this.query()) return;
    this.items = items;
    this.chosen = 0;
    this.options.replaceChildren(...items.map((item, at) => h("li", { role: "option", id: `completion-${at}`, mousedown: (event) => {
      event.preventDefault();
      this.chosen = at;
      this.accept();
    } }, h("b", {}, item.label), h("span", { class: "quiet" }, ` ${item.detail}`))));
    this.options.hidden = items.length === 0;
    this.mark();
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (!this.options.hidden && this.choose(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.submit(); }
    else if (event.key === "Escape") this.does.escape();
    else if (event.key === "ArrowUp" && (this.back || !this.input.value)) this.recall(event, 1);
    else if (event.key === "ArrowDown" && this.back) this.recall(event, -1);
  }

  private recall(event: KeyboardEvent, step: number): void {
    event.preventDefault();
    this.back = Math.min(Math.max(this.back + step, 0), this.sent.length);
    this.put(this.back ? (this.sent.at(-this.back) ?? "") : "");
  }

  private choose(event: KeyboardEvent): boolean {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.chosen = (this.chosen + step + this.items.length) % this.items.length;
    else if (event.key === "Tab" || event.key === "Enter") this.accept();
    else if (event.key === "Escape") this.close();
    else return false;
    this.mark();
    return true;
  }

  private mark(): void {
    [...this.options.children].forEach((each, at) => each.setAttribute("aria-selected", String(at === this.chosen)));
    const marked = this.options.children[this.chosen] as HTMLElement | undefined;
    if (marked) this.options.scrollTop = marked.offsetTop - this.options.clientHeight / 2;
    if (this.options.hidden) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `completion-${this.chosen}`);
  }

  /** The `@…` that the cursor stands behind, or the `/…` that the message begins with. */
  private query(): string {
    const before = this.input.value.slice(0, this.input.selectionStart);
    return /(?:^|\s)(@[\w./\\-]*)$/.exec(before)?.[1] ?? /^\/\w*$/.exec(before)?.[0] ?? "";
  }

  private look(): void {
    const query = this.query();
    if (query) this.does.complete((this.asked += 1), query);
    else this.close();
  }

  private accept(): void {
    const item = this.items[this.chosen];
    const query = this.query();
    this.close();
    if (!item || !query) return;
    const at = this.input.selectionStart;
    const [before, after] = [this.input.value.slice(0, at - query.length), this.input.value.slice(at)];
    this.input.value = `${before}${item.insert} ${after.trimStart()}`;
    const end = before.length + item.insert.length + 1;
    this.input.setSelectionRange(end, end);
    this.grow();
  }

  private close(): void {
    this.options.hidden = true;
    this.input.removeAttribute("aria-activedescendant");
  }

  private grow(): void {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 240)}px`;
  }

  private take(event: Event, data: DataTransfer | null): void {
    const files = [...(data?.files ?? [])].filter((file) => /^image\/(png|jpeg|gif|webp)$/.test(file.type));
    if (!files.length) return;
    event.preventDefault();
    for (const file of files.slice(0, MOST_PICTURES - this.images.length)) void this.read(file);
  }

  private async read(file: File): Promise<void> {
    if (file.size * 4 / 3 > MOST_IMAGE) return this.does.complain(`${file.name} is too large: 10 MB at most`);
    const address = await new Promise<string>((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(typeof reader.result === "string" ? reader.result : "");
      reader.readAsDataURL(file);
    });
    this.images.push({ mimeType: file.type, data: address.slice(address.indexOf(",") + 1) });
    this.showPictures();
  }

  private showPictures(): void {
    this.pictures.replaceChildren(...this.images.map((image, at) => h("figure", {},
      h("img", { src: `data:${image.mimeType};base64,${image.data}`, alt: `picture ${at + 1}` }),
      button("✕", () => { this.images.splice(at, 1); this.showPictures(); }, { "aria-label": `Remove picture ${at + 1}` }))));
  }
}
