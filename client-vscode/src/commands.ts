// Commands, menus and the little that the editor can do and no server: terminal, source control, the Problems list.

import * as vscode from "vscode";
import type { ChatView } from "./chat/view";
import { reveal, type Review } from "./review";
import { aside, type Server } from "./server";

type Do = (...args: never[]) => unknown;

export function commands(context: vscode.ExtensionContext, server: Server, chat: ChatView, review: Review): void {
  const mentioned = (uri: vscode.Uri) => `@${vscode.workspace.asRelativePath(uri, false)}`;
  const all: Record<string, Do> = {
    "attache.menu": () => menu(server),
    "attache.chat.open": () => vscode.commands.executeCommand("attache.chat.focus"),
    "attache.chat.new": () => chat.fresh(),
    "attache.chat.sessions": () => chat.sessions(),
    "attache.chat.export": () => chat.export(),
    "attache.chat.pickModel": () => chat.pickModel(),
    "attache.chat.pickMode": async () => {
      const mode = await vscode.window.showQuickPick(["build", "plan", "explore"], { placeHolder: "Mode of this session" });
      if (mode) await chat.setMode(mode);
    },
    "attache.chat.addFile": (uri?: vscode.Uri, several?: vscode.Uri[]) =>
      chat.draft((several ?? (uri ? [uri] : [])).map((each) => `${mentioned(each)} `).join("")),
    "attache.chat.addSelection": () => {
      const editor = vscode.window.activeTextEditor;
      if (!editor) return undefined;
      const { start, end, isEmpty } = editor.selection;
      return chat.draft(`${mentioned(editor.document.uri)}${isEmpty ? "" : `:${start.line + 1}-${end.line + 1}`} `);
    },
    "attache.chat.addTerminal": () => terminal(chat),
    "attache.review.next": () => review.go(1),
    "attache.review.previous": () => review.go(-1),
    "attache.review.accept": (node?: never) => review.decide("accepted", node),
    "attache.review.reject": (node?: never) => review.decide("rejected", node),
    "attache.review.acceptAll": () => review.all("accepted"),
    "attache.review.rejectAll": () => review.all("rejected"),
    "attache.review.reveal": reveal,
    "attache.review.undo": () => server.command("attache.undoStep"),
    "attache.review.redo": () => server.command("attache.redoStep"),
    "attache.reviewFile": () => {
      const uri = vscode.window.activeTextEditor?.document.uri.toString();
      return uri ? server.command("attache.review", { uri }) : undefined;
    },
    "attache.commitMessage": (provider?: vscode.SourceControl) => commitMessage(server, provider),
    "attache.server.restart": () => server.restart(),
    "attache.server.log": () => server.log.show(),
    "attache.walkthrough": () => vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`, false),
    "attache.comingFrom": () => vscode.commands.executeCommand("markdown.showPreview", vscode.Uri.joinPath(context.extensionUri, "walkthrough", "coming-from.md")),
  };
  for (const [name, run] of Object.entries(all))
    context.subscriptions.push(vscode.commands.registerCommand(name, async (...args: never[]) => {
      try {
        await run(...args);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        server.log.error(`${name}: ${text}`);
        void vscode.window.showErrorMessage(`Attaché: ${text}`);
      }
    }));
}

async function menu(server: Server): Promise<void> {
  const rows: [string, string][] = [
    ["$(comment-discussion) Chat", "attache.chat.open"], ["$(history) Sessions", "attache.chat.sessions"],
    ["$(diff) Changes to review", "attache.hunks.focus"], ["$(discard) Undo the last step", "attache.review.undo"],
    ["$(symbol-misc) Model", "attache.chat.pickModel"], ["$(settings) Mode", "attache.chat.pickMode"],
    ["$(refresh) Restart the server", "attache.server.restart"], ["$(output) Log", "attache.server.log"],
  ];
  const chosen = await vscode.window.showQuickPick(rows.map(([label, command]) => ({ label, command })), { placeHolder: `Attaché: ${server.text || server.state}` });
  if (chosen) await vscode.commands.executeCommand(chosen.command);
}

/** The terminal's selection can only be had by way of the clipboard, which is given back. */
async function terminal(chat: ChatView): Promise<void> {
  const kept = await vscode.env.clipboard.readText();
  await vscode.env.clipboard.writeText("");
  await vscode.commands.executeCommand("workbench.action.terminal.copySelection");
  const text = await vscode.env.clipboard.readText();
  await vscode.env.clipboard.writeText(kept);
  if (!text) throw new Error("nothing is selected in the terminal");
  await chat.draft(`From the terminal:\n${fenced(text)}\n`);
}

/** A fence that no line of the text can close. */
function fenced(text: string): string {
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}text\n${text}\n${fence}`;
}

type Repository = { rootUri: vscode.Uri; inputBox: { value: string }; diff(cached: boolean): Promise<string> };
type Git = { getAPI(version: 1): { repositories: Repository[] } };
const MOST_DIFF = 60_000;

/** Let a session of its own, which changes nothing, write the commit message into the box. */
async function commitMessage(server: Server, provider?: vscode.SourceControl): Promise<void> {
  const git = await vscode.extensions.getExtension<Git>("vscode.git")?.activate();
  const repositories = git?.getAPI(1).repositories ?? [];
  const repository = repositories.find((each) => each.rootUri.toString() === provider?.rootUri?.toString()) ?? repositories[0];
  if (!repository) throw new Error("no git repository is open");
  const diff = (await repository.diff(true)) || (await repository.diff(false));
  if (!diff) throw new Error("nothing has changed since the last commit");
  const text = `Write a commit message for this diff: one line of at most 72 characters, then, where it helps, a blank line and why. Answer with the message alone.\n\n${fenced(diff.slice(0, MOST_DIFF))}`;
  await vscode.window.withProgress({ location: vscode.ProgressLocation.SourceControl, title: "Attaché: commit message" }, async () => {
    const said = await aside(server, text);
    repository.inputBox.value = said.trim().replace(/^```\w*\n([\s\S]*)\n```$/, "$1");
  });
}
