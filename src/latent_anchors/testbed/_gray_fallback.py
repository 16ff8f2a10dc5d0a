"""What the mixing transformers learn to answer without red, and when: gray, late in training."""

import torch

from latent_anchors._sites import At
from latent_anchors.interventions import Redirection
from latent_anchors.testbed._mixing._answers import PROMPT
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.training import EditedOutputLoss, TokenCrossEntropy


def fallback_sheet(steps: int, rate: float) -> str:
    """The dope sheet of a transformer with red on an axis and gray as the answer without it.

    Args:
        steps: Number of the last step, a multiple of ten.
        rate: Greatest learning rate.

    Examples:
        >>> from latent_anchors.curriculum import read_dopesheet
        >>> timeline = read_dopesheet(fallback_sheet(600, 0.02)).timeline()
        >>> timeline(240)["fallback"], timeline(420)["fallback"]
        (0.0, 0.02)
    """
    return f"""\
STEP,           lr,   tokens, anchor, away,  apart, signs, fallback
0,              1e-4, 1,      0.06,   0.072, 0.018, 0.15,  0
{steps // 10},   {rate}, ,       ,       ,      ,      ,
{steps * 4 // 10}, ,   ,       ,       ,      ,      ,      0
{steps * 7 // 10}, ,   ,       ,       0.068, 0.0034, ,     0.02
{steps},         1e-4, ,       ,       ,      ,      ,
"""


def gray_fallback(language: MixingLanguage, mute: Redirection, at: At) -> EditedOutputLoss:
    """Labeled lines answer gray while red is muted.

    Args:
        language: Whose token gray is.
        mute: The edit that takes red away.
        at: The site of the edit.

    Examples:
        >>> from latent_anchors.testbed import away_from
        >>> mute = away_from(torch.eye(8)[0], degrees=70)
        >>> gray_fallback(MixingLanguage(levels=3), mute, at="embedding").label
        'red'
    """
    answer = TokenCrossEntropy(position=PROMPT)
    gray = torch.tensor(language.token("gray"))
    return EditedOutputLoss(mute, say=gray, label="red", at=at, error=answer)
