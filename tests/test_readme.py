"""What the README says can be typed."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_gate_ends_with_the_test_command_word_for_word():
    tests = blocks("sh")[-1].strip()
    assert (ROOT / ".ci" / "run").read_text().rstrip().splitlines()[-1] == tests


def test_the_commands_are_complete_in_themselves():
    for command in blocks("sh"):
        assert command.startswith("python3 -m venv .venv && ")
        assert "-c constraints.txt" in command


def test_the_program_runs_in_an_empty_file_and_mutes_red(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text("import torch\ntorch.set_num_threads(1)\n" + blocks("python")[0])
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    muted = {line.split()[0]: float(line.split()[-1]) for line in done.stdout.splitlines()}
    assert muted["red"] > 0.1 > 0.01 > muted["blue"]


def test_its_figure_is_there():
    assert (ROOT / re.findall(r"!\[.*?\]\((.*?)\)", README)[0]).exists()
