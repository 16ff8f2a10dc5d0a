"""The one kind of error that loading raises."""


class LoadingError(ValueError):
    """A folder cannot be loaded: the message names the file, what is wrong and what to do."""

    def __init__(self, place: object, wrong: str, cure: str = "") -> None:
        super().__init__(f"{place}: {wrong} {cure or 'Save it again, or load an earlier copy.'}")
