import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from refusals import refuses

from latent_anchors.viz import plot_relearning
from latent_anchors.viz._plot_relearning import DASHES, KINDS
from latent_anchors.viz._themes import THEMES

STEPS = torch.arange(1, 41)
FALLING = torch.stack([0.3 * torch.exp(-STEPS / t) for t in (8.0, 10.0, 14.0)])


def panel(errors: dict[str, torch.Tensor] | None = None, **options: object) -> Axes:
    given = {"fresh": FALLING, "edited": FALLING[0] / 2} if errors is None else errors
    return plot_relearning(STEPS, given, **options).axes[0]


def curves(axes: Axes) -> list[np.ndarray]:
    return [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == len(STEPS)]


def names(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_line_is_the_median_and_the_band_the_range():
    axes = panel()
    fresh, edited = curves(axes)
    np.testing.assert_allclose(fresh, FALLING[1], rtol=1e-6)
    np.testing.assert_allclose(edited, FALLING[0] / 2, rtol=1e-6)
    (band,) = axes.collections
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(FALLING.min().item())
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(FALLING.max().item())
    assert "median and range of 1 to 3 runs" in axes.get_ylabel()


def test_names_tell_when_the_threshold_is_reached_and_dots_show_it():
    axes = panel(threshold=0.01)
    first = [int((errors <= 0.01).nonzero()[0]) for errors in (FALLING[1], FALLING[0] / 2)]
    assert names(axes)[1:] == [
        f"{kind}: {STEPS[k]} steps" for kind, k in zip(("fresh", "edited"), first, strict=True)
    ]
    dots = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert [x for x, _ in dots] == [STEPS[k] for k in first]
    assert all(y <= 0.01 for _, y in dots)
    under = [line.get_zorder() for line in axes.lines if line.get_marker() != "o"]
    assert all(line.get_zorder() > max(under) for line in axes.lines if line.get_marker() == "o")


def test_a_single_step_is_one():
    assert names(panel({"edited": FALLING[0]}, threshold=1.0))[1:] == ["edited: 1 step"]


def test_what_is_not_reached_is_said_and_has_no_dot():
    axes = panel({"fresh": FALLING}, threshold=1e-4)
    assert names(axes) == ["0.0001", "fresh: not reached"]
    assert not any(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o")
    assert axes.get_ylim()[0] < 1e-4


def test_without_a_threshold_names_stand_alone():
    assert names(panel()) == ["fresh", "edited"]


@pytest.mark.parametrize(
    ("logarithmic", "scales"),
    [
        ("neither", ("linear", "linear")),
        ("steps", ("log", "linear")),
        ("errors", ("linear", "log")),
        ("both", ("log", "log")),
    ],
)
def test_axes_are_logarithmic_as_asked_for(logarithmic: str, scales: tuple[str, str]):
    axes = panel(logarithmic=logarithmic)
    assert (axes.get_xscale(), axes.get_yscale()) == scales


def test_no_error_at_all_can_be_drawn_on_a_linear_axis():
    low, high = panel({"a": 0.0 * STEPS}, logarithmic="neither").get_ylim()
    assert low < high


@pytest.mark.parametrize("values", [[-3.0, -2.0, -1.0], [-2.0, -2.0, -2.0], [-1.0, 0.0, 4.0]])
def test_a_linear_axis_holds_negative_numbers_and_is_not_turned_over(values: list[float]):
    errors = np.resize(values, len(STEPS))
    low, high = panel({"a": errors}, threshold=values[0], logarithmic="neither").get_ylim()
    assert low < min(values) <= max(values) <= high


def test_kinds_can_be_distinguished_with_and_without_their_inks():
    axes = panel(dict.fromkeys("abcdef", FALLING[0]))
    lines = [line for line in axes.lines if len(line.get_ydata()) == len(STEPS)]
    assert [line.get_color() for line in lines] == [*THEMES["light"].lines]
    assert len(lines) == KINDS == len(set(DASHES))


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "0 kinds of networks were given; expected 1 to 6"):
        panel({})
    with refuses(ValueError, "Unknown logarithmic 'x'"):
        panel(logarithmic="x")
    with refuses(ValueError, "threshold is nan; expected a finite number"):
        panel(threshold=float("nan"))
    with refuses(ValueError, "steps do not increase"):
        plot_relearning([1, 1], {"fresh": [1, 2]})
    with refuses(ValueError, r"errors\['fresh'\] has shape \(39,\); expected \(40\)"):
        panel({"fresh": FALLING[0, 1:]})
    with refuses(ValueError, "least of steps is 0; expected positive numbers"):
        plot_relearning([0, 1], {"fresh": [1, 2]}, logarithmic="steps")
    with refuses(ValueError, "least of errors and threshold is 0; expected positive"):
        panel({"fresh": 0 * FALLING})


def test_an_error_at_the_threshold_up_to_rounding_has_reached_it():
    errors = {"fresh": torch.tensor([0.3, 0.1, 0.01])}
    assert float(errors["fresh"][1]) > 0.1
    figure = plot_relearning([1, 2, 3], errors, threshold=0.1)
    assert "fresh: 2 steps" in figure.get_label()
    beyond = plot_relearning([1, 2, 3], {"fresh": [0.3, 0.1001, 0.01]}, threshold=0.1)
    assert "fresh: 3 steps" in beyond.get_label()


def test_steps_are_whole():
    with refuses(ValueError, "steps hold 0.25; expected whole numbers. Of epochs"):
        plot_relearning([0.25, 0.5], {"fresh": [1, 2]})


def test_a_single_step_is_a_dot():
    axes = plot_relearning([3], {"fresh": [0.2]}).axes[0]
    assert [dot.get_offsets().tolist() for dot in axes.collections] == [[[3.0, 0.2]]]
