import io
import pickle
import sys
from collections import OrderedDict
from copy import copy, deepcopy
from dataclasses import replace
from threading import Barrier, Thread

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors._hooks import as_hooked, attach_edit, attach_recorder, copy_without_hooks
from latent_anchors.interventions import ZeroAblation, attach, clear, in_force, intervene
from latent_anchors.models import Population, Site, record


@pytest.fixture
def model():
    return nn.Sequential(nn.Identity(), nn.Identity())


def hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def test_recorders_see_edited_latents_in_either_order_of_attaching(model, last):
    seen = []
    attach_recorder(model, last, seen.append)
    attach_edit(model, last, lambda z: z + 1.0)
    attach_edit(model, last, lambda z: 10.0 * z)
    model(torch.zeros(2))
    assert [z.tolist() for z in seen] == [[10.0, 10.0]]


def test_hidden_states_that_transformers_collects_are_the_edited_ones(model):
    seen = []

    def output_capturing_hook(_layer, _inputs, output):
        seen.append(output.item())

    model[0].register_forward_hook(output_capturing_hook)  # it stays, once states were asked for
    with record(model, "0") as latents, intervene(model, torch.neg, "0"):
        model(torch.ones(1))
    assert [latents["0"].item(), *seen] == [-1, -1]


def test_each_handle_takes_its_own_hook_away(model):
    handles = [attach_edit(model, "0", torch.neg) for _ in range(3)]
    handles.append(attach_recorder(model, "0", print))
    for left in (4, 3, 2, 1):
        assert hooks(model) == left
        handles.pop().remove()
    assert hooks(model) == 0


def test_edits_of_one_place_act_in_order_however_it_is_spelled(model, last):
    seen = []
    attach_recorder(model, replace(last, axis=1), seen.append)
    attach_edit(model, last, lambda z: z + 1.0)
    attach_edit(model, replace(last, axis=1), lambda z: 10.0 * z)
    attach_edit(model, replace(last, item=(0,)), lambda z: z + 1.0)
    assert model(torch.zeros(1, 1)).item() == 11
    assert seen[0].item() == 11


def test_both_names_of_a_shared_layer_are_one_place():
    shared, seen = nn.Identity(), []
    model = nn.Sequential(OrderedDict(left=shared, right=shared))
    attach_recorder(model, "left", seen.append)
    attach_edit(model, "right", torch.neg)
    model(torch.ones(1))
    assert [z.item() for z in seen] == [-1, 1]


def test_an_output_and_the_input_of_the_next_layer_are_two_places(model):
    before, after = [], []
    attach_recorder(model, "0", before.append)
    attach_edit(model, Site("1", side="input"), torch.neg)
    attach_recorder(model, Site("1", side="input"), after.append)
    assert model(torch.ones(1)).item() == -1
    assert [before[0].item(), after[0].item()] == [1, -1]
    attach_edit(model, "0", lambda z: 10.0 * z)
    assert model(torch.ones(1)).item() == -10
    assert [before[1].item(), after[1].item()] == [10, -10]


def test_sites_of_one_layer_differ_by_axis(model):
    along, across = [], []
    attach_recorder(model, "0", along.append)
    attach_recorder(model, Site("0", axis=0), across.append)
    z = torch.arange(6.0).reshape(2, 3)
    model(z)
    assert torch.equal(along[0], z)
    assert torch.equal(across[0], z.T)


def test_a_handle_knows_whether_it_acted(model):
    handle = attach_edit(model, "1", torch.neg)
    assert not handle.acted
    model(torch.zeros(1))
    assert handle.acted


def test_a_handle_removed_twice_removes_nothing_else(model):
    first = attach_edit(model, "0", torch.neg)
    first.remove()
    attach_edit(model, "0", torch.neg)
    first.remove()
    assert model(torch.ones(1)).item() == -1


def test_the_latents_that_went_in_are_not_written_to(model):
    attach_edit(model, "0", lambda z: z + 1.0)
    z = torch.zeros(2)
    model(z)
    assert not z.any()


def test_an_empty_edit_is_an_edit_too(model):
    handle = attach_edit(model, "0", nn.Sequential())
    assert torch.equal(model(torch.ones(2)), torch.ones(2))
    assert handle.acted


def test_edits_that_change_the_shape_are_refused(model):
    attach_edit(model, "0", lambda z: z.sum(-1))
    with refuses(ValueError, r"turned latents of shape \(2, 3\) into \(2,\)"):
        model(torch.zeros(2, 3))


def test_a_population_keeps_hooks_of_its_own():
    population = Population.from_models([nn.Sequential(nn.Linear(1, 1))] * 2)
    assert as_hooked(population) is population
    attach_edit(population, "0", torch.zeros_like)
    assert hooks(population) == 0
    assert population(torch.ones(1)).tolist() == [[0.0], [0.0]]


@pytest.fixture(params=["model", "population"])
def either(request):
    made = nn.Sequential(nn.Linear(2, 2), nn.Identity())
    return made if request.param == "model" else Population.from_models([made, made])


@pytest.fixture(params=["output", "input"])
def last(request):
    """The last layer, at either of its sides."""
    return Site("1", side=request.param)


COPIERS = {
    "deepcopy": deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "torch.save": lambda model: saved_and_loaded(model),
}


BLOCKS = {
    "record": record,
    "intervene": lambda model, at: intervene(model, torch.neg, at),
    "attach": lambda model, at: attach(model, torch.neg, at),
}


def saved_and_loaded(model):
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
@pytest.mark.parametrize("opened", BLOCKS)
def test_a_copy_made_meanwhile_is_free(opened, copier, either, last):
    x = torch.ones(1, 2)
    clean = either(x)
    with BLOCKS[opened](either, last):
        edited = either(x)
        copy = copier(either)
        assert torch.equal(copy(x), clean)  # no edit came along
        assert not in_force(copy)
    with intervene(either, torch.zeros_like, last):
        either(x)
        assert torch.equal(copy(x), clean)  # none of later ones acts
    with refuses(RuntimeError, "Nothing was recorded at Site"), record(either, last):
        copy(x)  # nor does it fill a recording
    assert torch.equal(edited, clean if opened == "record" else -clean)


@pytest.mark.parametrize("opened", BLOCKS)
def test_a_deep_copy_made_meanwhile_has_no_hook_at_all(opened, either, last):
    with BLOCKS[opened](either, last):
        either(torch.ones(1, 2))
        copy = deepcopy(either)
        assert not left_in(copy)
        assert not getattr(copy, "_hooks", ())
    if opened != "attach":
        assert not left_in(either)


def left_in(model):
    """All that is in torch's tables of hooks."""
    tables = ("_forward_hooks", "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs")
    return [key for layer in model.modules() for table in tables for key in getattr(layer, table)]


def test_an_edit_does_not_act_through_a_shallow_copy_of_its_layer():
    model = nn.Sequential(nn.Identity())
    attach(model, torch.neg, "")
    assert copy(model)(torch.ones(1)).item() == 1


def test_what_is_in_force_is_listed_and_can_be_removed_without_its_handle(either, last):
    x = torch.ones(1, 2)
    clean = either(x)
    attach(either, torch.neg, last)
    attach(either, torch.exp, replace(last, axis=1))
    with record(either, last):
        either(x)
        assert [(h.site.name, h.edit) for h in in_force(either)] == [
            ("1", torch.neg),
            ("1", torch.exp),
        ]
    in_force(either)[0].remove()
    assert torch.equal(either(x), clean.exp())
    clear(either)
    assert not in_force(either)
    assert torch.equal(either(x), clean)
    assert not left_in(either)


def test_data_parallel_models_are_refused_by_name(model):
    for wrapped in (nn.DataParallel(model), nn.Sequential(nn.DataParallel(model))):
        name = "0" if isinstance(wrapped, nn.DataParallel) else "0.module.0"
        with refuses(RuntimeError, "wrapped in nn.DataParallel.*DistributedDataParallel"):
            attach_edit(wrapped, name, torch.neg)


def test_a_replica_is_refused_by_name(model):
    attach(model, torch.neg, "0")
    replica = model[0]._replicate_for_data_parallel()
    with refuses(RuntimeError, "ran in a replica of nn.DataParallel"):
        replica(torch.ones(1))


def test_a_replica_of_a_model_that_is_recorded_is_refused(model):
    with refuses(RuntimeError, "^The model ran"), record(model, "0"):
        model._replicate_for_data_parallel()(torch.ones(1))


def test_swapped_arguments_are_refused(model):
    with refuses(TypeError, "The edit is '0'; expected a function.*Mind the order"):
        attach_edit(model, "0", "0")


@pytest.mark.parametrize("door", [attach, lambda *given: intervene(*given).__enter__()])
def test_arguments_swapped_with_an_edit_that_is_a_module_are_refused_as_such(door, model):
    with refuses(TypeError, "The edit is '0'; expected a function.*Mind the order"):
        door(model, "0", ZeroAblation([0]))


def test_an_untapped_copy_has_the_hooks_of_others_and_none_of_ours(model):
    attach_edit(model, "0", torch.neg)
    model[1].register_forward_hook(lambda *_: torch.tensor([7.0]))
    assert hooks(copy_without_hooks(model)) == 1
    assert hooks(model) == 2
    assert copy_without_hooks(model)(torch.ones(1)).tolist() == [7.0]


def test_two_threads_may_attach_at_once():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            model, barrier, handles = nn.Sequential(nn.Identity()), Barrier(2, timeout=20), []

            def work(model=model, barrier=barrier, handles=handles):
                barrier.wait()
                handles.append(attach(model, lambda z: z + 1, "0"))

            together(work, work)
            assert model(torch.zeros(1)).item() == 2  # attached edits act in every thread
            for handle in handles:
                handle.remove()
            assert hooks(model) == 0
    finally:
        sys.setswitchinterval(before)


def test_a_block_is_in_force_in_its_own_thread_only(either, last):
    x, both, outputs, latents = torch.ones(1, 2), Barrier(3, timeout=20), {}, {}

    def request(factor):
        with intervene(either, lambda z: factor * z, last), record(either, last) as z:
            both.wait()
            outputs[factor] = either(x)
            latents[factor] = z[last]
            both.wait()

    def plain():
        both.wait()
        outputs[1] = either(x)
        both.wait()

    together(lambda: request(2), lambda: request(3), plain)
    for factor, output in outputs.items():
        assert torch.equal(output, factor * outputs[1])
        assert factor == 1 or torch.equal(latents[factor], output)


def together(*works):
    threads = [Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
