"""What the README shows is run: its Python on the shipped weights, its commands against the help."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ragkit.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


EVALUATING = ("check", "compare", "draft", "report", "review", "score")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.model
def test_the_python_of_the_readme_runs_and_answers(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds", ignore=shutil.ignore_patterns("README.md"))
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert "Istanbul" in capsys.readouterr().out


def test_the_commands_of_the_readme_have_the_options_they_are_shown_with():
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("ragkit ")]
    assert commands
    for line in commands:
        words = line.split("#")[0].split()
        command = words[1:3] if words[1] in ("cite", "eval", "history") else words[1:2]
        if command[0] == "eval" and command[1] not in EVALUATING:
            command = ["eval", "run"]
        shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"}).output
        for option in (word for word in words if re.fullmatch(r"-k|--[a-z-]+", word)):
            assert option in shown, f"{line}: {option}"


def test_the_first_two_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
