"""One session per promise: `nox -R -s tests` checks one, `nox -R` the usual ones."""

import nox

nox.options.sessions = ["lint", "types", "tests", "doctests"]
nox.options.reuse_existing_virtualenvs = True


def install(session: nox.Session, extra: str) -> None:
    session.install("-c", "constraints.txt", "-e", f".[{extra}]")


@nox.session
def tests(session: nox.Session) -> None:
    """Every promise of every member, with shapes checked; then what compiles."""
    install(session, "test")
    session.run("pytest", *session.posargs)
    session.run("pytest", "-o", "addopts=", "-m", "compiled")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    install(session, "dev")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Pyright strict over src, and the whole public interface typed."""
    install(session, "dev")
    session.run("pyright", "--pythonpath", f"{session.bin}/python")
    session.run("pyright", "--verifytypes", "latent_anchors", "--ignoreexternal")


@nox.session
def doctests(session: nox.Session) -> None:
    """Every example in a docstring prints what it says."""
    install(session, "test")
    session.run("pytest", "-o", "addopts=", "--doctest-modules", "src")


@nox.session
def examples(session: nox.Session) -> None:
    """Every example script, a few steps of everything."""
    install(session, "dev")
    session.run("python", ".ci/examples.py", "--smoke")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, with warnings as errors."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build/html")
