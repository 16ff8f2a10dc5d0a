import numpy as np
from refusals import refuses

from latent_anchors.evaluation import DoseResponse, summarize
from latent_anchors.viz import plot_dose_response

STRENGTHS = (0.0, 0.5, 1.0)
EFFECT = [[0.9, 0.8], [0.5, 0.4], [0.1, None]]
ELSEWHERE = [[0.9, 0.9], [0.9, 0.8], [0.8, 0.7]]
MOVED = [[0.0, 0.0], [0.2, 0.2], [0.3, 0.3]]


def response(collateral=ELSEWHERE):
    effect, other, moved = (tuple(map(summarize, rows)) for rows in (EFFECT, collateral, MOVED))
    return DoseResponse(STRENGTHS, moved, effect, other or None, ((), (), (1,)))


def means(axes):
    return axes.lines[2].get_ydata().tolist()


def test_each_panel_has_the_means_of_its_measure_against_the_strength():
    figure = plot_dose_response(response(), effect="red", collateral="others")
    assert [axes.get_title() for axes in figure.axes] == ["red", "others", "realized displacement"]
    for axes, rows in zip(figure.axes, (EFFECT, ELSEWHERE, MOVED), strict=True):
        np.testing.assert_allclose(means(axes), [summarize(row).mean for row in rows])
        assert axes.lines[2].get_xdata().tolist() == [*STRENGTHS]
    assert len(plot_dose_response(response([])).axes) == 2


def test_what_was_asked_for_goes_on_straight_where_the_displacement_saturates():
    axes = plot_dose_response(response()).axes[-1]
    assert axes.lines[-1].get_ydata().tolist() == [0.0, 0.4]
    assert means(axes)[-1] < 0.4 < axes.get_ylim()[1]


def test_effect_and_collateral_have_one_scale_if_asked_for():
    apart, alike = (plot_dose_response(response(), alike=on).axes for on in (False, True))
    assert alike[0].get_ylim() == alike[1].get_ylim()
    assert apart[2].get_ylim() == alike[2].get_ylim()


def test_measures_of_one_name_are_refused():
    with refuses(ValueError, "The measures are called 'red' and 'red'; expected different names"):
        plot_dose_response(response(), effect="red", collateral="red")
