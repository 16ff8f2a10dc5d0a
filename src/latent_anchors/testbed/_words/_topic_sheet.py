"""The schedule by which the language model of the examples learns a topic's place."""


def topic_sheet(steps: int, pull: float = 0.04) -> str:
    """A dope sheet: the pull to the axis, and all lines kept off it, which fade as training ends.

    The values are those that did best on the topic *food* with seeds from 500. What keeps all lines
    off the axis holds those of the topic back, too: where half of them have it, it takes more pull.

    Args:
        steps: Of the training, from 15 on.
        pull: Weight of labeled lines, at most; a quarter of it is left at the end.

    Examples:
        >>> print(topic_sheet(1500))
        STEP, lr,   task, anchor, away
        0,    1e-5, 1,    0,      0
        100,  2e-3, ,     0.04,   0.15
        500,  2e-3, ,     0.04,   0.15
        1500, 5e-5, ,     0.01,   0.04
        <BLANKLINE>
    """
    return f"""\
STEP, lr,   task, anchor, away
0,    1e-5, 1,    0,      0
{f"{steps // 15},":<6}2e-3, ,     {f"{pull:g},":<8}0.15
{f"{steps // 3},":<6}2e-3, ,     {f"{pull:g},":<8}0.15
{f"{steps},":<6}5e-5, ,     {f"{pull / 4:g},":<8}0.04
"""
