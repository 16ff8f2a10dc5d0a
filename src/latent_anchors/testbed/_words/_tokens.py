"""Definitions as tokens: padded batches, held-out lines, and which lines are labeled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from latent_anchors._checks import check_between
from latent_anchors.testbed._words._texts._definitions import Definitions
from latent_anchors.testbed._words._topic_losses import IGNORED, Batch

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = ("<pad>", "<begin>", "<end>")
"""Tokens that are no text, which a tokenizer numbers first."""

PAD, BEGIN, END = range(len(SPECIAL))
LENGTH = 24

Sample = Mapping[str, Any]
"""``input_ids`` of one line ``(token,)``, and labels of it."""


@dataclass(frozen=True, eq=False)
class TokenizedDefinitions:
    """Definitions as tokens of a byte-level vocabulary, at most 24 for each line.

    The first lines are held out, the others are for training.

    Attributes:
        lines: The definitions.
        tokenizer: Trained on them, with 4,096 tokens or as many as there are.
        held_out: How many lines are held out.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> batch = words.pad(words.samples(range(2)))
        >>> sorted(batch), batch["behind"][0].int().tolist()
        (['behind', 'input_ids', 'labels'], [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    """

    lines: Definitions
    tokenizer: "Tokenizer"
    held_out: int

    @classmethod
    def of(cls, lines: Definitions, held_out: int) -> "TokenizedDefinitions":
        """Train a tokenizer on all lines.

        Raises:
            ValueError: If no line is left for training, or none is held out.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> words.held_out, len(words.ids)
            (8, 40)
        """
        if not 0 < held_out < len(lines):
            raise ValueError(
                f"{held_out} of {len(lines)} definitions are held out; expected at least one, and "
                "at least one left for training."
            )
        return cls(lines, _trained_tokenizer(lines.texts), held_out)

    @cached_property
    def ids(self) -> list[Int[Tensor, " token"]]:
        """Each line's tokens, from the one that begins a line to the one that ends it."""
        encoded = self.tokenizer.encode_batch([*self.lines.texts])
        return [torch.tensor([BEGIN, *line.ids[: LENGTH - 2], END]) for line in encoded]

    @property
    def topics(self) -> Sequence[str]:
        """Of the held-out lines.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> len(words.topics)
            8
        """
        return self.lines.topics[: self.held_out]

    def samples(self, chosen: Sequence[int], **labels: Sequence[int]) -> list[dict[str, Any]]:
        """Lines for a dataset, with labels: of each topic the lines that have it.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> [sample["animal"] for sample in words.samples([8, 9], animal=[9])]
            [0.0, 1.0]
        """
        known = {name: {*some} for name, some in labels.items()}
        return [
            {"input_ids": self.ids[k]} | {name: float(k in some) for name, some in known.items()}
            for k in chosen
        ]

    def seen(self, without: str = "") -> list[int]:
        """The lines for training, but those of a topic.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> len(words.seen()), len(words.seen(without="act"))
            (32, 25)
        """
        topics = self.lines.topics
        return [k for k in range(self.held_out, len(topics)) if topics[k] != without]

    def labeled(
        self,
        topic: str,
        seed: int,
        chance: float = 0.1,
        *,
        wrong: float = 0.0,
        aside: bool = False,
    ) -> list[int]:
        """The lines for training that are labeled: some of a topic's, drawn once for each seed.

        Args:
            topic: The topic.
            seed: Of the draw.
            chance: That a line of the topic is drawn, at most 1, or .5 with ``aside``.
            wrong: Share of the labels that are on lines of other topics instead, from 0 to 1.
            aside: Give others instead, about as many, that are put aside to measure.

        Raises:
            ValueError: If none is drawn, ``chance`` or ``wrong`` is out of its range, or too few
                lines of other topics are drawn for so many wrong labels.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> len(words.labeled("act", seed=0, chance=1.0))
            7
            >>> len(words.labeled("act", 0, 0.5)) + len(words.labeled("act", 0, 0.5, aside=True))
            7
            >>> some = words.labeled("act", seed=0, chance=1.0, wrong=0.3)
            >>> [words.lines.topics[k] for k in some].count("act"), len(some)
            (5, 7)
        """
        check_between("wrong", wrong, 0.0, 1.0)
        check_between("chance", chance, 0.0, 0.5 if aside else 1.0)
        draw = torch.Generator().manual_seed(seed)
        drawn = torch.rand(len(self.lines), generator=draw, dtype=torch.float32)
        least = chance if aside else 0.0
        chosen = (least <= drawn) & (drawn < least + chance)
        ordered = sorted((k for k in self.seen() if chosen[k]), key=lambda k: float(drawn[k]))
        mine = [k for k in ordered if self.lines.topics[k] == topic]
        others = [k for k in ordered if self.lines.topics[k] != topic]
        mistaken = round(wrong * len(mine))
        if not mine or mistaken > len(others):
            raise ValueError(
                f"{len(mine)} lines about {topic!r} and {len(others)} others are drawn with a "
                f"chance of {chance}, from {least} on; expected at least one, and {mistaken} "
                "others for wrong labels. Ask for a topic that more lines have, for another "
                "chance, or for fewer wrong labels."
            )
        return sorted([*mine[: len(mine) - mistaken], *others[:mistaken]])

    def pad(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """A batch of lines, with a mask of the positions ``behind`` the colon.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> words.pad(words.samples([0]))["behind"].int().tolist()
            [[0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]]
        """
        tokens = pad_sequence([sample["input_ids"] for sample in samples], True, PAD)
        real = tokens != PAD
        colon = tokens == self.tokenizer.encode(" :").ids[-1]
        labels = tokens.masked_fill(~real, IGNORED)
        return {"input_ids": tokens, "labels": labels, "behind": (colon.cumsum(1) > 0) & real}

    def drawn_batches(self, some: Sequence[int], seed: int, size: int = 64) -> Iterator[Batch]:
        """Batches of some lines, drawn with replacement, without end; a seed draws the same.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> next(words.drawn_batches(words.seen(), seed=0, size=3))["behind"].shape
            torch.Size([3, 12])
        """
        draw = torch.Generator().manual_seed(seed)
        while True:
            chosen = torch.randint(len(some), (size,), generator=draw)
            yield self.pad(self.samples([some[int(k)] for k in chosen]))

    def batches(self, chosen: Sequence[int], size: int = 500) -> list[Batch]:
        """Some lines in batches, in order.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> [len(batch["input_ids"]) for batch in words.batches(range(8), size=5)]
            [5, 3]
        """
        starts = range(0, len(chosen), size)
        return [self.pad(self.samples(chosen[start : start + size])) for start in starts]

    def held_out_batches(self) -> list[Batch]:
        """The held-out lines in batches.

        Examples:
            >>> from latent_anchors.testbed import TokenizedDefinitions, made_up_definitions
            >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
            >>> [len(batch["input_ids"]) for batch in words.held_out_batches()]
            [8]
        """
        return self.batches(range(self.held_out))


def _trained_tokenizer(texts: Sequence[str]) -> "Tokenizer":
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=4096, special_tokens=[*SPECIAL], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
