"""Ask the offline model through the real agent, and judge what it cites against the disk and the expected places.

`python tests/evals/judge.py [package …]` prints the score of each tree and every answer that missed.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load

sys.path.insert(0, str(Path(__file__).parents[1]))
from evals.questions import HELD_OUT, TREES, Question, all_questions, folder

FIRST = 3
UNCLEAR = "none that clearly answers:"
_CITED = re.compile(r"(?P<path>[\w./+-]+\.\w+):(?P<line>\d+)(?::\d+)?(?: — (?P<words>.+))?")


@dataclass(frozen=True, slots=True)
class Citation:
    path: str
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how it stands."""

    question: Question
    text: str
    cited: tuple[Citation, ...]
    false: tuple[Citation, ...]
    """Citations of lines that are not there or say something else."""

    @property
    def claimed(self) -> tuple[Citation, ...]:
        """What is cited as an answer: not what is said to answer nothing clearly."""
        return () if UNCLEAR in self.text else self.cited

    @property
    def right(self) -> bool:
        if not self.question.expected:
            return not self.claimed
        return any((one.path, one.line) in span for one in self.claimed[:FIRST] for span in self.question.expected)


def citations(text: str) -> tuple[Citation, ...]:
    """Return what an answer cites, in order; code blocks are not searched."""
    prose = re.sub(r"^(```|~~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return tuple(Citation(match["path"], int(match["line"]), match["words"] or "") for match in _CITED.finditer(prose))


def is_true(root: Path, cited: Citation) -> bool:
    """Whether the line is there and says what is claimed of it; `call in x · line` claims the line behind the dot."""
    file = root / cited.path
    lines = file.read_text("utf-8", errors="replace").split("\n") if file.is_file() else []
    if not 1 <= cited.line <= len(lines):
        return False
    _, dot, behind = cited.words.partition(" · ")
    words = (behind if dot else cited.words).strip()
    words = words.partition("… (+")[0].strip("`").strip()
    return words in lines[cited.line - 1]


async def ask(tree: str, questions: Sequence[Question], home: Path) -> list[Answer]:
    """Ask questions about one package, each in a session of its own."""
    root = folder(tree)
    environ = {"ATTACHE_HOME": str(home), "HOME": str(home)}
    settings = load(root, overrides={"model": "offline/offline", "mode": "explore"}, environ=environ)
    answers: list[Answer] = []
    async with Orchestrator(settings, cwd=root) as agent:
        for question in questions:
            session = await agent.session()
            reply = await agent.chat(question.text)
            await agent.close_session(session.id)
            cited = citations(reply.content)
            false = tuple(one for one in cited if not is_true(root, one))
            answers.append(Answer(question, reply.content, cited, false))
    return answers


async def judged(trees: Iterable[str], home: Path) -> list[Answer]:
    """Ask everything about these trees."""
    questions = all_questions(trees)
    names = dict.fromkeys(question.tree for question in questions)
    return [
        answer for name in names for answer in await ask(name, [one for one in questions if one.tree == name], home)
    ]


def score(answers: Sequence[Answer]) -> str:
    """Return the figures in one line."""
    there = [one for one in answers if one.question.expected]
    absent = [one for one in answers if not one.question.expected]
    cited, false = sum(len(one.cited) for one in answers), sum(len(one.false) for one in answers)
    return (
        f"{sum(one.right for one in there)}/{len(there)} right among the first {FIRST}, "
        f"{cited - false}/{cited} citations true, {sum(not one.right for one in absent)}/{len(absent)} answered "
        "that have no answer"
    )


def main() -> None:
    for trees in (TREES, HELD_OUT):
        wanted = [name for name in trees if not sys.argv[1:] or name in sys.argv[1:]]
        if not wanted:
            continue
        with tempfile.TemporaryDirectory() as home:
            answers = asyncio.run(judged(wanted, Path(home)))
        for name in wanted:
            print(name, score([one for one in answers if one.question.tree == name]))
        for one in answers:
            if (not one.right or one.false) and trees is TREES:
                print(f"\n## {one.question.tree}: {one.question.text} {' '.join(map(str, one.question.expected))}")
                print(one.text.partition("\n\n*offline")[0])
                print(*one.false)
        print("TOTAL", score(answers))


if __name__ == "__main__":
    main()
