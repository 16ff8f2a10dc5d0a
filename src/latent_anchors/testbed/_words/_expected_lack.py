"""How much a language model would lack that never saw a topic, from labels alone."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors.concepts import Concept
from latent_anchors.testbed._words._bigrams import Bigrams
from latent_anchors.testbed._words._far_lines import nearness, not_aside
from latent_anchors.testbed._words._tokens import TokenizedDefinitions
from latent_anchors.testbed._words._topic_losses import topic_losses


def expected_lack(
    model: nn.Module, words: TokenizedDefinitions, concept: Concept, aside: Sequence[int]
) -> Float[Tensor, ""]:
    """What lines of a topic would cost a model that never saw one, in nats for each token.

    As many lines as lie nearer to the direction than half of those put aside, twice, are taken to
    be about the topic: the nearest ones. It is by how much bigrams of all other lines are worse
    than bigrams of all lines, or than the model, where that is less: it has learned less then.
    Of what small Llamas lack that never saw the topic it was 1.00 (artifact), .98 (food), .92
    (animal), .82 (person) and .81 (plant).

    Args:
        model: With the topic on the direction.
        words: What it was trained on.
        concept: The topic, with a ``mask`` or without; positions behind the colon count.
        aside: Lines of the topic that no term pulled to the direction, some hundred of them.

    Returns:
        Nats for each token ``()``, below 0 for a model that knows less than bigrams without the
        topic do; NaN if its losses are.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(60), held_out=8)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> aside = words.labeled("animal", seed=0, chance=0.5)
        >>> bool(expected_lack(small_llama(words, 0), words, concept, aside) < 0)  # not trained
        True
    """
    rest = not_aside(words, aside)
    near = nearness(model, words, concept, rest)
    half = nearness(model, words, concept, aside).median()
    many = min(2 * int((near >= half).sum()), len(rest))
    about = {rest[int(k)] for k in near.topk(many).indices}
    others = [k for k in rest if k not in about]
    asked, seen, left = ([words.ids[k] for k in some] for some in (aside, rest, others))
    tokens, topics = words.tokenizer.get_vocab_size(), [concept.name] * len(aside)
    by_model = topic_losses(model, words.batches(aside), topics).mean(topics)
    by_all, by_others = (Bigrams.of(some, tokens).loss(asked) for some in (seen, left))
    return by_others - torch.maximum(by_all, by_model)
