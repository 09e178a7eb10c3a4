from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from attache.schema.errors import InvalidArguments, ToolError
from attache.workspace.environment import looks_secret
from attache.workspace.shell import Command, run, shell_argv

pytestmark = pytest.mark.skipif(os.name == "nt", reason="these commands are a POSIX shell's")
linux = pytest.mark.skipif(sys.platform != "linux", reason="what left its process group is found on Linux alone")
LONG = pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="the full count runs under ATTACHE_LONG=1")

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def living(pid_files: Path) -> list[int]:
    """Return those of the processes that wrote their number into the folder and are still running."""
    return [pid for file in pid_files.glob("*.pid") if running(pid := int(file.read_text()))]


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


async def test_a_program_runs_with_its_arguments_untouched(tmp_path):
    words = ["a b", "$HOME", "*", "'", '"', "é😀", "", "-n", "a\nb"]
    done = await run([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words], cwd=tmp_path)
    assert (done.exit_code, done.output.strip()) == (0, str(words))
    assert (done.truncated, done.timed_out) == (False, False)


async def test_text_runs_in_the_shell_in_its_folder(tmp_path):
    folder = tmp_path / "a b#%é"
    folder.mkdir()
    done = await run("pwd; echo $((1+1)) | cat; echo wrong >&2; exit 3", cwd=folder)
    assert (done.exit_code, done.output) == (3, f"{folder}\n2\nwrong\n")
    assert Command(text="exit 3").program == shell_argv("exit 3")
    assert Command(text="exit 3").program[1:] == ("-c", "exit 3")
    assert Command(argv=("ls", "-l")).program == ("ls", "-l")


@pytest.mark.parametrize("fields", [{}, {"argv": ("ls",), "text": "ls"}, {"argv": ("ls",), "timeout_seconds": 0}])
def test_a_command_is_one_thing_with_a_limit(fields):
    with pytest.raises(ValueError, match=r"argv or text|greater than 0"):
        Command(**fields)


async def test_stdin_is_given_or_empty(tmp_path):
    assert (await run(["cat"], cwd=tmp_path, stdin="héllo\n")).output == "héllo\n"
    assert (await run(["cat"], cwd=tmp_path)).output == ""
    big = "x" * 3_000_000
    done = await run(["wc", "-c"], cwd=tmp_path, stdin=big)
    assert done.output.strip() == str(len(big))
    assert (await run(["true"], cwd=tmp_path, stdin=big)).exit_code == 0, "one that does not read it does not block us"


async def test_what_cannot_be_started_says_why(tmp_path):
    with pytest.raises(ToolError, match="no-such-program cannot be run: No such file"):
        await run(["no-such-program"], cwd=tmp_path)
    with pytest.raises(ToolError, match="is no folder to run ls in"):
        await run(["ls"], cwd=tmp_path / "none")
    (tmp_path / "text").write_text("text")
    with pytest.raises(ToolError, match="cannot be run: Permission denied"):
        await run([str(tmp_path / "text")], cwd=tmp_path)
    with pytest.raises(InvalidArguments, match="null byte"):
        await run(["echo", "a\0b"], cwd=tmp_path)


async def test_the_time_limit_ends_the_whole_group(tmp_path):
    script = f"""
        trap '' TERM
        echo $$ > shell.pid
        {shlex.quote(sys.executable)} -c {shlex.quote(DEAF)} & echo $! > deaf.pid
        sleep 60 & echo $! > sleep.pid
        wait
    """
    began = time.monotonic()
    done = await run(script, cwd=tmp_path, timeout_seconds=0.7)
    assert time.monotonic() - began < 5
    assert (done.timed_out, done.exit_code) == (True, -signal.SIGKILL)
    assert done.output == "deaf\n", "what was written before stays"
    assert len(list(tmp_path.glob("*.pid"))) == 3
    assert living(tmp_path) == []


async def test_one_that_listens_may_tidy_up(tmp_path):
    done = await run("trap 'echo tidied; exit 7' TERM; sleep 60 & wait", cwd=tmp_path, timeout_seconds=0.3)
    assert (done.exit_code, done.output, done.timed_out) == (7, "tidied\n", True)
    assert done.seconds < 1.2


@linux
async def test_the_time_limit_finds_what_left_the_group(tmp_path):
    leaver = "import os, time; os.setsid(); open('left.pid', 'w').write(str(os.getpid())); time.sleep(60)"
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(leaver)} & setsid sh -c 'echo $$ > sh.pid; exec sleep 60' & sleep 60"
    done = await run(script, cwd=tmp_path, timeout_seconds=0.7)
    assert done.timed_out
    assert len(list(tmp_path.glob("*.pid"))) == 2
    assert living(tmp_path) == []


async def test_cancelling_ends_the_whole_group_and_is_not_swallowed(tmp_path):
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(DEAF)} & echo $! > deaf.pid; sleep 60 & echo $! > sleep.pid; wait"
    started = asyncio.Event()
    task = asyncio.create_task(run(script, cwd=tmp_path, on_output=lambda _: started.set()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(list(tmp_path.glob("*.pid"))) == 2
    assert living(tmp_path) == []


async def test_cancelling_twice_kills_at_once(tmp_path):
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(DEAF)} & echo $! > deaf.pid; wait"
    started = asyncio.Event()
    task = asyncio.create_task(run(script, cwd=tmp_path, on_output=lambda _: started.set()))
    await started.wait()
    began = time.monotonic()
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    assert time.monotonic() - began < 0.9
    assert living(tmp_path) == []


@pytest.mark.parametrize("count", [3, pytest.param(200, marks=[pytest.mark.long, LONG])])
async def test_nothing_survives_time_outs(tmp_path, count):
    for number in range(count):
        script = f"sleep 60 & echo $! > {number}a.pid; (sleep 60 & echo $! > {number}b.pid; sleep 60); sleep 60"
        done = await run(script, cwd=tmp_path, timeout_seconds=0.1)
        assert done.timed_out
    assert len(list(tmp_path.glob("*.pid"))) == 2 * count
    assert living(tmp_path) == []


async def test_what_a_finished_command_leaves_behind_is_ended(tmp_path):
    quiet = await run("sleep 60 > /dev/null 2>&1 & echo $! > quiet.pid; echo done", cwd=tmp_path)
    assert (quiet.exit_code, quiet.output, quiet.timed_out) == (0, "done\n", False)
    assert quiet.seconds < 0.9, "one that holds no output is not waited for"
    holding = await run("sleep 60 & echo $! > holding.pid; echo done", cwd=tmp_path)
    assert (holding.exit_code, holding.output, holding.timed_out) == (0, "done\n", False)
    late = await run("(sleep 0.2; echo late) & echo done", cwd=tmp_path)
    assert late.output == "done\nlate\n", "but there is time to say the last word"
    assert living(tmp_path) == []


async def test_long_output_keeps_both_ends_and_says_what_is_missing(tmp_path):
    done = await run("seq 1 100000", cwd=tmp_path, output_limit_bytes=1000)
    whole = "".join(f"{number}\n" for number in range(1, 100_001))
    assert done.truncated
    assert done.output == f"{whole[:500]}\n[… {len(whole) - 1000:,} bytes left out …]\n{whole[-500:]}"
    exact = await run("seq 1 100000", cwd=tmp_path, output_limit_bytes=len(whole))
    assert (exact.truncated, exact.output) == (False, whole)


async def test_letters_are_not_cut_in_half(tmp_path):
    done = await run([sys.executable, "-c", "print('é' * 1000, end='')"], cwd=tmp_path, output_limit_bytes=102)
    assert done.output == f"{'é' * 25}\n[… {2000 - 102:,} bytes left out …]\n{'é' * 25}"
    raw = await run(["printf", r"a\377b"], cwd=tmp_path)
    assert raw.output == "a\ufffdb"


async def test_a_flood_neither_fills_memory_nor_holds_the_loop(tmp_path):
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    beside = asyncio.create_task(tick())
    done = await run(["yes"], cwd=tmp_path, timeout_seconds=0.7, output_limit_bytes=10_000)
    beside.cancel()
    assert (done.timed_out, done.truncated) == (True, True)
    assert len(done.output) < 10_100
    assert ticks > 15, "the loop went on turning"


async def test_output_streams_as_it_comes_up_to_the_limit(tmp_path):
    heard: list[tuple[float, str]] = []
    began = time.monotonic()
    script = r"printf 'one '; printf '\303'; sleep 0.4; printf '\251 two'"
    done = await run(script, cwd=tmp_path, on_output=lambda text: heard.append((time.monotonic() - began, text)))
    assert "".join(text for _, text in heard) == done.output == "one é two"
    assert heard[0][1].startswith("one")
    assert heard[-1][0] - heard[0][0] > 0.2, "the first words came before the last were written"
    pieces: list[str] = []
    await run("seq 1 100000", cwd=tmp_path, output_limit_bytes=2000, on_output=pieces.append)
    assert "".join(pieces).count("it goes on") == 1
    assert pieces[-1].endswith("when it is over …]\n")


async def test_the_environment_has_no_secrets_but_what_is_added(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY_API_KEY", "canary-1")
    monkeypatch.setenv("DATABASE_URL", "postgres://user:canary-2@host/db")
    monkeypatch.setenv("ORDINARY", "stays")
    done = await run(["env"], cwd=tmp_path, env={"ADDED_TOKEN": "shown to the user", "ORDINARY2": "2"})
    assert "canary" not in done.output
    assert "ORDINARY=stays\n" in done.output
    assert "ADDED_TOKEN=shown to the user\n" in done.output
    assert f"PATH={os.environ['PATH']}\n" in done.output


@pytest.mark.parametrize(
    "name",
    ["OPENAI_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "GH_PAT", "PGPASSWORD", "MYSQL_PWD", "NPM_CONFIG__AUTH",
     "SSH_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS", "SENTRY_DSN", "npm_config_authtoken", "DB_PASS", "STRIPE_KEYS", "ATTACHE_OPENAI_API_KEY", "CLIENT_SECRETS"],
)  # fmt: skip
def test_names_of_secrets(name):
    assert looks_secret(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PATH", "/bin"), ("PWD", "/"), ("OLDPWD", "/"), ("SSH_AUTH_SOCK", "/run/agent"), ("GIT_AUTHOR_NAME", "A"), ("TOKENIZERS_PARALLELISM", "1"), ("PYTHONPATH", "."),
     ("KEYBOARD_LAYOUT", "de"), ("BYPASS", "1"), ("HOME", "/root"), ("DATABASE_URL", "postgres://host/db"), ("ORIGIN", "git@github.com:a/b"), ("HTTP_PROXY", "http://host:80")],
)  # fmt: skip
def test_names_of_no_secrets(name, value):
    assert not looks_secret(name, value)


def test_passwords_in_values():
    assert looks_secret("HTTPS_PROXY", "http://me:pass@proxy:80")
    assert looks_secret("REDIS_URL", "redis://:pass@host")
