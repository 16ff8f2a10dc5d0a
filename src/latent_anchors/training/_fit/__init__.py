"""The training loop behind ``fit``, one file per stage."""
