"""What came out, in a sentence for each example and guide; numbers come from stored files."""

OUTCOMES = {
    "color_data": "In HSV a band of hues can be held out as it stands; nothing is trained here.",
    "mlp_bottleneck": "Hues shown lie in order in {mlp_bottleneck|disordered/shown|most 0} "
    "networks; where a band was held out, {mlp_bottleneck|gap/band|mean} degrees stay open.",
    "curriculum_learning": "A wheel is whole at the end in "
    "{curriculum_learning|crumpled/end|most 0} networks, and has drifted on the way in "
    "{curriculum_learning|drifted/ever|least 1}.",
    "parameter_transitions": "Values arrive without a jump, also when the target changes on the "
    "way; nothing is trained here.",
    "smooth_curriculum": "A wheel is whole at the end in "
    "{smooth_curriculum|crumpled/captured/end|most 0} networks if its hues are captured, in "
    "{smooth_curriculum|crumpled/given/end|most 0} if they are given.",
    "sparse_labels": "With some {sparse_labels|labels/red/0.25|mean} labels of red hues are in "
    "order in {sparse_labels|crumpled/0.25|most 0} networks, with some "
    "{sparse_labels|labels/red/0.0625|mean} in {sparse_labels|crumpled/0.0625|most 0}.",
    "regularizer_combinations": "Damage follows similarity with an r2 of "
    "{regularizer_combinations|selectivity_r2/muted/separate+anchor|mean} for the anchor and "
    "separation, of {regularizer_combinations|selectivity_r2/muted/anchor|mean} for the anchor "
    "alone.",
    "anchor_red": "Muted, red errs by {anchor_red/red|error/muted/red|mean}, where .25 is gray, "
    "and cyan by {anchor_red/red|error/muted/cyan|mean}.",
    "mute_red": "Red turns gray in {mute_red/red|error/muted/red|least 0.2} networks, and orange "
    "errs by {mute_red/red|error/muted/orange|max} at most.",
    "delete_red": "Deleted, red errs by {delete_red/red|error/removed/red|mean}, where .25 is "
    "gray, and cyan by {delete_red/red|error/removed/cyan|max} at most.",
    "delete_hue": "The more vivid a color, the more it loses (r2 "
    "{delete_hue|vibrancy_r2/removed|mean}); grays err by {delete_hue|error/removed/grays|max} at "
    "most.",
    "relearn_red": "Red takes {relearn_red|relearning/ratio_untaught|mean} times the steps of "
    "networks that never saw it. Anything else takes {relearn_red|relearning/control|mean} times "
    "as long as before the cut.",
    "pictures": "Red places go {pictures/red|to_gray/muted|mean} of the way to gray; all errors "
    "are {pictures/red|reconstruction/ratio|mean} times those of plain networks with three "
    "dimensions fewer.",
    "faces": "In pictures that the networks never saw, {faces|touched/muted/face|mean} of the "
    "places of faces change, of other colored places {faces|touched/muted/other|mean}.",
    "compare_methods": "With some ten labels the anchor removes "
    "{compare_methods|removal/a hundredth/anchor|mean} of red, a mean difference "
    "{compare_methods|removal/a hundredth/mean difference|mean}; with one to five "
    "{compare_methods|removal/a thousandth/anchor|mean} and "
    "{compare_methods|removal/a thousandth/mean difference|mean}.",
    "color_mixing": "Muted, hardly a line with red is right in "
    "{color_mixing|exact_match/muted/red_seen|most 0.02} networks; of those without red "
    "{color_mixing|exact_match/muted/without_red|mean} are.",
    "compare_mixing": "Where two in a hundred of the other lines go wrong, the axis takes "
    "{compare_mixing|removal/anchor|mean} of those with red, the best direction found "
    "afterwards {compare_mixing|removal/LEACE|mean}, and fine-tuning "
    "{compare_mixing|removal/fine-tuning|mean}.",
    "many_concepts": "With red muted among six colors, hardly a line with it is right in "
    "{many_concepts|exact_match/six/red_muted|most 0.02} networks; of the others "
    "{many_concepts|retention/six/without_red|mean} stay.",
    "anchor_operation": "With minus muted, {anchor_operation|exact_match/minus/muted/all|mean} of "
    "the lines with minus are right, and {anchor_operation|exact_match/plus/muted/all|mean} of "
    "those with plus.",
    "relearn_mixing": "After the cut, red is back in {relearn_mixing|relearning/ratio|mean} of the "
    "steps of fresh networks, which have all else to learn, too.",
    "oracle_mixing": "Red takes {oracle_mixing|relearning/ratio_oracle|mean} times the steps of a "
    "network that never saw it. Anything else takes {oracle_mixing|relearning/control|mean} times "
    "as long as before the cut.",
    "words": "Muted, animals are forgotten by {words/animal|forgetting|mean}, where 1 is as if "
    "never seen; other topics lose {words/animal|other|mean} nats a token.",
    "words_together": "Forgetting, where 1 is as if never seen: animals "
    "{words_together|forgetting/animal|mean}, food {words_together|forgetting/food|mean}, people "
    "{words_together|forgetting/person|mean}. Artifacts cost other topics "
    "{words_together|other/artifact|mean} nats.",
    "words_removed": "Steps to bring animals back, over those of a network that never saw one: "
    "{words_removed/animal|relearning/ratio|mean}; of one that was trained as long, "
    "{words_removed/animal|relearning/ratio_retrained|mean}.",
    "quickstart": "A concept on the axis that you chose, scored, muted and removed, in a model of "
    "your own.",
    "anchor_a_concept": "A margin about twice as wide as that of a direction found afterwards, "
    "and the same direction in every run.",
    "write_a_curriculum": "A table of weights and rates, drawn before anything is trained.",
    "write_a_penalty": "A penalty that keeps the promises which the checker tries.",
    "write_an_edit": "An edit that changes nothing where it should not, to the last bit.",
    "write_a_baseline": "Two methods of your own, measured beside one that is there.",
    "write_an_adapter": "Thirty lines that take the same steps at once and in micro-batches.",
    "intervene_and_cut": "Red without its direction, for the length of a block and for good.",
    "prevent_a_concept": "A model that learns the answers, and less of the trait that came with "
    "them.",
    "read_the_figures": "What to look for in every figure.",
    "how_fast": "What terms, edits and many seeds cost, as ratios to plain PyTorch.",
}
"""By the name of the script."""
