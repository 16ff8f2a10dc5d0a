"""What the README says can be typed."""

import math
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

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


QUICK_START = (ROOT / "docs" / "guides" / "quickstart.py").read_text()


def in_a_loop_of_your_own(seed: int, penalty_weight: str = "0.3") -> dict[str, Any]:
    """The names of the quick start's model after the README's first lines have run on it."""
    setup = QUICK_START.split("import latent_anchors as la")[0]
    names: dict[str, Any] = {}
    exec(setup.replace("manual_seed(0)", f"manual_seed({seed})"), names)
    exec(blocks("python")[0].replace("0.3 *", f"{penalty_weight} *"), names)
    return names


def accuracies(names: dict[str, Any], model: nn.Module) -> list[float]:
    """Where the grade goes with the color as in training, and where it does not."""
    with torch.no_grad():
        right = (model.eval()(names["x_test"]).argmax(-1) == names["y_test"]).double()
    usual = names["has_red"] == names["y_test"].bool()
    return [right[usual].mean().item(), right[~usual].mean().item()]


def measured(seed: int) -> list[list[float]]:
    """The rows of the README's table, for one seed."""
    without, names = in_a_loop_of_your_own(seed, "0.0"), in_a_loop_of_your_own(seed)
    with names["red"].muted(names["model"], within=18):
        muted = accuracies(names, names["model"])
    trained = [[*scored(each), *accuracies(each, each["model"])] for each in (without, names)]
    return [*trained, muted, accuracies(names, names["clean"])]


def scored(names: dict[str, Any]) -> list[float]:
    score = names["red"].score(names["model"], names["x_test"], names["has_red"])
    return [score.auc.mean, score.margin.mean]


def printed() -> torch.Tensor:
    """The README's table, with NaN where it says nothing."""
    rows = README.split("|---|---|---|---|---|\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() or "nan" for cell in row.split("|")[2:-1]] for row in rows]
    return torch.tensor([[float(cell) for cell in row] for row in cells])


def means(seeds: Iterable[int]) -> torch.Tensor:
    """The same from trainings with these seeds."""
    runs = [[[math.nan] * (4 - len(row)) + row for row in measured(seed)] for seed in seeds]
    return torch.tensor(runs).mean(0)


def test_its_first_lines_run_on_a_model_of_your_own_and_say_what_its_table_says():
    without, *rest = means([8])  # of its eight seeds, which the evidence session compares
    torch.testing.assert_close(torch.stack(rest), printed()[1:], rtol=0, atol=0.1, equal_nan=True)
    assert without[0] < 0.9 < rest[0][0]


def test_the_program_runs_in_an_empty_file_and_mutes_red(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text("import torch\ntorch.set_num_threads(1)\n" + blocks("python")[1])
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    score, *lines = done.stdout.splitlines()
    assert score.startswith("Score(auc=0.99")
    muted = {line.split()[0]: float(line.split()[-1]) for line in lines}
    assert muted.pop("red") > 0.2 > 0.01 > max(muted.values())


def test_the_site_opens_with_the_same_lines():
    index = (ROOT / "docs" / "index.rst").read_text()
    assert textwrap.indent(blocks("python")[0], "   ", str.strip) in index


def test_its_figures_are_there_for_light_pages_and_dark_ones_and_said_in_words():
    by_day, by_night = re.findall(r'src="(.*?)"', README) + re.findall(r'srcset="(.*?)"', README)
    figures = [by_day, by_night, *re.findall(r"!\[.+?\]\((.*?)\)", README)]
    assert len(figures) == 3
    assert all((ROOT / path).exists() for path in figures)
    assert 'alt="' in README
