// What the user set for the server, in the server's own names; nothing of an untrusted workspace.

import * as vscode from "vscode";
import { SERVER_SETTINGS } from "./generated/settings";

/** Return what differs from the defaults; the rest the server reads from its own files. */
export function options(): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration("attache");
  const given: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(SERVER_SETTINGS)) {
    const found = settings.inspect(key);
    const own = vscode.workspace.isTrusted ? found?.workspaceFolderValue ?? found?.workspaceValue : undefined;
    const value: unknown = own ?? found?.globalValue;
    if (value !== undefined && value !== null && value !== "") given[name] = value;
  }
  return given;
}
