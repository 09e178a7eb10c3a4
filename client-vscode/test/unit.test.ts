// What needs no editor: the shapes of messages, the fold of a session, and where the server is looked for.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { Conversation, exported } from "../src/chat/conversation";
import { fromPanel } from "../src/chat/messages";
import { find } from "../src/find";

const update = (sessionUpdate: string, more: object = {}) => ({ sessionUpdate, ...more });
const text = (words: string) => ({ content: { type: "text", text: words } });
const ours = (more: object) => ({ _meta: { attache: more } });

test("messages of the right shape pass, all others do not", () => {
  for (const message of [{ type: "ready" }, { type: "prompt", text: "a", images: [] }, { type: "mode", mode: "plan" }, { type: "reply", id: "c1", text: "" },
    { type: "resend", seq: 3, text: "b", fork: true, images: [{ mimeType: "image/png", data: "AAAA" }] }])
    assert.deepEqual(fromPanel(message), message);
  const wrong: unknown[] = [null, 1, "ready", [], {}, { type: "constructor" }, { type: "__proto__" }, { type: "ready", more: 1 },
    { type: "prompt", text: "a" }, { type: "prompt", text: 1, images: [] }, { type: "prompt", text: "a", images: [{ mimeType: "image/svg+xml", data: "AAAA" }] },
    { type: "fork", seq: -1 }, { type: "fork", seq: 1.5 }, { type: "rewind", seq: "1" }, { type: "review", what: "all" }, { type: "reply", id: "c1" },
    { type: "link", href: "x".repeat(5000) }, { type: "prompt", text: "x".repeat(1_000_001), images: [] }];
  for (const message of wrong) assert.equal(fromPanel(message), undefined, JSON.stringify(message)?.slice(0, 80));
});

test("a run is told as it went", () => {
  const told = new Conversation();
  told.say("Why?", []);
  const first = told.apply(update("session_info_update", ours({ event: "run.started", seq: 7 })));
  assert.equal(first, 0);
  told.apply(update("agent_thought_chunk", text("Hm.")));
  told.apply(update("agent_message_chunk", text("lost")));
  told.apply(update("session_info_update", ours({ event: "stream.restarted" })));
  told.apply(update("tool_call", { toolCallId: "c1", title: "read a.py", kind: "read", status: "in_progress", rawInput: { path: "a.py" } }));
  told.apply(update("tool_call_update", { toolCallId: "c1", ...ours({ delta: "x = " }) }));
  told.apply(update("tool_call_update", { toolCallId: "c1", status: "completed", content: [{ content: { text: "x = 1" } }], ...ours({ seconds: 0.1 }) }));
  told.apply(update("plan", { entries: [{ content: "look", status: "pending" }] }));
  told.apply(update("plan", { entries: [{ content: "look", status: "completed" }] }));
  told.apply(update("agent_message_chunk", text("Because ")));
  told.apply(update("agent_message_chunk", text("so.")));
  told.apply(update("session_info_update", ours({ event: "run.finished", stop_reason: "end_turn", turns: 1, usage: { input_tokens: 1200 } })));
  assert.deepEqual(told.items.map((item) => item.kind), ["user", "tool", "plan", "agent", "foot"]);
  const [said, tool] = told.items;
  assert.ok(said?.kind === "user" && said.seq === 7);
  assert.ok(tool?.kind === "tool" && tool.state === "done" && tool.output === "x = 1");
  assert.match(exported(told), /## You\n\nWhy\?[\s\S]*- \[x\] look[\s\S]*Because so\./);
  assert.match(exported(told), /1,200 tokens in/);
});

test("a question is open until it is answered", () => {
  const told = new Conversation();
  const asked = { kind: "ask", title: "Which?", detail: [], pattern: "", digest: "", options: [], state: "open", said: "" } as const;
  told.ask({ ...asked, id: "leave", inWords: false, detail: [], options: [] });
  assert.equal(told.asked(), undefined, "an approval is not answered in words");
  told.ask({ ...asked, id: "c1", inWords: true, detail: [], options: [] });
  assert.equal(told.asked()?.id, "c1");
  told.settle("c1", "answered", "this");
  assert.equal(told.asked(), undefined);
  assert.match(exported(told), /- \? Which\? · this/);
});

test("nothing of any shape breaks the fold", () => {
  const told = new Conversation();
  for (const wrong of [null, 1, "x", [], {}, update("tool_call"), update("plan", { entries: 3 }), update("session_info_update", ours({ event: "change.landed", landed: 3 })),
    update("agent_message_chunk", { content: null }), update("tool_call_update", { content: [1, null], locations: "x" })]) told.apply(wrong);
  assert.ok(exported(told));
});

test("a server that died in mid-run leaves nothing waiting", () => {
  const told = new Conversation();
  told.apply(update("tool_call", { toolCallId: "c1", title: "shell", status: "in_progress" }));
  told.ask({ kind: "ask", id: "a", title: "x", detail: [], pattern: "", digest: "", options: [], inWords: false, state: "open", said: "" });
  assert.equal(told.ended(), 0);
  assert.equal(told.settle("a", "answered", "x"), -1);
});

test("the server is looked for in order, and never where nobody allowed it", async () => {
  const home = mkdtempSync(join(tmpdir(), "attache-"));
  const program = (folder: string) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "attache");
    writeFileSync(file, "");
    chmodSync(file, 0o755);
    return file;
  };
  const own = join(home, "own");
  const places = { setting: "", folders: [], path: "", own };
  assert.equal(await find(places), undefined);
  const installed = program(join(own, "bin"));
  assert.equal(await find(places), undefined, "an environment that is not whole does not count");
  writeFileSync(join(own, "installed"), "");
  assert.equal(await find(places), installed);
  const onPath = program(join(home, "path"));
  assert.equal(await find({ ...places, path: [".", "", join(home, "path")].join(delimiter) }), onPath);
  const venv = program(join(home, "project/.venv/bin"));
  assert.equal(await find({ ...places, folders: [join(home, "project")], path: join(home, "path") }), venv);
  assert.equal(await find({ ...places, setting: onPath }), onPath);
  await assert.rejects(find({ ...places, setting: "bin/attache" }), /not an absolute path/);
  await assert.rejects(find({ ...places, setting: join(home, "none") }), /is no program/);
});
