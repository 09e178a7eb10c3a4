"""What developers run all day, as test equipment: name -> (programs it needs, a shell's text, what its output shows)."""

from __future__ import annotations

import sys
from pathlib import Path

PY = sys.executable
FILES: dict[str, str] = {
    "a.py": "def add(a, b):\n    return a + b\n",
    "test_a.py": "from a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "test_u.py": "import unittest\n\n\nclass Case(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n",
    "pool.py": (
        "import multiprocessing as m\n\n\ndef f(x):\n    return x * x\n\n\nif __name__ == '__main__':\n"
        "    with m.get_context('fork').Pool(2) as p:\n        print('pool', sum(p.map(f, range(10))))\n"
    ),
    "queue_.py": (
        "import multiprocessing as m\n\n\ndef f(q):\n    q.put(42)\n\n\nif __name__ == '__main__':\n"
        "    q = m.Queue()\n    p = m.Process(target=f, args=(q,))\n    p.start()\n    print('got', q.get())\n    p.join()\n"
    ),
    "server.py": (
        "import http.server, threading, urllib.request\n"
        "s = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
        "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
        "print('served', urllib.request.urlopen(f'http://127.0.0.1:{s.server_port}/a.py').status)\n"
    ),
    "main.c": '#include <stdio.h>\nint main(void) { printf("from c %d\\n", 6 * 7); return 0; }\n',
    "Makefile": "all: prog\n\t./prog\n\nprog: main.c\n\tcc -o prog main.c\n\nparallel: p1 p2 p3\n\np%:\n\t@echo part $@\n",
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(p C)\nadd_executable(cprog main.c)\n",
    "package.json": '{"name": "p", "version": "1.0.0", "scripts": {"test": "node --test t.test.js"}}\n',
    "t.test.js": "const test = require('node:test');\ntest('adds', () => require('node:assert').equal(1 + 1, 2));\n",
    "index.js": "console.log('from node', [1, 2].map((x) => x * 2).join());\n",
    "worker.js": (
        "const { Worker, isMainThread, parentPort } = require('node:worker_threads');\n"
        "if (isMainThread) new Worker(__filename).on('message', (m) => console.log('worker', m));\n"
        "else parentPort.postMessage('hello');\n"
    ),
    "child.js": "console.log('child', require('node:child_process').execSync('echo hi').toString().trim());\n",
    "fork.js": (
        "const { fork } = require('node:child_process');\n"
        "if (process.argv[2]) process.send('up');\n"
        "else fork(__filename, ['x']).on('message', (m) => { console.log('forked', m); });\n"
    ),
    "http.js": (
        "const http = require('node:http');\n"
        "const s = http.createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', () =>\n"
        "  http.get({ port: s.address().port, host: '127.0.0.1' }, (r) => { console.log('http', r.statusCode); s.close(); }));\n"
    ),
    "watch.js": "require('node:fs').watch('.', () => {}).close(); console.log('watched', require('node:os').cpus().length > 0);\n",
    "x.ts": "export const x: number = 1;\n",
    "Cargo.toml": '[package]\nname = "p"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn two() -> i32 {\n    2\n}\n\n#[test]\nfn is_two() {\n    assert_eq!(two(), 2);\n}\n",
    "Hello.java": 'class Hello {\n  public static void main(String[] a) {\n    System.out.println("from java");\n  }\n}\n',
    "data.json": '{"a": [1, 2, 3]}\n',
    "data.csv": "a,b\n1,2\n",
    "s.sh": "#!/bin/bash\nset -euo pipefail\nfor i in 1 2 3; do echo line $i; done | tail -1\n",
    ".gitignore": "__pycache__/\nprog\n*.o\nbuild/\ntarget/\n*.class\n",
}
BIN = Path(__file__).parents[2] / "client-vscode" / "node_modules" / ".bin"

COMMANDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "ls": ((), "ls -la", "a.py"),
    "find": ((), "find . -name '*.py' | sort | head -1", "./a.py"),
    "grep": ((), "grep -rn 'def add' .", "a.py:1:def add"),
    "sed": ((), "sed -i s/add/plus/g a.py && cat a.py", "def plus"),
    "awk": ((), "awk -F, 'NR==2{print $1+$2}' data.csv", "3"),
    "sort and uniq": ((), "printf 'b\\na\\nb\\n' | sort | uniq -c | wc -l", "2"),
    "diff": ((), "diff a.py test_a.py; true", "from a import add"),
    "tar": ((), "tar czf x.tgz a.py && tar tzf x.tgz", "a.py"),
    "xargs": ((), "ls *.py | xargs -n1 -P4 wc -l | wc -l", "6"),
    "process substitution": ((), "diff <(echo a) <(echo a) && echo same", "same"),
    "here document": ((), "cat <<X\nhello $((1+1))\nX", "hello 2"),
    "a script": ((), "bash s.sh", "line 3"),
    "background jobs": ((), "(sleep 0.1; echo late) & echo early; wait", "early\nlate"),
    "trap": ((), "trap 'echo bye' EXIT; echo hi", "hi\nbye"),
    "time": ((), "time true", "real"),
    "mktemp": ((), "f=$(mktemp) && echo ok > $f && cat $f", "ok"),
    "shared memory": ((), "echo x > /dev/shm/y && cat /dev/shm/y", "x"),
    "ps": (("ps",), "ps aux | wc -l", ""),
    "df and du": ((), "df . && du -sh .", "."),
    "date": ((), "date +%Y", "20"),
    "python": ((), f"{PY} -c 'import a; print(a.add(1, 2))'", "3"),
    "python json": ((), f"{PY} -m json.tool data.json", '"a"'),
    "python threads": ((), f"{PY} -c 'import threading as t; x = t.Thread(target=print, args=(1,)); x.start(); x.join()'", "1"),
    "python subprocess": ((), f"{PY} -c \"import subprocess as s; print(s.run(['echo', 'x'], capture_output=True))\"", "x"),
    "python pool": ((), f"{PY} pool.py", "pool 285"),
    "python queue": ((), f"{PY} queue_.py", "got 42"),
    "python sqlite": ((), f"{PY} -c \"import sqlite3; c = sqlite3.connect('x.db'); print(c.execute('select 1').fetchone())\"", "(1,)"),
    "python temporary file": ((), f"{PY} -c 'import tempfile; print(tempfile.TemporaryFile().write(b\"x\"))'", "1"),
    "python asyncio": ((), f"{PY} -c 'import asyncio; asyncio.run(asyncio.sleep(0)); print(1)'", "1"),
    "python asyncio subprocess": ((), f"{PY} -c 'import asyncio\nasync def m():\n  p = await asyncio.create_subprocess_exec(\"true\")\n  print(await p.wait())\nasyncio.run(m())'", "0"),
    "python loopback server": ((), f"{PY} server.py", "served 200"),
    "python venv": ((), f"{PY} -m venv --without-pip build/v && build/v/bin/python -c 'print(1)'", "1"),
    "python shared memory": ((), f"{PY} -c 'from multiprocessing.shared_memory import SharedMemory as S; s = S(create=True, size=9); s.unlink(); print(1)'", "1"),
    "python pty": ((), f"{PY} -c 'import pty; pty.spawn([\"echo\", \"in a pty\"])'", "in a pty"),
    "unittest": ((), f"{PY} -m unittest -q test_u", "OK"),
    "pytest": ((), f"{PY} -m pytest -q -p no:cacheprovider test_a.py", "1 passed"),
    "ruff": ((), f"{Path(PY).parent}/ruff format --no-cache a.py", "unchanged"),
    "ruff check": ((), f"{Path(PY).parent}/ruff check --no-cache a.py", "passed"),
    "coverage": ((), f"{PY} -m coverage --version", "Coverage"),
    "git status": (("git",), "git status --short | head", ""),
    "git diff": (("git",), "echo x >> a.py; git diff --stat", "1 file changed"),
    "git log": (("git",), "git log --oneline", "first"),
    "git blame": (("git",), "git blame a.py | head -1", "def add"),
    "git grep": (("git",), "git grep -n 'def add'", "a.py"),
    "git stash list": (("git",), "git stash list; echo done", "done"),
    "make": (("make", "cc"), "make", "from c 42"),
    "make in parallel": (("make",), "make -j4 parallel | sort", "part p1"),
    "cc": (("cc",), "cc -Wall -c main.c -o m.o && ls m.o", "m.o"),
    "cmake": (("cmake", "cc"), "cmake -S . -B build > /dev/null && cmake --build build > /dev/null && build/cprog", "from c 42"),
    "node": (("node",), "node index.js", "from node 2,4"),
    "node worker": (("node",), "node worker.js", "worker hello"),
    "node child": (("node",), "node child.js", "child hi"),
    "node fork": (("node",), "node fork.js", "forked up"),
    "node http": (("node",), "node http.js", "http 200"),
    "node watch": (("node",), "node watch.js", "watched true"),
    "node test": (("node",), "node --test t.test.js", "pass 1"),
    "npm test": (("npm",), "npm test --silent", "pass 1"),
    "npm run": (("npm",), "npm run", "test"),
    "tsc": (("node", str(BIN / "tsc")), f"node {BIN.parent}/typescript/bin/tsc --noEmit x.ts && echo typed", "typed"),
    "cargo test": (("cargo",), "cargo test --offline 2>&1 | grep 'test result' | head -1", "1 passed"),
    "rustc": (("rustc",), "rustc --version", "rustc"),
    "java": (("java",), "java Hello.java", "from java"),
    "jq": (("jq",), "jq '.a | add' data.json", "6"),
    "sqlite3": (("sqlite3",), "sqlite3 x.db 'create table t(a); insert into t values(7); select a from t'", "7"),
    "perl": (("perl",), "perl -ne 'print if /add/' a.py", "def add"),
    "script": (("script",), "script -qec 'echo in a terminal' /dev/null", "in a terminal"),
    "tty": ((), "test -t 0 || echo no terminal", "no terminal"),
    "id": ((), "id -u", ""),
    "uname": ((), "uname -s", ""),
}  # fmt: skip
SLOW = frozenset({"java", "cargo test", "cmake", "npm test", "npm run", "tsc", "node test", "python venv", "coverage"})
