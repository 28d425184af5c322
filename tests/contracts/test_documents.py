"""Every documented example runs, prints what the page says, and tables drawn from the code are up to date.

A page's fenced blocks run in order in one folder, empty but for the tables of ``docs/data``, which lie in ``data``.
``python`` blocks share their names; ``console`` blocks hold lines ``$ lampyris ...`` (and ``$ echo $?`` for the exit code
of the last) followed by what is printed, where ``...`` stands for anything. Blocks of other languages are shown, not run.

Commands are called in this process, so that all pages share what the first has loaded and computed; the pages of
``IN_PROCESSES`` show that a process of its own says the same. Pages that draw the same virtual study get copies of one.
"""

import contextlib
import dataclasses
import doctest
import importlib.util
import io
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lampyris import cli
from lampyris.virtual import simulate

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(?P<language>[\w-]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = {"sh", "toml", "csv", "text", "json", "bibtex"}
RUN = {"python", "console"}
IN_PROCESSES = {ROOT / "docs" / "compare.md"}
COMPARE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int


def blocks_of(page: str) -> list[Block]:
    return [Block(m["language"], m["text"], page[: m.start()].count("\n") + 1) for m in FENCE.finditer(page)]


def examples_of(text: str) -> list[tuple[str, str]]:
    """Commands of a console block, each with what is printed."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"a console block begins with a command, not with {parts[0]!r}")
    return [(command, printed) for command, _, printed in (part.partition("\n") for part in parts[1:])]


def run_page(page: str, folder: Path, *, in_processes: bool = False) -> int:
    """Run every example of a page in `folder`, which is the current one; the number of examples that ran."""
    names: dict[str, object] = {}
    last = 0
    count = 0
    for block in blocks_of(page):
        if block.language == "python":
            script = folder.with_name(f"{folder.name}-line-{block.line}.py")
            script.write_text(block.text, "utf-8")
            names = runpy.run_path(str(script), {k: v for k, v in names.items() if not k.startswith("__")})
            count += 1
        elif block.language == "console":
            examples = examples_of(block.text)
            for (command, printed), after in zip(examples, [*examples[1:], ("", "")], strict=True):
                got, last = run_command(command, last, in_process=in_processes)
                if not doctest.OutputChecker().check_output(printed, got, COMPARE):
                    raise AssertionError(
                        f"line {block.line}: {command}\nthe page says:\n{printed}\nbut it prints:\n{got}"
                    )
                if last != 0 and after[0] != "echo $?":
                    raise AssertionError(f"line {block.line}: {command}\nexit code {last} is not shown:\n{got}")
                count += 1
    return count


def run_command(command: str, last: int, *, in_process: bool) -> tuple[str, int]:
    """What a command prints (stdout, then stderr) and its exit code."""
    if command == "echo $?":
        return f"{last}\n", 0
    words = shlex.split(command)
    if words[0] != "lampyris":
        raise ValueError(f"a console block shows calls of lampyris, not {command!r}; use a sh block")
    if in_process:
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words[1:])
    return out.getvalue() + err.getvalue(), code


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Folders of virtual studies by what they were drawn from."""
    return {}


@pytest.fixture
def drawn_once(drawn, tmp_path_factory, monkeypatch):
    """A virtual study of the same design, seed and format has the same bytes: it is drawn once and copied."""
    draw = simulate.simulate_study

    def draw_once(directory, /, *, progress=None, **asked):
        key = repr(sorted(asked.items()))
        if key not in drawn:
            told = []
            made = draw(tmp_path_factory.mktemp("drawn") / "study", progress=lambda *step: told.append(step), **asked)
            drawn[key] = made, told
        made, told = drawn[key]
        for step in told if progress else ():
            progress(*step)
        study, truth = directory, directory.with_name(directory.name + "-truth")
        shutil.copytree(made.study, study)
        shutil.copytree(made.truth, truth)
        return dataclasses.replace(made, study=study, truth=truth)

    monkeypatch.setattr(simulate, "simulate_study", draw_once)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_name_a_known_language(page):
    text = page.read_text("utf-8")
    assert text.count("\n```") + text.startswith("```") == 2 * len(blocks_of(text)), "a fence is not closed"
    assert {block.language for block in blocks_of(text)} <= SHOWN | RUN


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.language in RUN for block in blocks_of(page.read_text("utf-8")))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_examples_run(page, drawn_once, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs" / "data", tmp_path / "data")
    assert run_page(page.read_text("utf-8"), tmp_path, in_processes=page in IN_PROCESSES) > 0


@pytest.mark.parametrize(
    ("page", "match"),
    [
        ("```python\nassert 1 == 2, 'not equal'\n```\n", "not equal"),
        ("```console\n$ lampyris --version\nlampyris 9.9.9\n```\n", "the page says"),
        ("```console\n$ lampyris no-such-verb\n...\n$ echo $?\n0\n```\n", "the page says"),
        ("```console\n$ lampyris no-such-verb\n...\n```\n", "exit code 2 is not shown"),
    ],
)
@pytest.mark.parametrize("in_processes", [False, True])
def test_a_wrong_example_fails(page, match, in_processes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match=match):
        run_page(page, tmp_path, in_processes=in_processes)


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_those_of_the_code():
    drawn = generator().drawn
    pages = list((ROOT / "docs").glob("*.md"))
    stale = [page.name for page in pages if drawn(page.read_text("utf-8")) != page.read_text("utf-8")]
    assert stale == [], "run `make docs`"


def test_every_table_is_shown_once():
    module = generator()
    shown = [
        match["name"]
        for page in (ROOT / "docs").glob("*.md")
        for match in module.SECTION.finditer(page.read_text("utf-8"))
    ]
    assert sorted(shown) == sorted(module.TABLES)


def test_a_stale_table_is_seen():
    page = "<!-- table: animals -->\n| column |\n<!-- end -->"
    assert generator().drawn(page) != page


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
