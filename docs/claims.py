"""The page of claims: what is claimed, whether it holds, and what was observed.

Whether a claim holds follows from its goals and the stored files: all are reached, some, or none.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from opening import Digits, filled, stored_measure, value_of
from tables import SECTIONS

TOPICS = ("animal", "person", "plant", "artifact")
SIX = ("red", "yellow", "green", "cyan", "blue", "magenta")


@dataclass(frozen=True)
class Goal:
    """A bound that a number of a stored file has to keep.

    Attributes:
        figure: ``file|measure|which``, as in sentences.
        least: The number is to be no less.
        most: The number is to be no greater.
    """

    figure: str
    least: float = float("-inf")
    most: float = float("inf")

    def is_reached(self, folder: Path) -> bool | None:
        """None if it was not measured; what has no value, in a run that counts, keeps no bound."""
        file, measure, which = self.figure.split("|")
        stored = stored_measure(folder, file, measure)
        if stored is None:
            return None
        value = value_of(stored, which)
        whole = which == "n" or None not in stored["per_seed"]
        return whole and value is not None and self.least <= value <= self.most


@dataclass(frozen=True)
class Claim:
    """What is claimed, what was observed, where it is shown, and when it holds."""

    what: str
    file: str
    observed: str
    goals: tuple[Goal, ...]

    def state(self, folder: Path) -> str:
        """Whether it holds: by all goals, by some, by none."""
        reached = [goal.is_reached(folder) for goal in self.goals]
        if None in reached:
            return "not measured"
        return "holds" if all(reached) else "holds in part" if any(reached) else "does not hold"


CLAIMS = (
    Claim(
        "A concept lies where it was put",
        "mute_red/red",
        "Colors: red's cosine with its axis is {mute_red/red|alignment/red|min} or more in all of "
        "{mute_red/red|alignment/red|n} networks.",
        (
            Goal("mute_red/red|alignment/red|min", least=0.9),
            Goal("mute_red/red|crumpled|max", most=0),
        ),
    ),
    Claim(
        "A few noisy labels are enough",
        "sparse_labels",
        "Of {sparse_labels|crumpled/0.25|n} networks with some "
        "{sparse_labels|labels/red/0.25|mean} labels of red all keep hues in order; with some "
        "{sparse_labels|labels/red/0.0625|mean} it is {sparse_labels|crumpled/0.0625|most 0}.",
        (
            Goal("sparse_labels|crumpled/0.25|max", most=0),
            Goal("sparse_labels|crumpled/0.0625|max", most=0),
        ),
    ),
    Claim(
        "The same: a topic in a language model",
        "words_wrong/animal",
        "With one line in ten labeled, and one label in twenty on a line about something else, "
        "animals are forgotten by {words_wrong/animal|forgetting_at_0.02/anchored|min} or more at "
        ".02 nats of other topics, in {words_wrong/animal|forgetting_at_0.02/anchored|n} networks.",
        (Goal("words_wrong/animal|forgetting_at_0.02/anchored|min", least=0.8),),
    ),
    Claim(
        "A smooth schedule keeps the color wheel whole",
        "smooth_curriculum",
        "Whole at the end: {smooth_curriculum|crumpled/captured/end|most 0} networks. In abrupt "
        "phases without anchors: {curriculum_learning|crumpled/end|most 0}.",
        (
            Goal("smooth_curriculum|crumpled/captured/end|mean", most=0.05),
            Goal("smooth_curriculum|crumpled/given/end|mean", most=0.05),
        ),
    ),
    Claim(
        "Muting takes the concept alone: colors",
        "mute_red/red",
        "Red becomes gray; hues 30 degrees away or more err by "
        "{mute_red/red|error/muted/far|max} at most.",
        (
            Goal("mute_red/red|error/muted/red|min", least=0.2),
            Goal("mute_red/red|error/muted/orange|max", most=0.01),
            Goal("mute_red/red|error/muted/far|max", most=0.01),
            Goal("mute_red/red|error/muted/grays|max", most=0.01),
        ),
    ),
    Claim(
        "The same: a transformer that mixes colors",
        "color_mixing",
        "Right are at most {color_mixing|exact_match/muted/red_seen|max} of the lines with much "
        "red, and at least {color_mixing|exact_match/muted/without_red|min} of those without. "
        "Errors grow with redness in {color_mixing|falls/muted|least 1} networks.",
        (
            Goal("color_mixing|exact_match/muted/red_seen|max", most=0.02),
            Goal("color_mixing|exact_match/muted/without_red|min", least=0.995),
            Goal("color_mixing|falls/muted|min", least=1),
        ),
    ),
    Claim(
        "The same: six concepts in one network",
        "many_concepts",
        "Each of six colors is muted alone in all of {many_concepts|exact_match/six/held_out|n} "
        "networks.",
        tuple(
            goal
            for name in SIX
            for goal in (
                Goal(f"many_concepts|exact_match/six/{name}_muted|max", most=0.05),
                Goal(f"many_concepts|retention/six/without_{name}|min", least=0.98),
            )
        ),
    ),
    Claim(
        "The same: pictures",
        "pictures/red",
        "Places become gray, nine tenths of the way: of red in "
        "{pictures/red|to_gray/muted|least 0.9}, of orange in "
        "{pictures/orange|to_gray/muted|least 0.9}, of azure in "
        "{pictures/azure|to_gray/muted|least 0.9}. Others stay, but for one in a thousand: in "
        "{pictures/red|touched/muted/far|most 0.001}, {pictures/orange|touched/muted/far|most "
        "0.001} and {pictures/azure|touched/muted/far|most 0.001}. All errors are at most "
        "{pictures/red|reconstruction/ratio|max}, {pictures/orange|reconstruction/ratio|max} and "
        "{pictures/azure|reconstruction/ratio|max} times those of plain networks with three "
        "dimensions fewer.",
        (
            *(
                goal
                for hue in ("red", "azure", "orange")
                for goal in (
                    Goal(f"pictures/{hue}|to_gray/muted|min", least=0.9),
                    Goal(f"pictures/{hue}|touched/muted/far|max", most=0.001),
                    Goal(f"pictures/{hue}|reconstruction/ratio|max", most=1.05),
                )
            ),
        ),
    ),
    Claim(
        "The same: topics in a small language model",
        "words/animal",
        "Forgetting, where 1 is as if never seen: animals {words/animal|forgetting|mean}, people "
        "{words/person|forgetting|mean}, plants {words/plant|forgetting|mean}, artifacts "
        "{words/artifact|forgetting|mean}, which cost other topics {words/artifact|other|mean} "
        "nats. Nine tenths of animals are forgotten in {words/animal|forgetting|least 0.9}, after "
        "twice the steps in {words_longer/animal|forgetting|least 0.9}. Adjacent topics lose "
        "{words/animal|adjacent|max} nats above the oracle at most, and "
        "{words_longer/animal|adjacent|max} after twice the steps; for "
        "people and plants, forgotten as if never seen, {words/person|cost/adjacent/anchored|max} "
        "and {words/plant|cost/adjacent/anchored|max} above the network itself. The goal was .05.",
        (
            *(
                goal
                for topic in TOPICS
                for goal in (
                    Goal(f"words/{topic}|forgetting|mean", least=1),
                    Goal(f"words/{topic}|forgetting|min", least=0.9),
                    Goal(f"words/{topic}|other|mean", most=0.003),
                    Goal(f"words/{topic}|price|max", most=0.01),
                )
            ),
            Goal("words/animal|adjacent|max", most=0.05),
            Goal("words_longer/animal|forgetting|min", least=0.9),
            Goal("words_longer/animal|adjacent|max", most=0.05),
            *(
                Goal(f"words/{topic}|cost/adjacent/anchored|max", most=0.05)
                for topic in ("person", "plant")
            ),
        ),
    ),
    Claim(
        "The same: five topics in one language model",
        "words_together",
        "Of animals {words_together|forgetting/animal|min} is forgotten or more, of food "
        "{words_together|forgetting/food|min}, of people {words_together|forgetting/person|min}, "
        "of plants {words_together|forgetting/plant|min}, of artifacts "
        "{words_together|forgetting/artifact|min}. Artifacts cost other "
        "topics {words_together|other/artifact|mean} nats; the goal was .02.",
        tuple(
            goal
            for topic in ("animal", "food", "person", "plant", "artifact")
            for goal in (
                Goal(f"words_together|forgetting/{topic}|min", least=0.9),
                Goal(f"words_together|other/{topic}|mean", most=0.02),
            )
        ),
    ),
    Claim(
        "The same: a whole language, German",
        "words/german",
        "{words/german|forgetting|mean} is forgotten in the mean, {words/german|forgetting|min} "
        "at least; English loses {words/german|other|mean} nats. The price of the anchor is "
        "{words/german|price|mean}; the goal was .01.",
        (
            Goal("words/german|forgetting|mean", least=1),
            Goal("words/german|other|mean", most=0.003),
            Goal("words/german|price|mean", most=0.01),
        ),
    ),
    Claim(
        "It can be cut out of the weights: colors",
        "delete_red/red",
        "Red errs by {delete_red/red|error/removed/red|min} or more, cyan by "
        "{delete_red/red|error/removed/cyan|max} at most.",
        (
            Goal("delete_red/red|error/removed/red|min", least=0.2),
            Goal("delete_red/red|error/removed/cyan|max", most=0.005),
            Goal("delete_red/red|error/removed/grays|max", most=0.005),
        ),
    ),
    Claim(
        "The same: pictures",
        "pictures_removed/red",
        "{pictures_removed/red|to_gray/removed|mean} of the way to gray, nine tenths in "
        "{pictures_removed/red|to_gray/removed|least 0.9}; and other hues err "
        "{pictures_removed/red|error/removed/far over error/baseline/far|mean} times as much.",
        (
            Goal("pictures_removed/red|to_gray/removed|min", least=0.9),
            Goal("pictures_removed/red|error/removed/far over error/baseline/far|mean", most=1.05),
        ),
    ),
    Claim(
        "The same: a topic of a language model",
        "words_removed/animal",
        "Of animals {words_removed/animal|forgetting/removed|min} is forgotten or more, where 1 is "
        "as if never seen. The loss of other topics changes by "
        "{words_removed/animal|other/removed|mean} nats, and by "
        "{words_removed/animal|other/above control|mean} beside a network trained as long on all. "
        "Adjacent topics lose {words_removed/animal|adjacent/removed|mean} more than with the "
        "oracle.",
        (
            Goal("words_removed/animal|forgetting/removed|min", least=0.9),
            Goal("words_removed/animal|other/removed|mean", most=0.02),
            Goal("words_removed/animal|other/above control|mean", most=0.02),
        ),
    ),
    Claim(
        "What was cut is as hard to learn as if new: colors",
        "relearn_red",
        "{relearn_red|relearning/ratio_untaught|mean} times the steps of networks that never saw "
        "red. Anything else takes {relearn_red|relearning/control|mean} times as long as before "
        "the cut; the goal was 1.2, and networks that never saw red need more.",
        (
            Goal("relearn_red|relearning/ratio_untaught|mean", least=1),
            Goal("relearn_red|relearning/control|mean", most=1.2),
        ),
    ),
    Claim(
        "The same: a transformer that mixes colors",
        "oracle_mixing",
        "{oracle_mixing|relearning/ratio_oracle|mean} times the steps, and for anything else "
        "{oracle_mixing|relearning/control|mean} times, in "
        "{oracle_mixing|relearning/ratio_oracle|n} runs under one attack of twelve. Trained again "
        "on lines without red, "
        "{oracle_mixing_attacks|relearning/after/500/edited/none/all|min} or more of the lines "
        "with red stay wrong in "
        "{oracle_mixing_attacks|relearning/after/500/edited/none/all|n} networks; in those that "
        "never saw red, {oracle_mixing_attacks|relearning/after/500/oracle/none/all|min}.",
        (
            Goal("oracle_mixing|relearning/ratio_oracle|mean", least=1),
            Goal("oracle_mixing|relearning/control|mean", most=1.1),
            Goal("oracle_mixing|relearning/ratio_oracle|n", least=9),
        ),
    ),
    Claim(
        "The same: a topic in a language model",
        "words_removed/animal",
        "Steps to bring animals back, over those of a network that never saw one: "
        "{words_removed/animal|relearning/ratio|mean} "
        "({words_removed/animal|relearning/ratio|low} to "
        "{words_removed/animal|relearning/ratio|high}). Over those of one that was damaged and "
        "trained as long: {words_removed/animal|relearning/ratio_retrained|mean} "
        "({words_removed/animal|relearning/ratio_retrained|low} to "
        "{words_removed/animal|relearning/ratio_retrained|high}).",
        (
            Goal("words_removed/animal|relearning/ratio|mean", least=1),
            Goal("words_removed/animal|relearning/ratio_retrained|mean", least=1),
        ),
    ),
    Claim(
        "It costs a tenth of directions found afterwards: topics",
        "words/animal",
        "To forget a topic, a mean difference costs adjacent topics "
        "{words/animal|cost/adjacent/mean difference over cost/adjacent/anchored|mean} times as "
        "much for animals, "
        "{words/person|cost/adjacent/mean difference over cost/adjacent/anchored|mean} for people, "
        "{words/plant|cost/adjacent/mean difference over cost/adjacent/anchored|mean} for plants, "
        "{words/artifact|cost/adjacent/mean difference over cost/adjacent/anchored|mean} for "
        "artifacts. LEACE, which never forgets animals, costs "
        "{words/person|cost/adjacent/LEACE over cost/adjacent/anchored|mean} times as much for "
        "people, {words/plant|cost/adjacent/LEACE over cost/adjacent/anchored|mean} for plants and "
        "{words/artifact|cost/adjacent/LEACE over cost/adjacent/anchored|mean} for artifacts.",
        tuple(
            Goal(f"words/{topic}|cost/adjacent/{rival} over cost/adjacent/anchored|mean", least=10)
            for topic in TOPICS
            for rival in ("mean difference", "logistic probe", "LEACE")
            if (topic, rival) != ("animal", "LEACE")  # it has no cost at which it does
        ),
    ),
    Claim(
        "It removes more than networks trained for it: topics",
        "words_rivals/animal",
        "Where other topics lose .02 nats at most, animals are forgotten by "
        "{words_rivals/animal|forgetting_at_0.02/anchored|mean} with an anchor, by "
        "{words_rivals/animal|forgetting_at_0.02/masking (SGTM)|mean} in networks of SGTM and by "
        "{words_rivals/animal|forgetting_at_0.02/gradient routing|mean} in those of gradient "
        "routing; people by {words_rivals/person|forgetting_at_0.02/anchored|mean}, "
        "{words_rivals/person|forgetting_at_0.02/masking (SGTM)|mean} and "
        "{words_rivals/person|forgetting_at_0.02/gradient routing|mean}. Of each there are "
        "{words_rivals/animal|forgetting_at_0.02/anchored|n} and "
        "{words_rivals/person|forgetting_at_0.02/anchored|n} networks; the anchor is to win in all "
        "of 10.",
        tuple(
            goal
            for topic in ("animal", "person")
            for at in (f"words_rivals/{topic}|forgetting_at_0.02",)
            for goal in (
                Goal(f"{at}/anchored over forgetting_at_0.02/gradient routing|min", least=1),
                Goal(f"{at}/anchored over forgetting_at_0.02/masking (SGTM)|min", least=1),
                Goal(f"{at}/anchored|n", least=5),
            )
        ),
    ),
    Claim(
        "The same: a transformer that mixes colors",
        "compare_mixing_rivals",
        "Where two in a hundred of the other lines go wrong, "
        "{compare_mixing_rivals|removal/anchor|mean} of the lines with red do, and after gradient "
        "routing {compare_mixing_rivals|removal/gradient routing|mean}. Networks of SGTM answer "
        "{compare_mixing_rivals|wrong/masking (SGTM)|mean} of the other lines wrong before "
        "anything is removed. The anchor removes at least as much as either in "
        "{compare_mixing_rivals|wins/gradient routing|least 1} and "
        "{compare_mixing_rivals|wins/masking (SGTM)|least 1} networks.",
        tuple(
            goal
            for rival in ("gradient routing", "masking (SGTM)")
            for goal in (
                Goal(f"compare_mixing_rivals|wins/{rival}|mean", least=1),
                Goal(f"compare_mixing_rivals|wins/{rival}|n", least=9),
            )
        ),
    ),
    Claim(
        "It removes more than directions found afterwards: colors",
        "compare_methods",
        "At a hundredth of the labels it removes at least as much as a mean difference in "
        "{compare_methods|wins/a hundredth/mean difference|least 1} networks, as a probe in "
        "{compare_methods|wins/a hundredth/probe|least 1}; with five to none, in "
        "{compare_methods|wins/a thousandth/mean difference|least 1} and "
        "{compare_methods|wins/a thousandth/probe|least 1}. The goal was 57 of 60.",
        (
            *(
                Goal(f"compare_methods|wins/a hundredth/{rival}|mean", least=0.95)
                for rival in ("mean difference", "probe", "LEACE")
            ),
            Goal("compare_methods|wins/a hundredth/LEACE|n", least=60),
        ),
    ),
    Claim(
        "The same: a transformer that mixes colors",
        "compare_mixing",
        "Where two in a hundred of the other lines go wrong, {compare_mixing|removal/anchor|mean} "
        "of the lines with red do; with a mean difference "
        "{compare_mixing|removal/mean difference|mean}, with a probe "
        "{compare_mixing|removal/probe|mean}, along the direction of LEACE "
        "{compare_mixing|removal/LEACE|mean}, after fine-tuning "
        "{compare_mixing|removal/fine-tuning|mean}. The axis removes at least as much as a mean "
        "difference in {compare_mixing|wins/mean difference|least 1} networks, as a probe in "
        "{compare_mixing|wins/probe|least 1}, as LEACE in {compare_mixing|wins/LEACE|least 1}, as "
        "fine-tuning in {compare_mixing|wins/fine-tuning|least 1}. With one label in a hundred the "
        "axis takes {compare_mixing_labels|removal/anchor|mean} of them, LEACE "
        "{compare_mixing_labels|removal/LEACE|mean}; it removes at least as much in "
        "{compare_mixing_labels|wins/LEACE|least 1}, as a mean difference in "
        "{compare_mixing_labels|wins/mean difference|least 1}.",
        tuple(
            goal
            for rival in ("mean difference", "probe", "LEACE", "fine-tuning")
            for goal in (
                Goal(f"compare_mixing|wins/{rival}|mean", least=1),
                Goal(f"compare_mixing|wins/{rival}|n", least=9),
                Goal(f"compare_mixing_labels|wins/{rival}|mean", least=1),
            )
        ),
    ),
)

HEAD = """\
Status
======

What this library claims, and how far it holds. Every claim has goals, in ``docs/claims.py``: it
holds if all of them are reached, and in part if some are. States and numbers come from the stored
runs. A claim leads to its table among the :doc:`results`, with intervals and rivals.
"""

TAIL = """
Not tried yet: language models that people use (the largest here has three blocks), concepts that
no word names and that have to be inferred, and a removal that others attack in ways of their
choice. What it costs in time is in :doc:`guide/how_fast`.
"""


def page(folder: Path, digits: Digits) -> str:
    """The whole page."""
    rows = [row(claim, folder, digits) for claim in CLAIMS]
    options = ["   :header-rows: 1", "   :widths: 30 14 56", "   :class: claims", ""]
    heads = ["   * - claim", "     - state", "     - observed"]
    return "\n".join([HEAD, ".. list-table::", *options, *heads, *rows, TAIL])


def row(claim: Claim, folder: Path, digits: Digits) -> str:
    """A claim, which leads to its table, its state, and what was observed."""
    cells = (
        f"`{claim.what} <results.html#{place(claim.file)}>`__",
        claim.state(folder),
        filled(claim.observed, folder, digits),
    )
    return "\n".join(f"   {'* -' if k == 0 else '  -'} {cell}" for k, cell in enumerate(cells))


def place(file: str) -> str:
    """Where the results page has the table of a file."""
    title = next(section.title for section in SECTIONS if section.file == file)
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
