"""The contents of a save folder: tensors by name, and errors that say where and in which file."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias, cast

from torch import Tensor

from latent_anchors._store._loading_error import LoadingError

Place: TypeAlias = tuple[str, ...]
"""A path within the structure, such as ``("thing", "arguments", "at")``."""


class Contents:
    """The tensors of a save folder, which ones were used, and errors that name the file."""

    def __init__(self, tensors: Mapping[str, Tensor], place: object) -> None:
        self.tensors, self.place = tensors, place
        self.used: set[str] = set()

    def found(self, node: dict[str, Any], where: Place) -> Tensor:
        """The tensor of a node; raises if its type or shape is not the node's."""
        name = node["tensor"]
        if not isinstance(name, str) or name not in self.tensors:
            self.refuse(where, f"is the tensor {name!r}, which is not there.")
        tensor = self.tensors[name]
        found = (str(tensor.dtype).removeprefix("torch."), [*tensor.shape])
        if found != (node["dtype"], node["shape"]):
            self.refuse(
                where,
                f"is {node['dtype']} of shape {node['shape']} by the structure, and {found[0]} of "
                f"shape {found[1]} by the tensors.",
            )
        self.used.add(name)
        return tensor

    def listed(self, items: object, where: Place) -> list[object]:
        """The items, if they are a list; raises otherwise."""
        if not isinstance(items, list):
            self.refuse(where, f"has {items!r}; expected a list.")
        return cast("list[object]", items)

    @contextmanager
    def making(self, where: Place) -> Generator[None]:
        """Turn a constructor's error into a :class:`LoadingError` that names the file."""
        try:
            yield
        except LoadingError:
            raise
        except Exception as error:
            wrong = f"{'.'.join(where)} cannot be made: {error}"
            raise LoadingError(self.place, wrong) from error

    def refuse(self, where: Place, wrong: str, cure: str = "") -> NoReturn:
        """Raise: what is wrong, where, and in which file."""
        raise LoadingError(self.place, f"{'.'.join(where)} {wrong}", cure)
