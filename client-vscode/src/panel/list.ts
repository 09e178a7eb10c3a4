// A list of thousands of which only what is near the eye exists: the others are boxes of about the right height.

import { h } from "./elements";

const MARGIN = "1200px 0px";

export type Row = { element: HTMLElement; shown: boolean; height: number };

export class VirtualList {
  readonly element = h("div", { role: "feed", class: "feed", "aria-label": "Conversation", tabindex: -1 });
  private rows: Row[] = [];
  private readonly places = new WeakMap<Element, number>();
  private readonly watcher: IntersectionObserver;
  private stuck = true;

  /** `fill` makes what a row shows; `guess` its height in pixels before it was ever shown. */
  constructor(private readonly fill: (at: number, into: HTMLElement) => void, private readonly guess: (at: number) => number) {
    this.watcher = new IntersectionObserver((entries) => this.moved(entries), { root: this.element, rootMargin: MARGIN });
    this.element.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.element;
      this.stuck = scrollHeight - scrollTop - clientHeight < 40;
    }, { passive: true });
    this.element.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.follow()).observe(this.element);
  }

  get length(): number {
    return this.rows.length;
  }

  /** Let there be exactly `count` rows, those from `first` on made anew. */
  update(count: number, first: number): void {
    for (const row of this.rows.splice(Math.max(count, 0))) { this.watcher.unobserve(row.element); row.element.remove(); }
    const fresh = document.createDocumentFragment();
    for (let at = this.rows.length; at < count; at += 1) fresh.append(this.make(at));
    this.element.append(fresh);
    this.rows.slice(first).forEach((row, offset) => { if (row.shown) this.show(first + offset, row); });
    // The end is always there: it is what grows, and what is read first.
    for (let at = Math.max(first, count - 3); at < count; at += 1) { const row = this.rows[at]; if (row && !row.shown) this.show(at, row); }
    this.follow();
  }

  /** Let `count` rows stand before the first; what is looked at stays where it is. */
  prepend(count: number): void {
    const old = this.rows;
    this.rows = [];
    const fresh = document.createDocumentFragment();
    for (let at = 0; at < count; at += 1) fresh.append(this.make(at));
    this.rows.push(...old);
    old.forEach((row, at) => { this.places.set(row.element, at + count); });
    const { scrollHeight, scrollTop } = this.element;
    this.element.prepend(fresh);
    this.element.scrollTop = scrollTop + this.element.scrollHeight - scrollHeight;
    this.follow();
  }

  clear(): void {
    this.watcher.disconnect();
    this.rows = [];
    this.element.replaceChildren();
    this.stuck = true;
  }

  /** Stay at the end for whoever was there. */
  follow(): void {
    if (this.stuck) this.element.scrollTop = this.element.scrollHeight;
  }

  toEnd(): void {
    this.stuck = true;
    this.follow();
  }

  reveal(at: number): void {
    const row = this.rows[at];
    if (!row) return;
    this.stuck = false;
    if (!row.shown) this.show(at, row);
    // Not scrollIntoView, which moves the editor around the panel as well.
    this.element.scrollTop = row.element.offsetTop - this.element.offsetTop;
    row.element.focus({ preventScroll: true });
  }

  body(at: number): HTMLElement | undefined {
    const row = this.rows[at];
    return row?.shown ? row.element : undefined;
  }

  private make(at: number): HTMLElement {
    const element = h("article", { tabindex: -1, "aria-posinset": at + 1, "aria-setsize": -1 });
    const row = { element, shown: false, height: this.guess(at) };
    element.style.height = `${row.height}px`;
    this.places.set(element, at);
    this.rows.push(row);
    this.watcher.observe(element);
    return element;
  }

  private show(at: number, row: Row): void {
    row.shown = true;
    row.element.style.height = "";
    this.fill(at, row.element);
  }

  private moved(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const at = this.places.get(target) ?? -1;
      const row = this.rows[at];
      if (!row || row.element !== target) continue;
      if (isIntersecting && !row.shown) this.show(at, row);
      const idle = at < this.rows.length - 3 && !target.contains(document.activeElement);
      if (isIntersecting || !row.shown || !idle) continue;
      row.height = boundingClientRect.height;
      row.shown = false;
      row.element.style.height = `${row.height}px`;
      row.element.replaceChildren();
    }
    this.follow();
  }

  /** Page up and page down go from message to message, as in every feed. */
  private key(event: KeyboardEvent): void {
    const step = { PageUp: -1, PageDown: 1 }[event.key];
    const here = document.activeElement?.closest("article");
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const at = here ? (this.places.get(here) ?? this.rows.length) : this.rows.length;
    this.reveal(Math.min(Math.max(at + step, 0), this.rows.length - 1));
  }
}
