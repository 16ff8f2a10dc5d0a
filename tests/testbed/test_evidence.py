import json
import math
from pathlib import Path

import pytest
import torch
from refusals import refuses

from latent_anchors.colorspace import HUES
from latent_anchors.evaluation import Evaluation
from latent_anchors.testbed import Evidence
from latent_anchors.training import Failure


def read(*arguments, **options):
    return Evidence.from_arguments("demo", **{"seeds": 3, **options}, arguments=arguments)


def test_by_default_seeds_begin_at_0_and_results_go_where_git_does_not_look():
    found = read()
    assert (found.example, found.seeds, found.smoke) == ("demo", (0, 1, 2), False)
    assert (found.concept, found.out, found.steps) == ("", Path("results/demo"), None)


def test_every_argument_is_read():
    arguments = ["--seeds", "2", "--first-seed", "500", "--out", "here", "--concept", "lime"]
    found = read(*arguments, concept="red")
    assert (found.seeds, found.out, found.concept) == ((500, 501), Path("here"), "lime")
    assert (read(concept="red").concept, read("--seeds", "60").seeds) == ("red", tuple(range(60)))


def test_an_example_may_have_switches_of_its_own():
    switches = {"graded": "in proportion", "narrow": "or not"}
    assert read("--graded", switches=switches).switches == {"graded"}
    assert read(switches=switches).switches == read().switches == frozenset()


def test_an_example_may_have_options_of_its_own():
    options = {"font": "a file", "size": "a number"}
    assert read("--font", "here.ttf", options=options).options == {"font": "here.ttf"}
    assert read(options=options).options == read().options == {}


def test_an_option_may_be_a_number_within_bounds():
    def steps(*arguments):
        options = {"steps": "how many"}
        evidence = Evidence.from_arguments("demo", 1, options=options, arguments=arguments)
        return evidence.number("steps", 1500, least=15, most=9000)

    assert (steps(), steps("--steps", "15")) == (1500, 15)
    for wrong in ("14", "9001", "20.5", "many", "nan"):
        with refuses(ValueError, f"--steps is '{wrong}'; expected a whole number from 15 to 9000."):
            steps("--steps", wrong)


def test_a_number_may_be_a_share():
    options = {"labels": "how many"}
    given = Evidence.from_arguments("demo", 1, options=options, arguments=["--labels", ".5"])
    assert given.number("labels", 1.0, least=0, most=1) == 0.5
    with refuses(ValueError, r"--labels is '\.5'; expected a number from 0 to 0\.4"):
        given.number("labels", 1.0, least=0, most=0.4)


def test_arguments_are_those_of_the_command_line_unless_given(monkeypatch):
    monkeypatch.setattr("sys.argv", ["demo.py", "--first-seed", "7"])
    assert Evidence.from_arguments("demo", seeds=2).seeds == (7, 8)


def test_a_smoke_test_is_a_few_steps_of_two_seeds_at_most():
    assert (read("--smoke").seeds, read("--smoke").steps) == ((0, 1), 20)
    assert read("--smoke", "--seeds", "1", "--first-seed", "4").seeds == (4,)


def test_training_is_timed_over_all_blocks_and_nothing_else(monkeypatch):
    clock = iter([0.0, 10.0, 11.5, 20.0, 22.0])
    monkeypatch.setattr("latent_anchors.testbed._evidence.monotonic", lambda: next(clock))
    evidence = Evidence("demo", (0,), "", smoke=False, out=Path("here"), started=0.0)
    next(clock)
    for _ in range(2):
        with evidence.training():
            pass
    assert evidence.train_seconds == 3.5


def test_a_training_that_raises_is_not_swallowed():
    evidence = read()
    with pytest.raises(KeyboardInterrupt), evidence.training():
        raise KeyboardInterrupt


def test_examples_run_on_one_thread_unless_they_ask_for_more(monkeypatch):
    threads = []
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    read()
    read(threads=2)
    read("--smoke", threads=2)
    assert threads == [1, 2, 1]


@pytest.mark.parametrize("concept", HUES)
def test_every_hue_may_be_the_concept(concept):
    assert read("--concept", concept, concept="red").concept == concept


@pytest.mark.parametrize(
    ("arguments", "concept"),
    [
        (["--concept", "gray"], "red"),
        (["--concept", "red"], ""),
        (["--seeds", "x"], ""),
        (["--steps", "3"], ""),
        (["--seed", "3"], ""),
    ],
    ids=["no hue", "nothing is anchored", "no number", "unknown", "abbreviated"],
)
def test_what_the_command_line_does_not_know_ends_the_example(arguments, concept, capsys):
    with pytest.raises(SystemExit):
        read(*arguments, concept=concept)
    assert "demo.py: error: " in capsys.readouterr().err


def test_there_is_at_least_one_seed():
    with refuses(ValueError, "--seeds is 0; expected at least 1"):
        read("--seeds", "0")


FOUND = Evaluation(
    {"error/muted/red": torch.tensor([0.25, 0.5, math.nan]), "crumpled": torch.tensor([0.0, 1, 1])}
)


def write(folder, *arguments, failures=(), settings=None, concept="red"):
    evidence = read("--out", str(folder / "new"), *arguments, concept=concept)
    with evidence.training():
        pass
    metrics = evidence.write(FOUND, settings or {"power": 2}, failures)

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    text = (folder / "new" / "results.json").read_text()
    return metrics, json.loads(text, parse_constant=refuse)


def test_results_are_strict_json_with_the_fields_that_were_agreed(tmp_path):
    _, results = write(tmp_path, failures=[Failure(1, 812, "recon")])
    assert list(results) == [
        *("example", "settings", "seeds", "train_seconds"),
        *("wall_seconds", "failures", "metrics"),
    ]
    assert (results["example"], results["seeds"]) == ("demo", [0, 1, 2])
    assert results["settings"] == {"power": 2, "concept": "red"}
    assert 0 < results["train_seconds"] < results["wall_seconds"]
    assert results["failures"] == [{"run": 1, "step": 812, "what": "recon"}]
    assert set(results["metrics"]["crumpled"]) == {
        *("per_seed", "mean", "std", "min", "max", "n", "ci95")
    }


def test_values_that_do_not_exist_are_null_as_are_those_of_failed_runs(tmp_path):
    metrics, results = write(tmp_path, failures=[Failure(1, 812, "recon")])
    error, crumpled = (results["metrics"][name] for name in ("error/muted/red", "crumpled"))
    assert (error["per_seed"], error["n"], error["mean"]) == ([0.25, None, None], 1, 0.25)
    assert (crumpled["per_seed"], crumpled["n"]) == ([0.0, None, 1.0], 2)
    assert metrics["crumpled"].per_seed == (0.0, None, 1.0)


def test_of_ratios_the_geometric_mean_is_written(tmp_path):
    evidence = read("--out", str(tmp_path))
    found = {"ratio": torch.tensor([4.0, 0.25, 1.0]), "other": torch.ones(3)}
    metrics = evidence.write(found, {}, [], ratios=["ratio"])
    stored = json.loads((tmp_path / "results.json").read_text())["metrics"]
    assert stored["ratio"]["mean"] == metrics["ratio"].mean == pytest.approx(1)
    assert stored["ratio"]["std"] == pytest.approx(4)
    assert stored["ratio"].keys() == stored["other"].keys()


@pytest.mark.parametrize("values", [torch.ones(2), torch.ones(4), torch.ones(1).bool()])
def test_there_is_a_value_for_each_seed(tmp_path, values):
    with refuses(ValueError, f"There are {len(values)} values of 'a' for 3 seeds"):
        read("--out", str(tmp_path)).write({"a": values, "b": torch.ones(3)}, {}, [])


@pytest.mark.parametrize("run", [-1, 3])
def test_a_failure_is_of_a_run(tmp_path, run):
    with refuses(ValueError, f"run={run}.* is of no run; expected one from 0 to 2"):
        write(tmp_path, failures=[Failure(run, 812, "recon")])


def test_a_ratio_was_measured(tmp_path):
    with refuses(ValueError, "Unknown measure 'ratoi'.* Did you mean 'ratio'"):
        read("--out", str(tmp_path)).write({"ratio": torch.ones(3)}, {}, [], ratios=["ratoi"])


def test_where_nothing_is_anchored_no_concept_is_written(tmp_path):
    _, results = write(tmp_path, concept="")
    assert results["settings"] == {"power": 2}
    assert results["failures"] == []


def test_what_makes_it_another_study_is_among_the_settings(tmp_path):
    options = {"switches": {"full": "all"}, "options": {"wrong": "share", "font": "file"}}
    given = ("--smoke", "--full", "--wrong", "0.5", "--out", str(tmp_path))
    evidence = read(*given, **options)
    evidence.write({"a": torch.ones(len(evidence.seeds))}, {"wrong": 0.5}, failures=[])
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert settings == {"smoke": True, "full": True, "wrong": 0.5}


def test_settings_hold_what_json_can_hold(tmp_path):
    with refuses(TypeError, "tensor.*cannot be written as JSON; expected numbers"):
        write(tmp_path, settings={"direction": torch.ones(2)})
