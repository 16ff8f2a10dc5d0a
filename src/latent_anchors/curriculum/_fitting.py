"""What a playhead refuses to play."""

from latent_anchors._checks import check_name
from latent_anchors.curriculum._actions import EndPhase, ExtendPhase, Retarget
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._triggers import Trigger


def check_fits(trigger: Trigger, timeline: Timeline) -> None:
    """Refuse a trigger on what the timeline does not have."""
    phases = [phase.name for phase in timeline.phases]
    if trigger.during is not None:
        check_name("phase", trigger.during, phases)
    if isinstance(trigger.then, EndPhase | ExtendPhase) and not phases:
        raise ValueError(
            f"By the trigger '{trigger.words}', but the timeline has no phases; expected one at "
            "least. To end the training, use Stop()."
        )
    if isinstance(trigger.then, Retarget):
        check_name("track", trigger.then.track, timeline.names)
        in_log = timeline[trigger.then.track].space == "log"
        if in_log and (trigger.then.value <= 0 or trigger.then.of == "difference"):
            raise ValueError(
                f"By the trigger '{trigger.words}', but that track is in log space; expected a "
                "value above 0, or a factor."
            )
