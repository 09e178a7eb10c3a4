// The status bar: which model, which mode, what it cost, how full its memory is, and whether it works.

import * as vscode from "vscode";
import { fields, number, words } from "./chat/conversation";
import type { Server } from "./server";

export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("attache.status", vscode.StatusBarAlignment.Right, 90);
  private last = fields(undefined);

  constructor(private readonly server: Server) {
    this.item.name = "Attaché";
    this.item.command = "attache.menu";
    server.on("attache/status", (params) => { this.last = fields(params); this.show(); });
    server.onState(() => this.show());
    this.show();
    this.item.show();
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(): void {
    const { state, text } = this.server;
    const icon = { starting: "$(sync~spin)", waiting: "$(sync~spin)", failed: "$(error)", ready: "$(sparkle)" }[state];
    const model = words(this.last["model"]);
    const cost = number(this.last["costUsd"]);
    const [used, size] = [number(this.last["contextTokens"]), number(this.last["contextSize"])];
    const parts = [
      model ? model.slice(model.indexOf("/") + 1) : "Attaché",
      words(this.last["mode"]),
      cost ? `$${cost.toFixed(2)}` : "",
      size ? `${Math.round((100 * used) / size)} %` : "",
    ].filter(Boolean);
    this.item.text = `${this.last["running"] === true ? "$(loading~spin)" : icon} ${parts.join(" · ")}`;
    this.item.tooltip = [
      `Attaché: ${text || state}`,
      model && `model ${model}, mode ${words(this.last["mode"])}`,
      used && `context ${used.toLocaleString("en")}${size ? ` of ${size.toLocaleString("en")}` : ""} tokens`,
      cost && `this session $${cost.toFixed(4)}`,
    ].filter(Boolean).join("\n");
    this.item.backgroundColor = state === "failed" ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  }
}
