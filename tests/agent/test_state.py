"""State is the fold of events, whatever the order in which they are read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attache.agent.state import empty, fold, replay, stage_after
from attache.schema import events
from attache.schema.data import ApprovalId, CallId, RunId, SessionId
from attache.schema.events import Entry
from attache.schema.messages import Message, Text, ToolCall, ToolResult, assistant, user
from attache.schema.models import Usage
from attache.schema.session import ApprovalAnswer

ID = SessionId("s_1")
RUN = RunId("r_1")


def log(*happened: events.Event) -> list[Entry]:
    return [Entry(session_id=ID, seq=seq, at=float(seq), event=event) for seq, event in enumerate(happened, 1)]


def started(text: str = "hello") -> events.RunStarted:
    return events.RunStarted(run_id=RUN, parts=(Text(text=text),))


def finished() -> events.RunFinished:
    return events.RunFinished(run_id=RUN, stop_reason="end_turn", usage=Usage(), cost_usd=0)


def added(message: Message, **more: object) -> events.MessageAdded:
    return events.MessageAdded.model_validate({"run_id": RUN, "message": message, **more})


CREATED = events.SessionCreated(cwd="/w", model="offline/offline", mode="build")


def test_a_conversation_folds_into_messages_usage_and_title() -> None:
    usage = Usage(input_tokens=10, output_tokens=2)
    state = replay(
        ID, log(CREATED, started("Why?\nmore"), added(assistant("So."), usage=usage, cost_usd=0.5), finished())
    )
    assert [message.text for message in state.messages] == ["Why?\nmore", "So."]
    assert (state.title, state.usage, state.cost_usd, state.run_id, state.runs) == ("Why?", usage, 0.5, None, 1)
    assert state.stage == "COMPLETION"


def test_a_run_that_was_cut_leaves_every_call_with_a_result() -> None:
    call = ToolCall(id=CallId("c_1"), name="shell", arguments={})
    cut = replay(ID, log(CREATED, started(), added(Message(role="assistant", parts=(call,)))))
    assert cut.run_id == RUN
    after = fold(cut, log(finished())[0])
    answered = after.messages[-1].parts[0]
    assert isinstance(answered, ToolResult)
    assert answered.call_id == "c_1"
    assert answered.is_error


def test_rewinding_forgets_what_came_after_and_only_that() -> None:
    entries = log(CREATED, started("one"), finished(), started("two"), finished(), events.SessionRewound(to_seq=3))
    state = replay(ID, entries)
    assert [message.text for message in state.messages] == ["one"]
    assert state.seq == 6


def test_an_allowance_for_the_session_is_remembered() -> None:
    answer = ApprovalAnswer(approval_id=ApprovalId("a"), digest="d", choice="allow_session", pattern="shell: make test")
    state = replay(ID, log(CREATED, events.ApprovalAnswered(run_id=RUN, answer=answer)))
    assert state.grants == ("shell: make test",)
    once = answer.model_copy(update={"choice": "allow_once"})
    assert replay(ID, log(CREATED, events.ApprovalAnswered(run_id=RUN, answer=once))).grants == ()


HAPPENINGS = st.lists(
    st.sampled_from([started("a"), started("b"), finished(), added(user("x")), added(assistant("y"), cost_usd=1.0)]),
    max_size=12,
)


@given(HAPPENINGS, st.integers(0, 12))
def test_folding_in_two_goes_is_folding_in_one(happened: list[events.Event], cut: int) -> None:
    entries = log(CREATED, *happened)
    state = replay(ID, entries[:cut])
    for entry in entries[cut:]:
        state = fold(state, entry)
    assert state == replay(ID, entries)


def test_titles_are_short_and_end_at_a_word() -> None:
    assert user("\n  fix it  \nplease").title == "fix it"
    long = user("word " * 40).title
    assert len(long) < 80
    assert long.endswith("word …")
    assert empty(ID).title == ""


def test_stages_follow_what_the_tools_do() -> None:
    assert stage_after("INITIAL", "search", "none") == "READING"
    assert stage_after("READING", "files", "workspace") == "EXECUTING"
    assert stage_after("EXECUTING", "testing", "outside") == "VERIFYING"
    assert stage_after("EXECUTING", "files", "none") == "EXECUTING"
    assert stage_after("INITIAL", "planning", "none") == "PLANNING"
