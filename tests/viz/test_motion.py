import numpy as np
import pytest
import torch
from refusals import refuses

from latent_anchors.colorspace import rgb_grid
from latent_anchors.viz import Motion, animate_latents

COLORS = rgb_grid(2)
STEPS = [10, 20, 40, 100]
FRAMES = torch.rand(4, 8, 4, generator=torch.Generator().manual_seed(0)) - 0.5


def moving(**options: object) -> Motion:
    motion = animate_latents(**{"frames": FRAMES, "colors": COLORS, "steps": STEPS} | options)
    motion.figure.canvas.draw()
    return motion


@pytest.mark.parametrize("k", range(4))
def test_each_frame_shows_its_latents_in_their_colors_the_deepest_first(k: int):
    motion = moving(views=[(1, 0, 2), (3, 2, 1)])
    motion.show(k)
    for axes, (right, up, toward) in zip(motion.figure.axes, [(1, 0, 2), (3, 2, 1)], strict=False):
        (points,) = axes.collections
        order = FRAMES[k, :, toward].argsort(stable=True)
        expected = FRAMES[k][order][:, [right, up]]
        np.testing.assert_allclose(points.get_offsets(), expected, rtol=1e-6)
        np.testing.assert_allclose(points.get_facecolors()[:, :3], COLORS[order])


def test_the_bar_grows_with_the_step_that_stands_above_it():
    motion = moving()
    for k, step in enumerate(STEPS):
        motion.show(k)
        (bar,), (words,) = motion.figure.axes[-1].lines, motion.figure.axes[-1].texts
        assert [*bar.get_xdata()] == [10, step]
        assert words.get_text() == f"step {step}"
        assert words.get_position()[0] == 0.5  # of the width, the words' middle
        assert words.get_ha() == "center"
    assert motion.figure.axes[-1].get_xlim() == (10, 100)


def test_what_does_not_move_stands_still():
    motion = moving(frames=FRAMES * torch.tensor([1.0, 5.0, 2.0, 1.0])[:, None, None])

    def frame(k: int) -> tuple:
        motion.show(k)
        motion.figure.canvas.draw()
        axes = motion.figure.axes[0]
        return axes.get_xlim(), axes.get_position().bounds

    assert len({frame(k) for k in range(4)}) == 1
    assert frame(0)[0][1] > 5 * FRAMES[1, :, :2].abs().max()


def test_frames_share_the_seconds():
    assert (moving(seconds=3.0).frames, moving(seconds=3.0).seconds) == (4, 3.0)


def test_a_single_frame_can_be_shown():
    assert moving(frames=FRAMES[:1], steps=[0]).figure.axes[-1].get_xlim() == (0, 1)


def test_what_does_not_fit_is_refused():
    with refuses(ValueError, r"frames has shape \(4, 8, 4\); expected \(frames, 7, dim\)"):
        moving(colors=COLORS[1:])
    with refuses(ValueError, r"steps has shape \(3,\); expected \(4\)"):
        moving(steps=STEPS[1:])
    with refuses(ValueError, "steps do not increase"):
        moving(steps=[10, 20, 20, 30])
    with refuses(ValueError, r"View \(1, 0, 4\) does not fit"):
        moving(views=[(1, 0, 4)])
    with refuses(ValueError, "number of views is 0"):
        moving(views=[])
    with refuses(ValueError, r"seconds is 0.01; expected a number from 0.08 to 240"):
        moving(seconds=0.01)
