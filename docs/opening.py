"""How the results page opens: what was claimed, what holds, what does not, and three pictures.

Numbers in sentences come from stored files, here and on the page of claims (``claims.py``).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from pathlib import Path
from textwrap import fill

from latent_anchors.evaluation import summarize_ratios

WIDTH = 100

FIGURE = re.compile(r"\{([^|{}]+)\|([^|{}]+)\|(mean|min|max|low|high|n|least|most)(?: ([\d.]+))?\}")
"""A number of a stored file: ``{file|measure|which}``, ``low`` and ``high`` end its interval.

A measure may be one over another, of which the mean is geometric. ``n`` is how many seeds have a
value; ``least 0.9`` and ``most 0.9`` say how many of how many keep a bound.
"""

Digits = Callable[[float, int], str]
"""How a number is written, with so many digits."""

SENTENCES = (
    "**Placed and muted: it holds.** In sixty networks of colors an edit takes red alone: red "
    "turns gray (an error of {mute_red/red|error/muted/red|mean}; .25 is gray), orange errs by "
    "{mute_red/red|error/muted/orange|max} at most. Published edits mute orange, too.",
    "**Deleted from the weights: in part.** To bring red back takes "
    "{relearn_red|relearning/ratio_untaught|mean} times the steps of networks that never learned "
    "it ({relearn_red|relearning/ratio_untaught|low} to "
    "{relearn_red|relearning/ratio_untaught|high}). But whatever else they are taught takes "
    "{relearn_red|relearning/control|mean} times as long as before the cut; the goal was 1.2, and "
    "networks that never learned red take "
    "{relearn_red|relearning/steps/untaught/control over "
    "relearning/steps/original/control|mean} times as long. For a transformer the "
    "two are {oracle_mixing|relearning/ratio_oracle|mean} "
    "({oracle_mixing|relearning/ratio_oracle|low} to "
    "{oracle_mixing|relearning/ratio_oracle|high}) and {oracle_mixing|relearning/control|mean}. "
    "Animals in a language model come back in {words_removed/animal|relearning/ratio|mean} of the "
    "steps of a network that never saw one, and "
    "{words_removed/animal|relearning/ratio_retrained|mean} times those of one that was trained "
    "as long. In pictures red goes {pictures_removed/red|to_gray/removed|mean} of the way to gray, "
    "nine tenths in {pictures_removed/red|to_gray/removed|least 0.9}, and other hues err "
    "{pictures_removed/red|error/removed/far over error/baseline/far|mean} times as much.",
    "**In a language model: for some topics.** Animals, people and plants are forgotten as if "
    "never seen, which is 1: {words/animal|forgetting|mean}, {words/person|forgetting|mean} and "
    "{words/plant|forgetting|mean} in the mean, {words/animal|forgetting|min}, "
    "{words/person|forgetting|min} and {words/plant|forgetting|min} at least. Other topics lose "
    "{words/animal|other|mean}, {words/person|other|mean} and {words/plant|other|mean} nats a "
    "token. Artifacts, forgotten to {words/artifact|forgetting|min} or more, cost them "
    "{words/artifact|other|mean}. Plants and food, which are near animals, lose "
    "{words/animal|adjacent|mean} nats more than if no animal had ever been seen. The goal was "
    ".05; with axes of their own they lose {words_together|adjacent/animal|mean}.",
    "**In pictures: it holds for red and orange.** In each of sixteen networks red places go "
    "{pictures/red|to_gray/muted|min} of the way to gray or more, orange ones "
    "{pictures/orange|to_gray/muted|min}. Shares of {pictures/red|touched/muted/far|max} and "
    "{pictures/orange|touched/muted/far|max} of the places of other hues change. Azure goes "
    "{pictures/azure|to_gray/muted|min} of the way in the worst network, and takes up to "
    "{pictures/azure|touched/muted/far|max} of other hues along; the goals were .9 and .001. The "
    "error of all pictures is {pictures/red|reconstruction/ratio|min} to "
    "{pictures/red|reconstruction/ratio|max} times that of plain networks with three dimensions "
    "fewer; the goal was 1.05 at most.",
    "**Better than what can be done afterwards: not everywhere.** To forget people as if never "
    "seen, the best direction found afterwards costs other topics "
    "{words/person|cost/other/LEACE over cost/other/anchored|mean} times as much as an anchor "
    "({words/person|cost/other/LEACE over cost/other/anchored|low} to "
    "{words/person|cost/other/LEACE over cost/other/anchored|high}, so that five runs do not "
    "settle it); to forget artifacts, "
    "{words/artifact|cost/other/LEACE over cost/other/anchored|mean} times. At .02 nats of "
    "other topics animals are forgotten by "
    "{words_rivals/animal|forgetting_at_0.02/masking (SGTM)|mean} in networks trained with SGTM, "
    "by {words_rivals/animal|forgetting_at_0.02/gradient routing|mean} with gradient routing, and "
    "by {words_rivals/animal|forgetting_at_0.02/anchored|mean} with an anchor; people by "
    "{words_rivals/person|forgetting_at_0.02/masking (SGTM)|mean}, "
    "{words_rivals/person|forgetting_at_0.02/gradient routing|mean} and "
    "{words_rivals/person|forgetting_at_0.02/anchored|mean}. "
    "On colors, found directions come close if they have the same gates. With some ten "
    "labels the anchor removes at least as much as a mean difference in "
    "{compare_methods|wins/a hundredth/mean difference|least 1} networks; with five to none "
    "in {compare_methods|wins/a thousandth/mean difference|least 1}, and with one label in five "
    "wrong in {compare_methods|wins/a hundredth, 20 % wrong/mean difference|least 1}. "
    "In a transformer that mixes colors the axis takes "
    "{compare_mixing|removal/anchor|mean} of the lines with red where two in a hundred of the "
    "others go wrong, the best direction found afterwards {compare_mixing|removal/LEACE|mean}, "
    "fine-tuning {compare_mixing|removal/fine-tuning|mean}, and gradient routing "
    "{compare_mixing_rivals|removal/gradient routing|mean}.",
)

PICTURES = {
    "oracle_mixing": (
        "Steps of fine-tuning against the share of lines with red that are answered wrong: the cut "
        "transformer needs 440, one that never saw red 350, a fresh one 1,420.",
        "Deleted: in the median of nine runs, a transformer that red was cut out of learns it "
        "again no sooner than one that never saw red.",
    ),
    "words-frontier": (
        "Forgetting of animals against the rise of other topics' loss, a line for each method.",
        "Words: forgetting of animals beside what other topics lose, by method.",
    ),
    "compare_methods-0": (
        "Removal of red against the error of other colors, a line for each of eight methods.",
        "Colors: removal of red beside what other colors lose, by method.",
    ),
}
"""By name of the file: the alternative text, and the caption."""


def opening(folder: Path, digits: Digits) -> str:
    """The sentences with their numbers, then the pictures."""
    sentences = [
        fill(f"#. {filled(sentence, folder, digits)}", WIDTH, subsequent_indent="   ")
        for sentence in SENTENCES
    ]
    return "\n".join([*sentences, "", *(picture(name, *said) for name, said in PICTURES.items())])


def filled(sentence: str, folder: Path, digits: Digits) -> str:
    """A sentence with its numbers."""

    def number(found: re.Match[str]) -> str:
        file, measure, which, bound = found.groups()
        stored = stored_measure(folder, file, measure)
        if stored is None:
            return "(not run)"
        if bound is not None:
            return kept(stored["per_seed"], which, float(bound))
        value = value_of(stored, which)
        whole = which == "n" or value == 0
        return f"{value:.0f}" if whole else digits(*outward(value, which))

    return FIGURE.sub(number, sentence)


def outward(value: float, which: str) -> tuple[float, int]:
    """A value and its digits: of a least one rounded down, of a greatest up, as bounds have to."""
    n = 3 if 0.1 <= value < 10 else 2
    exact = Decimal(repr(value))
    last = Decimal(1).scaleb(exact.adjusted() - n + 1)
    ways = {"min": ROUND_FLOOR, "max": ROUND_CEILING}
    return float(exact.quantize(last, ways.get(which, ROUND_HALF_EVEN))), n


def stored_measure(folder: Path, file: str, measure: str) -> Mapping | None:
    """A measure, or one over another; None if the file is not there."""
    path = folder / f"{file}.json"
    return measured(json.loads(path.read_text())["metrics"], measure) if path.exists() else None


def value_of(stored: Mapping, which: str) -> float:
    """Of a stored measure the mean, an end of its interval, and so on."""
    ends = dict(zip(("low", "high"), stored["ci95"] or (), strict=False))
    return {**stored, **ends}[which]


def kept(values: list[float | None], which: str, bound: float) -> str:
    """How many of how many seeds keep a bound; what does not exist does not."""
    there = [value for value in values if value is not None]
    keep = [value >= bound if which == "least" else value <= bound for value in there]
    return f"{sum(keep)} of {len(values)}"


def measured(metrics: Mapping[str, Mapping], measure: str) -> Mapping:
    """A stored measure, or one over another."""
    if " over " not in measure:
        return metrics[measure]
    return asdict(summarize_ratios(quotients(metrics, *measure.split(" over "))))


def quotients(metrics: Mapping[str, Mapping], measure: str, over: str) -> list[float | None]:
    """One measure divided by another, seed by seed; None where there is nothing to divide by."""
    pairs = zip(metrics[measure]["per_seed"], metrics[over]["per_seed"], strict=True)
    return [value / by if value is not None and by else None for value, by in pairs]


def picture(name: str, seen: str, caption: str) -> str:
    """A figure for light pages and one for dark pages."""
    return "\n".join(
        f".. figure:: images/{name}{'_dark' if page == 'dark' else ''}.png\n"
        f"   :figclass: only-{page}\n   :alt: {seen}\n\n   {caption}\n"
        for page in ("light", "dark")
    )
