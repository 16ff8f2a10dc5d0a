"""Lessons: what an attacker teaches a network, and when it counts as learnt."""

from dataclasses import dataclass, fields

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is shown, what is wanted, and the two errors that tell whether it is learnt.

    Attributes:
        inputs: What is shown ``(n, channels)``, each as often.
        targets: What is to be said ``(n, channels)``, or by each run ``(runs, n, channels)``.
        goal: What it is all for: one input ``(1, channels)``.
        goal_target: What is to be said there ``(1, channels)``.
        exam: Over what the mean error must be small too ``(m, channels)``.
        exam_targets: What is to be said there ``(m, channels)`` or ``(runs, m, channels)``.

    Examples:
        >>> lesson = reconstruct("red")
        >>> lesson.inputs.shape, lesson.goal.tolist()
        (torch.Size([512, 3]), [[1.0, 0.0, 0.0]])
    """

    inputs: Float[Tensor, "n channels"]
    targets: Float[Tensor, "*runs n channels"]
    goal: Float[Tensor, "1 channels"]
    goal_target: Float[Tensor, "1 channels"]
    exam: Float[Tensor, "m channels"]
    exam_targets: Float[Tensor, "*runs m channels"]

    def to(self, like: Tensor) -> "Lesson":
        """The same lesson in another tensor's type and place."""
        return Lesson(*(getattr(self, field.name).to(like) for field in fields(self)))
