"""What the README shows exists and runs."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from musicgen.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "models" / "README.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
COMMAND = typer.main.get_command(app)


def commands():
    """Find every ``musicgen …`` line of the pages, the Makefile and the commands' own examples."""
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    texts["Makefile"] = (ROOT / "Makefile").read_text()
    for name, command in COMMAND.commands.items():
        for inner in (command, *getattr(command, "commands", {}).values()):
            texts[f"musicgen {name} {inner.name} --help"] = inner.epilog or ""
    for place, text in texts.items():
        for line in re.findall(r"^\s*(?:\$\(BIN\)/|`)?musicgen ([a-z]+ [^\n`]+)", text, re.M):
            yield pytest.param(line, id=f"{place}: {line}")


@pytest.mark.parametrize("line", list(commands()))
def test_commands_shown_are_accepted(line):
    words = shlex.split(line)
    command = COMMAND.commands[words[0]]
    rest = words[1:]
    if hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    known = {o for shown in command.params for o in (*shown.opts, *shown.secondary_opts)}
    assert {word for word in rest if word.startswith("--")} <= known | {"--help"}
    command.make_context(words[0], rest)


def test_python_of_the_readme_runs(scales, tmp_path, monkeypatch):
    blocks = [body for kind, body in BLOCK.findall(PAGES[0].read_text("utf-8")) if kind == "python"]
    assert len(blocks) == 2
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "starter").symlink_to(ROOT / "corpora" / "starter")
    (tmp_path / "corpora" / "ryans").symlink_to(scales)
    monkeypatch.chdir(tmp_path)
    quick = "epochs=40, hidden_size=48, num_layers=1, learning_rate=0.02, dropout=0"
    for block in blocks:
        exec(compile(block.replace("minutes=5", quick), "README", "exec"), {})
    assert (tmp_path / "greensleeves.mid").exists()


def test_python_of_the_engine_page_runs(tmp_path, monkeypatch, capsys):
    page = ROOT / "docs" / "engine.md"
    blocks = [body for kind, body in BLOCK.findall(page.read_text("utf-8")) if kind == "python"]
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        exec(compile(block, "engine.md", "exec"), names)
    cost, error = map(float, capsys.readouterr().out.split())
    assert cost < 0.05
    assert error < 1e-9
    picture = (tmp_path / "lstm-cell.dot").read_text("utf-8")
    drawn = (ROOT / "docs" / "lstm-cell.svg").read_text("utf-8")
    assert len(re.findall(" -> ", picture)) == drawn.count('class="edge"')


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
