"""Words that were said in any session are found again, whoever said them and in whatever spelling they are stored."""

from __future__ import annotations

import pytest

from attache.schema import events
from attache.schema.data import RunId, SessionId
from attache.schema.messages import assistant, user
from attache.storage.database import Database
from attache.storage.log import SessionLog

RUN = RunId("r1")


@pytest.fixture
async def log(tmp_path):
    database = await Database.open(tmp_path / "log.sqlite")
    log = SessionLog(database)
    for name, cwd, question, answer in [
        ("s_one", "/work", "Where is the retry budget spent?", "In transport.py, by RetryBudget.spend."),
        ("s_two", "/work", 'Grüße: 100% "quoted" a_b?', "Ein Ärger mit C:\\temp."),
        ("s_three", "/other", "the retry once more", "x" * 500 + " deep RETRY inside " + "y" * 500),
    ]:
        started = events.RunStarted(run_id=RUN, parts=user(question).parts)
        said = events.MessageAdded(run_id=RUN, message=assistant(answer))
        created = events.SessionCreated(cwd=cwd, model="a/one", mode="build")
        await log.append(SessionId(name), [created, started, said])
    yield log
    await database.close()


@pytest.mark.parametrize(
    ("text", "cwd", "found"),
    [
        ("retry", None, ["s_three", "s_one"]),
        ("retry", "/work", ["s_one"]),
        ("BUDGET spend", None, ["s_one"]),
        ("retrybudget", None, ["s_one"]),
        ("grüße", None, ["s_two"]),
        ("ärger", None, ["s_two"]),
        ("100%", None, ["s_two"]),
        ("0%%", None, []),
        ("a_b", None, ["s_two"]),
        ("axb", None, []),
        ('"quoted"', None, ["s_two"]),
        ("c:\\temp", None, ["s_two"]),
        ("retry grüße", None, []),
        ("run.started", None, []),
        ("   ", None, []),
    ],
)
async def test_sessions_are_found_by_what_was_said_in_them(log, text, cwd, found):
    assert [said.session.id for said in await log.search(text, cwd)] == found


async def test_an_excerpt_shows_the_word_on_one_line_with_what_stands_around_it(log):
    (said,) = await log.search("deep retry")
    assert "deep RETRY inside" in said.excerpt
    assert said.excerpt.startswith("…")
    assert said.excerpt.endswith("…")
    assert len(said.excerpt) < 200
    assert (said.role, said.seq) == ("assistant", 3)


async def test_no_more_than_was_asked_for(log):
    assert len(await log.search("retry", limit=1)) == 1
