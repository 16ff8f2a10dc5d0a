"""The schedule by which the language model of the examples learns a topic's place."""


def topic_sheet(steps: int) -> str:
    """A dope sheet: the pull to the axis, and all lines kept off it, which fade as training ends.

    The values are those that did best on the topic *food* with seeds from 500.

    Args:
        steps: Of the training, from 15 on.

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
{f"{steps // 15},":<6}2e-3, ,     0.04,   0.15
{f"{steps // 3},":<6}2e-3, ,     0.04,   0.15
{f"{steps},":<6}5e-5, ,     0.01,   0.04
"""
