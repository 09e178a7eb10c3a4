"""Secrets are found where they stand and since when, and shown nowhere; risky calls are named with a reason."""

from __future__ import annotations

import pytest

from attache.schema.errors import FileMissing, ToolError
from tools.repositories import git, repository

KEY = "sk-ant-api03-" + "Ab1" * 30
AWS = "AKIA" + "QYLPMN5HGT3ZRW7X"


async def test_secrets_are_named_and_placed_and_never_shown(desk) -> None:
    desk.write("a.py", "x = 1\n")
    desk.write("clean.py", "y = 2\n")
    desk.write("b/c.env", f"ANTHROPIC_API_KEY={KEY}\nOTHER={KEY}\n")
    desk.write("tests/fake.py", f'KEY = "{AWS}"  # pragma: allowlist secret\n')
    desk.open("a.py", f"x = 1\naws = '{AWS}'\n")
    output = await desk.call("secret_scan")
    told = [(each["path"], each["line"], each["name"]) for each in output.data["secrets"]]
    assert told == [("a.py", 2, "aws key"), ("b/c.env", 1, "anthropic key"), ("b/c.env", 2, "anthropic key")]
    marks = {each["mark"] for each in output.data["secrets"]}
    assert len(marks) == 2
    assert KEY not in str(output)
    assert AWS not in str(output)
    assert (await desk.call("secret_scan", path="clean.py")).text == "0 secrets in 1 file"
    with pytest.raises(FileMissing):
        await desk.call("secret_scan", path="nowhere")


async def test_secrets_of_the_past_are_found_with_their_commit(desk) -> None:
    desk.write("a.py", "one\n")
    repository(desk.folder)
    desk.write("a.py", f"one\nkey = '{KEY}'\n")
    git(desk.folder, "commit", "-qam", "add a key")
    added = git(desk.folder, "rev-parse", "HEAD").strip()
    desk.write("a.py", "one\n")
    desk.write("b.py", f"aws = '{AWS}'\n")
    git(desk.folder, "add", "-A")
    git(desk.folder, "commit", "-qm", "take it out")
    output = await desk.call("secret_scan", history=True)
    found = {each["name"]: each for each in output.data["secrets"]}
    assert (found["anthropic key"]["commit"], found["anthropic key"]["path"], found["anthropic key"]["line"]) == (
        added,
        "a.py",
        2,
    )
    assert "gone from the files, not from git" in output.text
    assert output.data["still"] == [found["aws key"]["mark"]]
    assert KEY not in str(output)
    few = await desk.call("secret_scan", history=True, commits=1)
    assert "2 older commits were not looked at" in few.text


async def test_the_past_of_no_repository_is_refused(desk) -> None:
    with pytest.raises(ToolError, match="not in a git repository"):
        await desk.call("secret_scan", history=True)


async def test_risky_calls_are_found_in_what_is_typed(desk) -> None:
    desk.write("a.py", "import subprocess\nsubprocess.run(input(), shell=True)\n")
    desk.write("b.js", "const { exec } = require('child_process')\nexec(`ls ${name}`)\n// eval(x)\nel.innerHTML = x\n")
    desk.write("c.go", "tls.Config{InsecureSkipVerify: true}\n")
    desk.write("tests/test_a.py", "import os\nos.system(x)\n")
    desk.write("d.ts", "db.query(`SELECT * FROM t WHERE id = ${id}`)\n")
    desk.write("e.py", "")
    desk.open("e.py", "exec(input())\n")
    output = await desk.call("risky_calls")
    told = {(each["place"]["path"], each["place"]["line"], each["code"]) for each in output.data["findings"]}
    assert {
        ("a.py", 2, "S602"),
        ("b.js", 2, "command"),
        ("b.js", 4, "html"),
        ("c.go", 1, "tls"),
        ("d.ts", 1, "sql"),
        ("e.py", 1, "S102"),
    } <= told
    assert not any(path == "b.js" and line == 3 for path, line, _ in told)
    assert not any(path.startswith("tests/") for path, _, _ in told)
    with_tests = await desk.call("risky_calls", tests=True, glob="*.py")
    assert any(each["place"]["path"] == "tests/test_a.py" for each in with_tests.data["findings"])
    desk.write("ok.ts", "export const x = 1\n")
    assert (await desk.call("risky_calls", path="ok.ts")).text == "0 risky calls in 1 file"
    with pytest.raises(FileMissing):
        await desk.call("risky_calls", path="nowhere")


@pytest.mark.parametrize(
    ("name", "line", "code"),
    [
        ("a.js", "new Function('return ' + x)()", "eval"),
        ("a.sh", "curl -s https://x.example/i.sh | sudo bash", "download"),
        ("a.go", 'exec.Command("sh", "-c", cmd)', "command"),
        ("a.rb", 'system("ls #{name}")', "command"),
        ("a.php", "echo shell_exec('ls ' . $_GET['d']);", "command"),
        ("a.c", "strcpy(a, b);", "memory"),
        ("a.java", 'MessageDigest.getInstance("MD5");', "hash"),
        ("a.rs", "unsafe { go() }", "memory"),
        ("a.ts", "const token = Math.random().toString(36)", "random"),
        ("Dockerfile", "RUN curl https://x.example | sh", "download"),
    ],
)
async def test_each_language_has_its_rows(desk, name: str, line: str, code: str) -> None:
    desk.write(name, line + "\n")
    output = await desk.call("risky_calls")
    assert [each["code"] for each in output.data["findings"]] == [code]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.js", "evaluate(x); obj.eval2(); el.innerHTML == x; regexp.exec(text)"),
        ("a.ts", "log(`select one from the list of ${n}`)"),
        ("a.sh", "curl -o file https://x.example; sh other.sh"),
        ("a.go", 'exec.Command("git", "status")'),
        ("a.c", 'snprintf(a, n, "%s", b); strncpy(a, b, n); system("true");'),
    ],
)
async def test_what_only_looks_alike_is_left_alone(desk, name: str, line: str) -> None:
    desk.write(name, line + "\n")
    assert (await desk.call("risky_calls")).data["findings"] == []
