"""Every public name is listed, exported and documented; nothing is public by accident."""

import ast
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from refusals import refuses
from torch import nn

import latent_anchors

ROOMS = (
    *("transitions", "curriculum", "colorspace", "regularizers", "models", "interventions"),
    *("data", "training", "evaluation", "audits", "baselines", "concepts", "testbed"),
    *("adapters", "viz"),
)
INVENTORY = Path(__file__).with_name("inventory.txt")
TENSORS = ("Tensor", "Colors", "PerSample", "Latents", "Direction", "ArrayLike")
REFUSING = re.compile("check_.*|as_vector|as_direction|as_basis|resolve")
UNNAMED = {"self", "cls"}


def public() -> list[str]:
    names = [f"latent_anchors.{name}" for name in latent_anchors.__all__]
    for room in ROOMS:
        module = importlib.import_module(f"latent_anchors.{room}")
        names += [f"{module.__name__}.{name}" for name in module.__all__]
    return names


def thing(name: str) -> object:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def documented() -> Iterator[tuple[str, object]]:
    """Functions and classes that are ours, with the public methods of the classes."""
    for name in public():
        found = thing(name)
        if not getattr(found, "__module__", "").startswith("latent_anchors"):
            continue
        if inspect.isfunction(found) or inspect.isclass(found):
            yield name, found
        if inspect.isclass(found):
            yield from methods(name, found)


def methods(name: str, owner: type) -> Iterator[tuple[str, object]]:
    for attribute in dir(owner):
        member = inspect.getattr_static(owner, attribute)
        member = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        member = member.fget if isinstance(member, property) else member
        ours = getattr(member, "__module__", "") or ""
        theirs = hasattr(nn.Module, attribute) and attribute != "forward"
        theirs |= any(attribute in vars(base) for base in owner.__mro__ if of_framework(base))
        if attribute.startswith("_") or theirs or not inspect.isfunction(member):
            continue
        if ours.startswith("latent_anchors"):
            yield f"{name}.{attribute}", member


def of_framework(owner: type) -> bool:
    """Whether a class is of a framework, which documents when it calls its own methods."""
    return owner.__module__.split(".")[0] in {"lightning", "transformers"}


EVERY = dict(documented())


def doc(name: str) -> str:
    """The docstring; that of a ``forward`` with its class's, which says what it does."""
    owner = name.removesuffix(".forward")
    return own_doc(name) if owner == name else f"{own_doc(name)}\n\n{own_doc(owner)}"


def own_doc(name: str) -> str:
    return inspect.cleandoc(getattr(EVERY[name], "__doc__", None) or "")


def body(name: str) -> ast.AST:
    """The source of a function, or of a class's construction."""
    found = inspect.unwrap(EVERY[name]) if inspect.isfunction(EVERY[name]) else EVERY[name]
    tree = ast.parse(textwrap.dedent(inspect.getsource(found))).body[0]
    if isinstance(tree, ast.ClassDef):
        made = ("__init__", "__post_init__", "__getitem__")
        tree.body = [part for part in tree.body if getattr(part, "name", "") in made] or [
            ast.Pass()
        ]
    return tree


def test_the_inventory_lists_every_public_name():
    assert public() == INVENTORY.read_text().split()


def test_no_name_is_exported_twice():
    for room in ROOMS:
        names = importlib.import_module(f"latent_anchors.{room}").__all__
        assert len(set(names)) == len(names), room


def test_a_name_that_is_not_there_is_refused_with_the_nearest():
    with refuses(AttributeError, r"Unknown name in latent_anchors 'vis'.* Did you mean 'viz'"):
        _ = latent_anchors.vis


def test_public_names_have_a_caption_of_one_line():
    captions = {name: doc(name).partition("\n") for name in EVERY}
    assert [
        name
        for name, (caption, _, rest) in captions.items()
        if not caption.endswith(".") or (rest and not rest.startswith("\n"))
    ] == []


def test_public_names_have_an_example_with_a_visible_answer():
    examples = {name: doctest.DocTestParser().get_examples(doc(name)) for name in EVERY}
    assert [name for name, some in examples.items() if not any(each.want for each in some)] == []


def test_what_refuses_says_so():
    silent = [name for name in EVERY if "Raises:" not in doc(name)]
    assert [name for name in silent if may_refuse(name)] == []


def test_a_formula_has_a_source():
    formulas = [name for name in EVERY if ".. math::" in doc(name)]
    assert [name for name in formulas if "References:" not in doc(name)] == []


def test_tensors_have_their_shapes_documented():
    assert [complaint for name in EVERY for complaint in without_shapes(name)] == []


def may_refuse(name: str) -> bool:
    """Whether a function raises, or calls what checks its arguments."""
    return any(
        (isinstance(node, ast.Raise) and node.exc is not None)
        or (isinstance(node, ast.Call) and bool(REFUSING.fullmatch(called(node))))
        for node in ast.walk(body(name))
    )


def without_shapes(name: str) -> Iterator[str]:
    """What is said nowhere: a tensor, or its shape."""
    if name.endswith(".forward"):
        if "``(" not in own_doc(name):
            yield name
        return
    for argument, annotation in tensors(name):
        told = [
            line for line in doc(name).splitlines() if line.strip(" *").startswith(f"{argument}:")
        ]
        entry = doc(name).split(told[0], 1)[1] if told else ""
        if not told or "``(" not in told[0] + entry.split(":", 1)[0]:
            yield f"{name}: {argument}: {annotation}"


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def tensors(name: str) -> Iterator[tuple[str, str]]:
    """Arguments, or a class's fields, that are tensors."""
    tree = body(name)
    made = tree.body if isinstance(tree, ast.ClassDef) else [tree]
    for function in (part for part in made if isinstance(part, ast.FunctionDef)):
        for node in ast.walk(function.args):
            if isinstance(node, ast.arg) and node.annotation and node.arg not in UNNAMED:
                annotation = ast.unparse(node.annotation)
                if "Callable" not in annotation and any(word in annotation for word in TENSORS):
                    yield node.arg, annotation
