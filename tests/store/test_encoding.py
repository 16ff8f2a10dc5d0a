from copy import deepcopy

import pytest
import torch
from refusals import refuses
from store.alike import differences
from torch import nn

import latent_anchors as la
from latent_anchors import colorspace, interventions, models
from latent_anchors import regularizers as reg
from latent_anchors._store._encoding import DEPTH


@la.register("tests.Bag")
class Bag(nn.Module):
    def __init__(self, bag):
        super().__init__()
        self.bag = bag


@pytest.mark.parametrize("keys", [("a.b", "a"), (1, "1"), (True, "True"), ("x.0", "x")])
def test_keys_that_look_alike_stay_apart(keys, tmp_path):
    zeros, ones = torch.zeros(2), torch.ones(2)
    la.save(Bag({keys[0]: zeros, keys[1]: {"b": ones}, "list": [ones, zeros]}), tmp_path)
    bag = la.load(tmp_path).bag
    assert torch.equal(bag[keys[0]], zeros)
    assert torch.equal(bag[keys[1]]["b"], ones)
    assert [*bag] == [*keys, "list"]


def test_what_is_shared_is_one_again(tmp_path):
    anchor = reg.Anchor([1.0, 0.0])
    la.save(la.Objective([la.Term("a", anchor), la.Term("b", anchor)]), tmp_path)
    first, second = la.load(tmp_path).terms
    assert first.penalty is second.penalty
    la.save(la.Objective([la.Term("a", anchor), la.Term("b", reg.Anchor([1.0, 0.0]))]), tmp_path)
    first, second = la.load(tmp_path).terms
    assert first.penalty is not second.penalty


def test_what_contains_itself_is_refused(tmp_path):
    bag = Bag([])
    bag.bag.append(bag.bag)
    with refuses(ValueError, r"lies 64 things deep, or something contains itself"):
        la.save(bag, tmp_path)


def test_what_lies_as_deep_as_is_allowed_comes_back(tmp_path):
    deep: object = 1
    for _ in range(DEPTH):
        deep = [deep]
    la.save(deep, tmp_path)
    assert la.load(tmp_path) == deep
    with refuses(ValueError, r"lies 64 things deep"):
        la.save([deep], tmp_path)


def test_a_long_composition_is_saved(tmp_path):
    edit = interventions.ZeroAblation([0])
    for _ in range(40):
        edit = edit.then(interventions.ZeroAblation([1]))
    la.save(edit, tmp_path)
    assert repr(la.load(tmp_path)) == repr(edit)


def test_tensors_without_numbers_are_refused(tmp_path):
    for tensor in (torch.eye(2).to_sparse(), torch.empty(2, device="meta")):
        with refuses(TypeError, r"Bag.bag is a tensor of layout .*; expected a dense one"):
            la.save(Bag(tensor), tmp_path)


def test_different_tensors_of_one_memory_are_refused(tmp_path):
    model = models.SphericalAutoencoder(latent_dim=3, channels=3)
    model.decoder[0].weight.data = model.encoder[0].weight.data
    with refuses(ValueError, r"'decoder.0.weight' and 'encoder.0.weight' are different tensors"):
        la.save(model, tmp_path)


def test_a_function_of_a_room_that_reads_files_is_refused(tmp_path):
    with refuses(TypeError, r"is the function colorspace.hue_of, which cannot be saved; expected"):
        la.save(la.Term("x", colorspace.hue_of), tmp_path)


def test_a_model_that_was_given_more_than_its_constructor_makes_is_refused(tmp_path):
    la.save(reg.SoftMinimum(0.5), tmp_path)
    model = models.SphericalAutoencoder()
    model.more = nn.Linear(1, 1)
    with refuses(ValueError, r"This SphericalAutoencoder could not be loaded again: .*its sizes"):
        la.save(model, tmp_path)
    assert isinstance(la.load(tmp_path), reg.SoftMinimum)


@pytest.mark.parametrize("by", [1.0, torch.ones(2)], ids=["number", "tensor"])
def test_a_constructor_that_makes_another_thing_is_refused(by, tmp_path):
    @la.register(f"tests.Doubling{type(by).__name__}")
    class Doubling(nn.Module):
        def __init__(self, by: float | torch.Tensor):
            super().__init__()
            self.by = 2 * by

    with refuses(ValueError, r"the Doubling that it makes differs .* If a class of yours is in it"):
        la.save(Doubling(by), tmp_path)


def test_what_is_made_must_be_saved_as_well(tmp_path):
    @la.register("tests.Changing")
    class Changing(nn.Module):
        made = 0

        def __init__(self, by: object):
            super().__init__()
            Changing.made += 1
            self.by = by if Changing.made == 1 else object()

    with refuses(ValueError, r"what it makes cannot be saved: Changing.by is 'object'"):
        la.save(Changing(1.0), tmp_path)


def test_a_state_that_is_no_tensor_is_refused(tmp_path):
    @la.register("tests.Counting")
    class Counting(nn.Module):
        def get_extra_state(self):
            return 3

        def set_extra_state(self, state):
            pass

    with refuses(TypeError, r"Counting has '_extra_state' in its state_dict\(\)"):
        la.save(Counting(), tmp_path)


def test_whatever_else_is_wrong_is_said_of_the_file(tmp_path):
    @la.register("tests.Strange")
    class Strange(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("number", torch.tensor(1))

    model = Strange()
    model.number = torch.tensor(1.0)
    with refuses(ValueError, r"could not be loaded again: thing.number is torch.float32"):
        la.save(model, tmp_path)


@pytest.mark.parametrize("copied", [False, True])
def test_a_module_may_be_made_of_others_or_of_copies_of_them(copied: bool, tmp_path):
    @la.register(f"tests.Wrapping{copied}")
    class Wrapping(nn.Module):
        def __init__(self, inner: nn.Module):
            super().__init__()
            self.inner = deepcopy(inner) if copied else inner
            self.head = nn.Linear(4, 2)

    model = Wrapping(models.SphericalAutoencoder())
    model.inner.encoder.requires_grad_(False)
    la.save(model, tmp_path)
    assert list(differences(model, la.load(tmp_path))) == []


@pytest.mark.parametrize("dtype", [torch.complex128, torch.float8_e8m0fnu])
def test_what_the_file_format_does_not_have_is_refused_before_anything_is_written(dtype, tmp_path):
    la.save({"w": torch.ones(2)}, tmp_path)
    with refuses(TypeError, f"dict.w is a tensor of type {dtype}, which safetensors does not"):
        la.save({"w": torch.ones(2).to(dtype)}, tmp_path)
    assert torch.equal(la.load(tmp_path)["w"], torch.ones(2))


@la.register("tests.Collecting")
class Collecting(nn.Module):
    def __init__(self, *factors, **options):
        super().__init__()
        self.factors, self._options = factors, options


@pytest.mark.parametrize("made", [lambda: Collecting(2.0), lambda: Collecting(clip=True)])
def test_arguments_without_names_of_their_own_are_refused(made, tmp_path):
    with refuses(TypeError, r"Collecting was made with \*.*Declare one for each"):
        la.save(made(), tmp_path)
    la.save(Collecting(), tmp_path)
    assert la.load(tmp_path).factors == ()


@la.register("tests.Tail")
class Tail(nn.Module):
    def __init__(self, shared=True):
        super().__init__()
        self.shared = shared
        self.weight = nn.Parameter(torch.arange(4.0))
        tail = self.weight.data[2:]
        self.register_buffer("tail", tail if shared else tail.clone())


def test_tensors_that_overlap_are_refused(tmp_path):
    with refuses(ValueError, "'tail' and 'weight' are different tensors in the same memory"):
        la.save(Tail(), tmp_path)
    la.save(Tail(shared=False), tmp_path)
    assert torch.equal(la.load(tmp_path).tail, torch.tensor([2.0, 3.0]))
