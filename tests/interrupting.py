"""KeyboardInterrupt at a chosen line of the library: deterministic, one line after the other."""

import sys
from contextlib import contextmanager
from pathlib import Path

import latent_anchors

PACKAGE = str(Path(latent_anchors.__file__).parent)


class Interrupted(KeyboardInterrupt):
    """Tells an injected interrupt from a real one."""


@contextmanager
def interrupt_at(line, also=()):
    """Raise at the line-th line event within the library; yields the events that were counted."""
    count = [0]

    def trace(frame, event, _arg):
        name = frame.f_code.co_filename
        if not (name.startswith(PACKAGE) or name.endswith(also)):
            return None
        if event == "line":
            count[0] += 1
            if count[0] == line:
                sys.settrace(None)
                raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)
