"""How fast is it?
===============

People sweep hundreds of tiny networks, and add penalties to large ones. Both should cost little.
Everything here was measured side by side with plain PyTorch in one process, interleaved, on one
thread of a processor, medians over rounds: ratios, since machines differ. ``nox -s bench`` measures
it again.
"""

# %%
# Many seeds for the price of a few
# ---------------------------------
# The yardstick is the anchored recipe of ``anchor_red.py`` written as a plain loop for one seed,
# with draws made up front and a fused optimizer: as fast as we could write it with stock parts. It
# does in 1.2 seconds what the published code did in 7.5 to 8.2, on one machine.

import json
from pathlib import Path

import matplotlib.pyplot as plt

stored = json.loads(Path("../benchmarks.json").read_text())
whole = stored["test_sixty_seeds_cost_at_most_four_plain_loops_and_one_costs_one"]
print(f"one seed:    {whole['one']:.2f} plain loops")
print(f"sixty seeds: {whole['sixty']:.2f} plain loops")

# %%
# Of a step of sixty runs, matrix products, GELU and the power of separation take 62 % (by torch's
# profiler): the arithmetic alone would need about 1.7 plain loops. What is left is launching 190
# operations and what lies between them.
#
# All runs are one stack of tensors. A step is traced once, so that Python stands no longer between
# operations; what changes nothing is left out, and nothing is done twice. The more runs, the less
# each costs, until the arithmetic is all that there is. A further term on a site that is recorded
# already costs its own arithmetic alone.

by_runs = stored["test_a_run_costs_less_the_more_there_are"]["microseconds per run and step"]
by_terms = stored["test_a_further_term_costs_its_own_arithmetic_alone"]
per_term = by_terms["milliseconds per step"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.loglog([*map(int, by_runs)], [*by_runs.values()], "o-")
left.set(xlabel="runs trained at once", title="Microseconds a run and step")
left.set_xticks([*map(int, by_runs)], [*by_runs])
right.plot([*map(int, per_term)], [*per_term.values()], "o-")
right.set(xlabel="anchors on one site", title="Milliseconds a step of sixty runs", ylim=(0, None))
figure.suptitle("A run costs less the more there are, a term its own arithmetic")

one, eight = (per_term[count] for count in ("1", "8"))
alone = by_terms["milliseconds of one anchor alone"]
print(f"a further anchor: {(eight - one) / 7:.2f} ms a step of sixty runs")
print(f"the same in plain PyTorch, forward and backward: {alone:.2f} ms")

# %%
# For long trainings ``fit(backend="compiled")`` hands the traced step to ``torch.compile``; on a
# GPU ``backend="cuda_graph"`` launches it as one. There a step of one run took 0.30 instead of 2.55
# milliseconds, of sixty 0.67 instead of 3.12, measured on an H200.
#
# In a large model
# ----------------
# In a transformer block 512 wide, with 32 lines of 128 tokens: what recording one site with one
# anchor adds to a training step, and an edit to a step and to inference. Given is the upper end of
# the 95 % interval of the median, over 60 pairs of steps and 180 of inference.

training = stored["test_an_anchor_adds_under_three_percent_and_an_edit_under_two"]
inference = stored["test_an_edit_adds_under_two_percent_to_inference"]
print(f"an anchor: at most {training['anchored']:.1f} % of a training step")
print(f"an edit:   at most {training['edited']:.1f} % of a training step")
print(f"an edit:   at most {inference['edited']:.1f} % of inference")

# %%
# Training on a CPU under Linux, glibc gives the memory of large tensors back at each step, and asks
# for it again. The small Llama of ``words.py`` took 15 % less time with these two set beforehand:
#
# .. code-block:: shell
#
#    export MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=8000000000
#
# Colors
# ------
# Conversions forward and backward beside kornia's, each library in its own layout. Of 512 colors
# from RGB to HSV it is about twice: there the calls are what takes time, 42 of them beside 85.

conversions = {
    (figures["conversion"], figures["colors"]): figures["forward_and_backward"]
    for name, figures in stored.items()
    if name.startswith("test_conversions")
}
for conversion, colors in sorted(conversions):
    times = conversions[conversion, colors]
    print(f"{conversion:>10}, {colors:>9,} colors: {times:.1f} times as fast as kornia")

# %%
# Large batches
# -------------
# Separation compares all pairs of a batch. In chunks it holds a few rows of pairs at a time: memory
# grows with the batch, time with the pairs, and gradients are exact.

for name, figures in stored.items():
    if name.startswith("test_memory"):
        sizes = [f"{n}: {size:.1f}" for n, size in figures["mebibytes"].items()]
        print(f"{figures['couple']}: MiB at {', '.join(sizes)}")
    if name.startswith("test_time_per_pair"):
        times = [f"{n}: {time:.1f}" for n, time in figures["nanoseconds"].items()]
        print(f"{figures['couple']}: nanoseconds a pair at {', '.join(times)}")
