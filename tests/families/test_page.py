"""The page on models, held against the records that the contract runs on."""

import copy
import pickle
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from families.test_contract import ANY, batch_of, said
from families.zoo import AXES_ONLY, BY_WEIGHTS, FAMILIES, FEW, RED, Family
from refusals import refuses

import latent_anchors as la
from latent_anchors import regularizers as reg

PAGE = Path(__file__).parents[2] / "docs" / "models.rst"
HEADER = ("", "record", "anchor", "edit", "generate", "remove", "save")


def removal(family: Family) -> str:
    if BY_WEIGHTS in family.refused:
        return "refused"
    return "along axes" if AXES_ONLY in family.refused else "any direction"


def row(family: Family) -> tuple[str, ...]:
    states = any(stream.states for stream in family.streams.values())
    recorded = "as ``hidden_states``" if states else "yes"
    generated = "yes" if family.generates else "has none"
    return family.name, recorded, "yes", "yes", generated, removal(family), "yes"


def table(rows: list[tuple[str, ...]]) -> str:
    """Of reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in rows:
        first, *others = cells
        lines += [f"   * - {first}".rstrip(), *(f"     - {cell}".rstrip() for cell in others)]
    return "\n".join(lines) + "\n"


def refusals() -> list[tuple[str, ...]]:
    words = {(what, said) for family in FAMILIES for what, said in family.refused.items()}
    return [
        (", ".join(f.name for f in FAMILIES if f.refused.get(what) == said), what, f"“{said}”")
        for what, said in sorted(words)
    ]


def test_the_page_says_what_the_contract_holds():
    assert table([HEADER, *map(row, FAMILIES)]) in PAGE.read_text()


def test_the_page_lists_what_is_refused_in_the_words_of_the_errors():
    assert table([("family", "what", "the error says"), *refusals()]) in PAGE.read_text()


def test_the_programs_of_the_page_run():
    (llama,) = (family for family in FAMILIES if family.name == "Llama")
    programs = re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text())
    ids = batch_of(llama)["input_ids"]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    known = {
        "la": la,
        "torch": torch,
        "model": llama.shared,
        "batch": batch,
        "is_animal": (ids < FEW).float(),
        "prompt": {"input_ids": ids[:2], "max_new_tokens": 3},
    }
    for program in programs:
        exec(textwrap.dedent(program), known)
    for model, axes in (("clean", [0]), ("neither", [0, 1])):
        with la.record(known[model], known["sites"]) as z:
            known[model](**batch)
        assert all(z[site][..., axes].abs().max() < 1e-5 for site in known["sites"])


def test_of_two_slanting_concepts_the_second_puts_a_part_of_the_first_back():
    (llama,) = (family for family in FAMILIES if family.name == "Llama")
    model, ids = llama.shared, batch_of(llama)["input_ids"]
    axis, between = torch.eye(model.config.hidden_size)[:2]
    sites = la.sites(model, "residual")
    for direction in (axis, axis + between):
        model = la.Concept("one", direction, at=sites).removed(model, example={"input_ids": ids})
    with la.record(model, sites) as z:
        model(input_ids=ids)
    assert z[sites[0]][..., 0].abs().max() > 0.01


def image_batch(name: str) -> tuple[Any, Any]:
    (family,) = (family for family in FAMILIES if family.name == name)
    return family.shared, batch_of(family)


def test_experts_see_a_list_of_tokens():
    (mixtral,) = (family for family in FAMILIES if family.name == "Mixtral")
    whole, experts = "model.layers.0.mlp", "model.layers.0.mlp.experts"
    with torch.no_grad(), la.record(mixtral.shared, [whole, experts]) as z:
        mixtral.shared(**batch_of(mixtral))
    assert torch.allclose(z[experts], z[whole].flatten(0, 1))


def test_labels_of_images_are_pooled_or_expanded():
    of_patches, batch = image_batch("ViT")
    bright = (batch["pixel_values"][:, 0].mean((1, 2)) > RED / 2).float()
    concept = la.Concept("bright", ANY, la.sites(of_patches, "residual"), pool=reg.mean_pool)
    with la.record(of_patches, concept.at) as z:
        of_patches(**batch)
    assert concept.penalty(z, bright).isfinite()
    convolving, batch = image_batch("ResNet")
    concept = la.Concept("bright", ANY, la.sites(convolving, "layer2.*"))
    with la.record(convolving, concept.at) as z:
        convolving(**batch)
    places = z[concept.sites[0]].shape[:-1]
    assert concept.penalty(z, bright[:, None, None].expand(places)).isfinite()
    with refuses(ValueError, "has shape .16,., the values have .16, 8, 8."):
        concept.penalty(z, bright)


def test_what_transformers_leaves_behind_is_copied_and_saved_but_not_pickled(tmp_path: Path):
    (llama,) = (family for family in FAMILIES if family.name == "Llama")
    model: Any = llama.seeded(0).eval()
    model(**batch_of(llama), output_hidden_states=True)
    with pytest.raises(AttributeError, match="output_capturing_hook"):
        pickle.dumps(model)
    model.save_pretrained(tmp_path)
    assert torch.equal(said(copy.deepcopy(model), batch_of(llama)), said(model, batch_of(llama)))
