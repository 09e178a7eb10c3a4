"""What is wrong with a GitHub Actions workflow: its shape, names that lead nowhere, and doors for attackers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attache.tools.devops.yaml_tree import Findings, Node

TOP = frozenset({"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"})
_JOB_NAMES = (
    "name permissions needs if runs-on environment concurrency outputs env defaults steps timeout-minutes strategy "
    "continue-on-error container services uses with secrets snapshot"
)
JOB = frozenset(_JOB_NAMES.split())
STEP = frozenset(
    [
        "id",
        "if",
        "name",
        "uses",
        "run",
        "working-directory",
        "shell",
        "with",
        "env",
        "continue-on-error",
        "timeout-minutes",
    ]
)
_EVENTS_NAMES = (
    "branch_protection_rule check_run check_suite create delete deployment deployment_status discussion "
    "discussion_comment fork gollum image_version issue_comment issues label merge_group milestone page_build project "
    "project_card project_column public pull_request pull_request_review pull_request_review_comment "
    "pull_request_target push registry_package release repository_dispatch schedule status watch workflow_call "
    "workflow_dispatch workflow_run"
)
EVENTS = frozenset(_EVENTS_NAMES.split())
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TAINTED = re.compile(
    r"github\.(?:event\.(?:issue|pull_request|comment|review|discussion|head_commit|commits|pages|workflow_run)"
    r"[\w.\[\]*-]*\.(?:title|body|message|name|email|label|ref|page_name|head_branch|default_branch)|head_ref)\b"
)
_STEP_OUTPUT = re.compile(r"\bsteps\.([A-Za-z_][\w-]*)\.")
_NEEDED = re.compile(r"\bneeds\.([A-Za-z_][\w-]*)\.")
_PINNED = re.compile(r"@[0-9a-f]{40}$")
_OLD = re.compile(r"::(set-output|save-state|set-env|add-path)\b")
_CRON = re.compile(r"^\S+(?:\s+\S+){4}$")


def check(path: str, text: str) -> Findings:
    """Return what is wrong with a workflow; an action's own file has another shape and is left alone."""
    out = Findings(path, [])
    for document in out.read(text)[:1]:
        if "runs" in document.mapping and "jobs" not in document.mapping:
            continue
        _top(out, document)
        jobs = document.get("jobs").mapping
        for name, job in jobs.items():
            _job(out, name, job, jobs)
        _cycle(out, jobs)
    return out


def _top(out: Findings, document: Node) -> None:
    for key, node in document.mapping.items():
        if key not in TOP:
            out.add(node.line, "error", "key", f"`{key}` means nothing here; there are {', '.join(sorted(TOP))}")
    for key in ("on", "jobs"):
        if not document.get(key).there:
            out.add(document.line, "error", key, f"`{key}` is missing")
    on = document.get("on")
    for event, node in _named(on).items():
        if event not in EVENTS:
            out.add(node.line, "error", "event", f"`{event}` is no event")
    for node in on.get("schedule").items:
        if not _CRON.match(node.get("cron").text):
            out.add(node.line, "error", "cron", f"`{node.get('cron').text}` is no cron line of five fields")
    permissions = document.get("permissions")
    everywhere = all(job.get("permissions").there for job in document.get("jobs").mapping.values())
    if not permissions.there and not everywhere:
        out.add(
            document.line, "warning", "permissions", "the token may do what the repository's default says: permissions"
        )
    elif permissions.text == "write-all":
        out.add(permissions.line, "warning", "permissions", "write-all gives every right to every step")
    if "pull_request_target" in _named(on):
        for name, job in document.get("jobs").mapping.items():
            for step in job.get("steps").items:
                ref = step.get("with", "ref").text
                if step.get("uses").text.startswith("actions/checkout@") and "head" in ref:
                    out.add(
                        step.line,
                        "error",
                        "target",
                        f"{name}: strangers' code runs here with this repository's secrets",
                    )


def _named(node: Node) -> Mapping[str, Node]:
    return node.mapping or {each.text: each for each in node.texts()}


def _job(out: Findings, name: str, job: Node, jobs: Mapping[str, Node]) -> None:
    for key, node in job.mapping.items():
        if key not in JOB:
            out.add(node.line, "error", "key", f"{name}: `{key}` means nothing in a job")
    called = job.get("uses").there
    if not called and not job.get("runs-on").there:
        out.add(job.line, "error", "runs-on", f"{name}: it does not say where it runs: runs-on")
    if not called and not job.get("steps").items:
        out.add(job.line, "error", "steps", f"{name}: it has no steps")
    needs = {each.text: each for each in job.get("needs").texts()}
    for other, node in needs.items():
        if other not in jobs:
            out.add(node.line, "error", "needs", f"{name}: there is no job {other}")
    if not called and not job.get("timeout-minutes").there:
        out.add(job.line, "information", "timeout", f"{name}: it may hang for six hours: timeout-minutes")
    for node in _texts(job):
        for other in _NEEDED.findall(node.text):
            if other not in needs:
                out.add(
                    node.line, "error", "needs", f"{name}: needs.{other} is empty, since the job does not need {other}"
                )
    ids: set[str] = set()
    for number, step in enumerate(job.get("steps").items, 1):
        _step(out, f"{name}, step {number}", step, ids)


def _step(out: Findings, where: str, step: Node, ids: set[str]) -> None:
    for key, node in step.mapping.items():
        if key not in STEP:
            out.add(node.line, "error", "key", f"{where}: `{key}` means nothing in a step")
    uses, run = step.get("uses"), step.get("run")
    if uses.there == run.there:
        out.add(step.line, "error", "step", f"{where}: it must have either uses or run")
    used = uses.text
    if used and not used.startswith(("./", "docker://")):
        if "@" not in used:
            out.add(uses.line, "error", "uses", f"{where}: {used} names no version: @v4, or a commit")
        elif not _PINNED.search(used) and not used.startswith(("actions/", "github/")):
            out.add(uses.line, "warning", "pin", f"{where}: whoever owns {used} can change what runs: pin a commit")
    for node in _texts(step):
        for other in _STEP_OUTPUT.findall(node.text):
            if other not in ids and other != step.get("id").text:
                out.add(node.line, "error", "id", f"{where}: no step before has the id {other}")
    if old := _OLD.search(run.text):
        out.add(run.line, "error", "command", f"{where}: {old[1]} works no more: write to $GITHUB_OUTPUT and the like")
    scripts = (run, step.get("with", "script"))
    for node in scripts:
        for expression in _EXPRESSION.findall(node.text):
            if tainted := _TAINTED.search(expression):
                out.add(
                    node.line,
                    "error",
                    "injection",
                    f"{where}: anybody can write {tainted.group()} and so the script: use env",
                )
    identity = step.get("id").text
    if identity in ids:
        out.add(step.get("id").line, "error", "id", f"{where}: the id {identity} is taken")
    ids.update({identity} - {""})


def _texts(node: Node) -> Iterator[Node]:
    """Yield every scalar below a node."""
    for each in (*node.mapping.values(), *node.items):
        if each.text:
            yield each
        else:
            yield from _texts(each)


def _cycle(out: Findings, jobs: Mapping[str, Node]) -> None:
    needs = {name: {each.text for each in job.get("needs").texts()} for name, job in jobs.items()}
    done: set[str] = set()
    while ready := {name for name, wanted in needs.items() if name not in done and not (wanted & needs.keys()) - done}:
        done |= ready
    for name in needs.keys() - done:
        out.add(jobs[name].line, "error", "cycle", f"{name} waits for itself by way of needs")
