// The language client, in a file of its own so that an editor that only starts does not load it.

import { LanguageClient, type CloseAction, type ErrorAction, type Middleware, type StaticFeature } from "vscode-languageclient/node";
import type { LogOutputChannel } from "vscode";

export type Connection = LanguageClient;

export type Start = {
  command: string;
  args: string[];
  cwd: string | undefined;
  env: NodeJS.ProcessEnv;
  options: Record<string, unknown>;
  log: LogOutputChannel;
  middleware: Middleware;
  /** Called once when the server is gone and nobody asked it to go. */
  gone: () => void;
};

/** By number: bundled, the library's enumerations are not there when they are read. */
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment -- for that reason */
const CONTINUE = 1 as ErrorAction;
const DO_NOT_RESTART = 1 as CloseAction;
/* eslint-enable */

/** Our abilities, as docs/protocol.md names them. */
const ABILITIES: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = {
      ...(capabilities.experimental as object | undefined),
      attache: {
        session: { update: true, requestPermission: true, answerInWords: true, ask: true },
        resolvesInBackground: true,
        decoratesHunks: true,
      },
    };
  },
  initialize() { /* the server answers with what it offers by the standard's own means */ },
  getState: () => ({ kind: "static" }),
  clear() { /* nothing is held */ },
};

/** Start a server and return when it has answered. Throws where it does not. */
export async function connect(start: Start): Promise<LanguageClient> {
  const { command, args, cwd, env } = start;
  let up = false;
  const client = new LanguageClient("attache", "Attaché", {
    command, args, options: { env, ...(cwd === undefined ? {} : { cwd }) },
  }, {
    documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
    initializationOptions: start.options,
    outputChannel: start.log,
    middleware: start.middleware,
    markdown: { isTrusted: false, supportHtml: false },
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: CONTINUE, handled: true }),
      closed: () => {
        if (up) setTimeout(start.gone, 0); // the client tidies up first
        up = false;
        return { action: DO_NOT_RESTART, handled: true };
      },
    },
  });
  client.registerFeature(ABILITIES);
  await client.start();
  up = true;
  return client;
}
