// What panel and editor say to each other, and the check that a message has the shape it claims.

import type { Image } from "./conversation";

/** From the panel: nothing is done for a message that does not fit one of these exactly. */
export type FromPanel =
  | { type: "ready" }
  | { type: "prompt"; text: string; images: Image[] }
  | { type: "steer"; text: string }
  | { type: "stop" | "new" | "sessions" | "pickModel" | "export" | "recover" | "log" | "addContext" }
  | { type: "fork" | "rewind"; seq: number }
  | { type: "resend"; seq: number; text: string; fork: boolean; images: Image[] }
  | { type: "mode"; mode: string }
  | { type: "answer"; id: string; option: string }
  | { type: "reply"; id: string; text: string }
  | { type: "deny"; id: string; digest: string; reason: string }
  | { type: "link"; href: string }
  | { type: "open"; path: string; line: number }
  | { type: "copy" | "insert"; text: string }
  | { type: "apply"; text: string; path: string }
  | { type: "compare"; change: string; path: string }
  | { type: "review"; what: "show" | "next" | "accept" | "reject" | "undo" }
  | { type: "complete"; id: number; query: string };

export type Completion = { label: string; detail: string; insert: string };

/** To the panel. */
export type ToPanel =
  | { type: "server"; state: "starting" | "ready" | "waiting" | "failed"; text: string }
  | { type: "session"; id: string; title: string; mode: string; modes: string[]; model: string }
  | { type: "titled"; title: string }
  | { type: "history"; updates: unknown[] }
  | { type: "older"; updates: unknown[] }
  | { type: "update"; updates: unknown[] }
  | { type: "running"; running: boolean }
  | { type: "settled"; updates: unknown[] }
  | { type: "note"; text: string; hint: string }
  | { type: "permission"; id: string; request: unknown }
  | { type: "permissionGone"; id: string; said: string }
  | { type: "status"; model: string; mode: string; context: number; size: number; shares: Record<string, number>; tokens: string; cost: number }
  | { type: "hunks"; changes: number; files: number }
  | { type: "completions"; id: number; items: Completion[] }
  | { type: "draft"; text: string; send: boolean }
  | { type: "suggestions"; items: string[]; about: string };

type Check = (value: unknown) => boolean;

export const MOST_TEXT = 1_000_000;
export const MOST_IMAGE = 14_000_000;
const text: Check = (value) => typeof value === "string" && value.length <= MOST_TEXT;
const short: Check = (value) => typeof value === "string" && value.length <= 4_096;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Check = (value) => typeof value === "boolean";
const oneOf = (...values: string[]): Check => (value) => values.includes(value as string);
const images: Check = (value) => Array.isArray(value) && value.length <= 20 && value.every(isImage);

function isImage(value: unknown): boolean {
  const image = value as Partial<Image> | null;
  return typeof image === "object" && image !== null && Object.keys(image).length === 2 &&
    /^image\/(png|jpeg|gif|webp)$/.test(image.mimeType ?? "") &&
    typeof image.data === "string" && image.data.length <= MOST_IMAGE && /^[A-Za-z0-9+/]*={0,2}$/.test(image.data);
}

const SHAPES: Record<FromPanel["type"], Record<string, Check>> = {
  ready: {}, stop: {}, new: {}, sessions: {}, pickModel: {}, export: {}, recover: {}, log: {}, addContext: {},
  prompt: { text, images },
  steer: { text },
  fork: { seq: count },
  rewind: { seq: count },
  resend: { seq: count, text, fork: flag, images },
  mode: { mode: short },
  answer: { id: short, option: short },
  reply: { id: short, text },
  deny: { id: short, digest: short, reason: short },
  link: { href: short },
  open: { path: short, line: count },
  copy: { text },
  insert: { text },
  apply: { text, path: short },
  compare: { change: short, path: short },
  review: { what: oneOf("show", "next", "accept", "reject", "undo") },
  complete: { id: count, query: short },
};

/** Return the message where it is one, else undefined: unknown types, missing, wrong and surplus fields do not pass. */
export function fromPanel(message: unknown): FromPanel | undefined {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return undefined;
  const { type, ...rest } = message as Record<string, unknown>;
  if (typeof type !== "string" || !Object.hasOwn(SHAPES, type)) return undefined;
  const shape = SHAPES[type as FromPanel["type"]];
  const fits = Object.keys(rest).length === Object.keys(shape).length &&
    Object.entries(shape).every(([name, check]) => Object.hasOwn(rest, name) && check(rest[name]));
  return fits ? (message as FromPanel) : undefined;
}
