// Markdown to elements. The only door by which marked-up text enters the page: parsed without HTML, then sanitised.

import DOMPurify from "dompurify";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import markdown from "highlight.js/lib/languages/markdown";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import MarkdownIt from "markdown-it";
import { button, cut, h, plain } from "./elements";

const LANGUAGES = { bash, c, cpp, csharp, css, diff, go, ini, java, javascript, json, kotlin, markdown, php, python, ruby,
  rust, sql, swift, typescript, xml, yaml };
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);
hljs.registerAliases(["toml"], { languageName: "ini" });

const MOST_SHOWN = 100_000;
const MOST_COLOURED = 20_000;
const parser = new MarkdownIt({ html: false, linkify: true, typographer: false, maxNesting: 50 });
parser.validateLink = () => true; // a link goes nowhere by itself: see `tame`
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
// A picture would be fetched the moment it is there: its name stands for it, as a link.
parser.renderer.rules["image"] = (tokens, at) => {
  const { content, attrs } = tokens[at] ?? { content: "", attrs: null };
  const source = attrs?.find(([name]) => name === "src")?.[1] ?? "";
  return `<a href="${parser.utils.escapeHtml(`${source}`)}">image: ${parser.utils.escapeHtml(content)}</a>`;
};

const TAGS = ["a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
  "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"];

export type Does = { link: (href: string) => void; code: (what: "copy" | "insert" | "apply", text: string, path: string) => void };

/** Render a text; what is beyond the most that is shown is said. */
export function rendered(text: string, does: Does): DocumentFragment {
  const [shown, rest] = cut(plain(text), MOST_SHOWN);
  const page = DOMPurify.sanitize(parser.render(shown), {
    RETURN_DOM_FRAGMENT: true, ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ["href", "class", "start"], ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false, ALLOW_UNKNOWN_PROTOCOLS: true,
  });
  page.querySelectorAll("a").forEach((link) => tame(link, does));
  page.querySelectorAll("pre > code").forEach((code) => frame(code, does));
  cite(page, does);
  if (rest) page.append(h("p", { class: "quiet" }, `… ${rest.toLocaleString("en")} more characters; export the session to read them`));
  return page;
}

/** A link keeps no address that the browser could follow: it tells the editor, which decides. */
function tame(link: HTMLAnchorElement, does: Does): void {
  link.replaceWith(linked(link.getAttribute("href") ?? "", link.textContent, does));
}

function linked(href: string, text: string, does: Does): HTMLElement {
  const allowed = /^https?:\/\//i.test(href) || !/^\s*([a-z][a-z0-9+.-]*:|\/\/)/i.test(href);
  if (!allowed || !href) return h("span", { class: "dead", title: `not a link that is followed: ${plain(href).slice(0, 200)}` }, text);
  const follow = (event: Event) => { event.preventDefault(); does.link(href.slice(0, 4_096)); };
  const keyed = (event: Event) => { if ((event as KeyboardEvent).key === "Enter") follow(event); };
  return h("span", { class: "link", role: "link", tabindex: 0, title: plain(href).slice(0, 300), click: follow, keydown: keyed }, text);
}

const CITED = /(?<![\w/.:@-])(?:[\w.-]+\/)*[\w-]+\.[A-Za-z]\w{0,5}:\d+(?:-\d+)?(?![\w/])/g;

/** Make links of the places that words name, such as `src/auth.py:41`. */
function cite(page: DocumentFragment, does: Does): void {
  const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  const named: Text[] = [];
  while (walker.nextNode())
    if ((walker.currentNode.nodeValue ?? "").search(CITED) >= 0 && !walker.currentNode.parentElement?.closest("pre, .link, .dead")) named.push(walker.currentNode as Text);
  for (const node of named) {
    const text = node.data;
    const parts: (Node | string)[] = [];
    let end = 0;
    for (const { 0: place, index } of text.matchAll(CITED)) {
      parts.push(text.slice(end, index), linked(place.replace(/:(\d+).*$/, "#L$1"), place, does));
      end = index + place.length;
    }
    node.replaceWith(...parts, text.slice(end));
  }
}

/** Put a block of code under a bar that says what it is and what can be done with it. */
function frame(code: Element, does: Does): void {
  const [language = "", path = ""] = (/language-(\S+)/.exec(code.className)?.[1] ?? "").split(":");
  const text = code.textContent;
  code.className = "";
  colour(code, text, language);
  const bar = h("div", { class: "bar" }, h("span", { class: "quiet" }, path || language || "text"),
    button("copy", () => does.code("copy", text, path)),
    button("insert", () => does.code("insert", text, path), { title: "At the cursor of the editor" }),
    button("apply", () => does.code("apply", text, path), { title: path ? `To ${path}, shown before anything changes` : "To the selection, shown before anything changes" }));
  const pre = code.parentElement;
  if (!pre) return;
  const framed = h("div", { class: "code" }, bar);
  pre.tabIndex = 0;
  pre.replaceWith(framed);
  framed.append(pre);
}

/** Colour code: the highlighter escapes what it is given, and what it gives is sanitised all the same. */
export function colour(into: Element, text: string, language: string): void {
  if (!language || !hljs.getLanguage(language) || text.length > MOST_COLOURED) {
    into.textContent = text;
    return;
  }
  const coloured = hljs.highlight(text, { language, ignoreIllegals: true }).value;
  into.replaceChildren(DOMPurify.sanitize(coloured, { RETURN_DOM_FRAGMENT: true, ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"] }));
}

/** Renders a text that grows: only blocks that changed are made anew. */
export class Growing {
  private blocks: string[] = [];

  constructor(private readonly into: HTMLElement, private readonly does: Does) {}

  show(text: string): void {
    const blocks = split(text.slice(0, MOST_SHOWN));
    blocks.forEach((block, at) => {
      if (this.blocks[at] === block) return;
      const made = h("div", {}, rendered(block, this.does));
      const old = this.into.children[at];
      if (old) old.replaceWith(made);
      else this.into.append(made);
    });
    while (this.into.children.length > blocks.length) this.into.lastElementChild?.remove();
    this.blocks = blocks;
  }
}

/** Cut where a blank line ends one block and nothing carries it on: not in a fence, a list or what is indented. */
function split(text: string): string[] {
  const blocks: string[] = [];
  let [fence, begun] = ["", 0];
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark && !fence) fence = mark;
    else if (fence && line.trim().startsWith(fence) && /^[`~]+$/.test(line.trim())) fence = "";
    const fresh = /^(?!\s|[-*+] |\d+[.)] |>|\|)/.test(lines[at + 1] ?? " ");
    if (fence || line.trim() || !fresh || at === begun) return;
    blocks.push(lines.slice(begun, at + 1).join("\n"));
    begun = at + 1;
  });
  blocks.push(lines.slice(begun).join("\n"));
  return blocks;
}
