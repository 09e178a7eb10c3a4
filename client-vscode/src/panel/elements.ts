// Building the page: elements from code, words as words. Nothing here reads HTML.

type Props = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, props: Props = {}, ...children: (Node | string | undefined)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child): child is Node | string => child !== undefined && child !== ""));
  return made;
}

export function button(label: string, click: () => void, props: Props = {}): HTMLButtonElement {
  return h("button", { type: "button", ...props, click: (event) => { event.stopPropagation(); click(); } }, label);
}

const ESCAPES = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|[\u001b\u009b][[()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g;
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu;

/** Words without terminal commands, and with whatever hides or reorders letters spelled out. */
export function plain(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(ESCAPES, "").replace(HIDDEN,
    (hidden) => `‹U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

/** The beginning of a long text, and how much is left out. */
export function cut(text: string, most: number): [string, number] {
  return text.length <= most ? [text, 0] : [text.slice(0, most), text.length - most];
}
