// The panel's page: nothing is loaded from elsewhere, and only our own script runs.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export function page(webview: vscode.Webview, root: vscode.Uri): string {
  const nonce = randomBytes(18).toString("base64");
  const script = webview.asWebviewUri(vscode.Uri.joinPath(root, "dist", "panel.js")).toString();
  const style = webview.asWebviewUri(vscode.Uri.joinPath(root, "media", "panel.css")).toString();
  const policy = [
    "default-src 'none'", `script-src 'nonce-${nonce}'`, `style-src ${webview.cspSource}`, "img-src data:",
    "font-src 'none'", "connect-src 'none'", "media-src 'none'", "frame-src 'none'", "worker-src 'none'",
    "form-action 'none'", "base-uri 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="${style}">
<title>Attaché</title>
</head>
<body><script nonce="${nonce}" src="${script}"></script></body>
</html>`;
}
