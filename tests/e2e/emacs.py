"""Drive a real Emacs with its own eglot, in batch mode: a small loop inside it evaluates what the test sends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

# Forms come one a line as {"form"} and are evaluated by the main loop, so that servers are heard meanwhile. A batch
# Emacs never counts as idle; eglot tells changes from an idle timer, so the loop runs those when it has nothing to do.
LOOP = """
(require 'eglot)
(setq eglot-autoshutdown nil eglot-events-buffer-config '(:size 0) eglot-confirm-server-edits nil
      create-lockfiles nil make-backup-files nil auto-save-default nil
      driver-forms nil driver-rest "")
(defun driver-read (_ text)
  (setq driver-rest (concat driver-rest text))
  (while (string-match "\\n" driver-rest)
    (let ((end (match-end 0)))
      (setq driver-forms (append driver-forms (list (json-parse-string (substring driver-rest 0 end) :object-type 'plist))))
      (setq driver-rest (substring driver-rest end)))))
(setq driver-line (make-network-process :name "driver" :host "127.0.0.1" :service (string-to-number (getenv "DRIVER_PORT"))
                                        :coding 'utf-8 :filter #'driver-read :noquery t))
(defun driver-run (request)
  (let ((answer (condition-case problem
                    (list :value (eval (car (read-from-string (plist-get request :form))) t))
                  ((error quit) (list :error (format "%S" problem))))))
    (process-send-string driver-line (concat (json-encode answer) "\\n"))))
(while (process-live-p driver-line)
  (accept-process-output nil 0.02)
  (if driver-forms
      (driver-run (pop driver-forms))
    (dolist (timer (copy-sequence timer-idle-list))
      (unless (timer--repeat-delay timer) (timer-event-handler timer)))))
"""


class Emacs:
    """One batch Emacs. Close it, or use it as a context."""

    def __init__(self, program: Path | str, home: Path, environment: Mapping[str, str] | None = None) -> None:
        loop = home / "driver.el"
        loop.write_text(LOOP, "utf-8")
        with socket.create_server(("127.0.0.1", 0)) as listener, (home / "emacs.log").open("w") as log:
            settings = {"DRIVER_PORT": str(listener.getsockname()[1]), "HOME": str(home), **(environment or {})}
            self.process = subprocess.Popen(
                [str(program), "--batch", "-Q", "-l", str(loop)],
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
            listener.settimeout(20)
            with contextlib.ExitStack() as on_failure:
                on_failure.callback(self._end)
                self._line, _ = listener.accept()
                on_failure.pop_all()
        self._answers = self._line.makefile("r", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the editor, its servers with it."""
        self._answers.close()
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self._end()

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()

    def send(self, form: str) -> None:
        """Have a form evaluated; `answer` gives its value."""
        self._line.sendall(json.dumps({"form": form}).encode() + b"\n")

    def answer(self, timeout: float = 40.0) -> Any:
        self._line.settimeout(timeout)
        answer = json.loads(self._answers.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def eval(self, form: str, timeout: float = 40.0) -> Any:
        """Evaluate a Lisp form; its value as JSON has it."""
        self.send(form)
        return self.answer(timeout)

    def open(self, path: Path) -> None:
        self.eval(f"(progn (switch-to-buffer (find-file-noselect {json.dumps(str(path))})) (buffer-enable-undo) t)")

    def attach(self, command: Sequence[str]) -> None:
        """Start a language server on the current buffer's project and wait till it is up."""
        program = " ".join(json.dumps(word) for word in command)
        self.eval(
            "(let ((eglot-sync-connect t)) (eglot (list major-mode) (eglot--current-project) 'eglot-lsp-server"
            f' (list {program}) (list "python")) t)'
        )

    def type(self, text: str) -> None:
        """Type at the cursor, as one step of undo."""
        self.eval(f"(progn (undo-boundary) (insert {json.dumps(text, ensure_ascii=False)}) (undo-boundary) t)")

    @property
    def text(self) -> str:
        """The current buffer as it stands, saved or not."""
        return self.eval("(buffer-substring-no-properties (point-min) (point-max))")

    def pick(self, title: str) -> None:
        """Choose the first code action of the current line that has these words; `answer` waits for its end."""
        words = json.dumps(title, ensure_ascii=False)
        self.send(
            "(let ((last-nonmenu-event t) (completing-read-function (lambda (_ offered &rest _)"
            f" (car (seq-find (lambda (item) (string-search {words} (car item))) offered)))))"
            " (eglot-code-actions (line-beginning-position) (line-end-position) nil t) t)"
        )

    def undo(self) -> None:
        self.eval("(progn (setq last-command nil) (undo-boundary) (undo) t)")

    def until(self, condition: Callable[[], Any], timeout: float = 40.0) -> Any:
        """Wait till a condition holds; its value."""
        ends = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > ends:
                raise TimeoutError(f"not within {timeout} s; text:\n{self.text}")
            time.sleep(0.05)
        return value
