"""One session per promise: `nox -R -s tests` checks one, `nox -R` the usual ones."""

from pathlib import Path
from tempfile import TemporaryDirectory

import nox

HUES = (
    *("red", "orange", "yellow", "lime", "green", "teal"),
    *("cyan", "azure", "blue", "violet", "magenta", "rose"),
)

PYTHONS = ("3.11", "3.12", "3.13")
"""Each has a session, such as `tests-3.12`; `tests` is for the one that runs nox."""

nox.options.sessions = ["lint", "types", "tests", "doctests"]
nox.options.reuse_existing_virtualenvs = True


def install(session: nox.Session, extra: str) -> None:
    session.install("-c", "constraints.txt", "-e", f".[{extra}]")


@nox.session
def tests(session: nox.Session) -> None:
    """Every promise of every member, with shapes checked; then what compiles."""
    install(session, "test")
    session.run("pytest", *(session.posargs or ("-n", "auto")))
    compiled = ("-o", "addopts=--import-mode=importlib", "-m", "compiled", "-n", "auto")
    session.run("pytest", *compiled)


for version in PYTHONS:
    nox.session(tests, name=f"tests-{version}", python=version)


@nox.session
def savings(session: nox.Session) -> None:
    """Damage 4,000 savings; kill 300 on the way, and 100 trainings; fill a disk."""
    install(session, "test")
    alone = {"PYTHONPATH": "tests", "OMP_NUM_THREADS": "1"}
    session.run("python", "-m", "store.fuzzing", "4000", env=alone)
    session.run("python", "-m", "store.killing", "300", "100", env=alone)


@nox.session
def interrupts(session: nox.Session) -> None:
    """An interrupt at every line of nested blocks, one after the other; the suite tries some."""
    install(session, "test")
    session.run("pytest", "tests/hooks/test_blocks.py", env={"EVERY_LINE": "1"})


@nox.session(name="tests-lowest")
def oldest(session: nox.Session) -> None:
    """Hooks, edits, concepts, training, every room's door: with the oldest versions admitted."""
    session.install("-e", ".", *lower_bounds("test"))
    rooms = ("tests/hooks", "tests/interventions", "tests/concepts")
    tried = ("tests/test_rooms.py", "tests/training/test_fit.py", *rooms, "-n", "auto")
    # old versions are warned of what is newer beneath them
    session.run("pytest", "-o", "filterwarnings=default", *(session.posargs or tried))


def lower_bounds(*extras: str) -> list[str]:
    """Each dependency that pyproject.toml names, at the oldest version that it admits."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    optional = project["optional-dependencies"]
    named = [*project["dependencies"], *(line for extra in extras for line in optional[extra])]
    return [line.replace(">=", "==") for line in named if ">=" in line]


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
def mutations(session: nox.Session) -> None:
    """Mistakes put into a room on purpose: `-- ROOM [--mutants 40] [--seed 0] [--survivors]`."""
    install(session, "test")
    session.run("python", "-m", "mutations", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def pictures(session: nox.Session) -> None:
    """Draw anew the pictures that figures are compared with; look at them before you commit."""
    install(session, "test")
    session.run("python", "-m", "viz.pictures", env={"PYTHONPATH": "tests"})


@nox.session
def examples(session: nox.Session) -> None:
    """Every example script, a few steps of everything."""
    install(session, "dev")
    for example in sorted(Path("examples").glob("*.py")):
        session.run("python", str(example), "--smoke", env={"MPLBACKEND": "agg"})


@nox.session
def docs(session: nox.Session) -> None:
    """The site, with warnings as errors."""
    install(session, "docs")
    built = "docs/_build/html"
    threads = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    options = ("-W", "--keep-going", "-j2", *session.posargs)
    session.run("sphinx-build", *options, "docs", built, env=threads)
    session.run("python", "docs/check_site.py", built)


@nox.session
def results(session: nox.Session) -> None:
    """The results page, from what the evidence session wrote, if it did."""
    session.install("-c", "constraints.txt", "-e", ".")
    written = Path("results/evidence")
    session.run("python", "docs/results.py", *([str(written)] if written.exists() else []))


@nox.session
def package(session: nox.Session) -> None:
    """Both distributions: metadata, and each tried alone; `-- newest` or `-- lowest` for one."""
    session.install("-c", "constraints.txt", "build", "twine")
    with TemporaryDirectory() as folder:
        session.run("python", "-m", "build", "--outdir", folder)
        built = sorted(Path(folder).iterdir())
        session.run("twine", "check", "--strict", *map(str, built))
        for distribution in built:
            for name in session.posargs or ("newest", "lowest"):
                versions = torch_of_constraints() if name == "newest" else lower_bounds()
                try_alone(session, distribution, versions)


def torch_of_constraints() -> list[str]:
    """Newer ones may be gigabytes, for CUDA; of all other dependencies pip takes the newest."""
    lines = Path("constraints.txt").read_text().splitlines()
    return [line for line in lines if line.startswith("torch==")]


def try_alone(session: nox.Session, distribution: Path, versions: list[str]) -> None:
    """README's first lines and an example: in an empty folder, with nothing else installed."""
    root = Path.cwd()
    lines = "from test_readme import measured; print(*measured(8), sep='\\n')"
    with TemporaryDirectory() as folder, session.chdir(folder):
        session.run("python", "-m", "venv", "alone")
        python = f"{folder}/alone/bin/python"
        pip = ("-m", "pip", "install", "-q")
        session.run(python, *pip, str(distribution), *versions, external=True)
        session.run(python, "-c", lines, env={"PYTHONPATH": f"{root}/tests"}, external=True)
        example = (f"{root}/examples/anchor_red.py", "--smoke")
        session.run(python, *example, env={"MPLBACKEND": "agg", "PYTHONPATH": ""}, external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Side by side with plain PyTorch, as ratios."""
    install(session, "bench")
    report = "--benchmark-json=results/benchmarks.json"
    session.run("pytest", "-o", "addopts=", "tests/benchmarks", "-s", report, *session.posargs)
    session.run("python", "docs/benchmarks.py", "results/benchmarks.json")


@nox.session
def evidence(session: nox.Session) -> None:
    """The long runs: every example and concept on sixty seeds or nine, and what must hold."""
    install(session, "test")
    colors = ("mlp_bottleneck", "curriculum_learning", "smooth_curriculum")
    labels = ("sparse_labels", "regularizer_combinations")
    for name in (*colors, *labels, "delete_hue", "relearn_red"):
        sixty(session, name, name)
    for hue in HUES:
        for name in ("anchor_red", "mute_red", "delete_red"):
            sixty(session, name, f"{name}/{hue}", "--concept", hue)
        sixty(session, "mute_red", f"mute_red_graded/{hue}", "--graded", "--concept", hue)
    run(session, "compare_methods", "compare_methods", 24, "--full")
    for hue in ("red", "orange", "azure"):
        run(session, "pictures", f"pictures/{hue}", 16, "--concept", hue)
    run(session, "pictures", "pictures_removed/red", 16, "--removed")
    run(session, "faces", "faces", 16)
    for topic in ("animal", "person", "artifact", "plant"):
        run(session, "words", f"words/{topic}", 5, "--full", "--concept", topic)
    for topic in ("animal", "person"):
        run(session, "words", f"words_rivals/{topic}", 5, "--full", "--rivals", "--concept", topic)
    run(session, "words", "words_wrong/animal", 5, "--full", "--wrong", "0.05")
    run(session, "words", "words_longer/animal", 2, "--full", "--steps", "3000")
    run(session, "words", "words_pull/animal", 4, "--full", "--pull", "0.12")
    german = ("--full", "--concept", "german", "--first-seed", "1")
    run(session, "words", "words/german", 3, *german)
    run(session, "words_together", "words_together", 5, "--full")
    run(session, "words_removed", "words_removed/animal", 5, "--full")
    run(session, "relearn_mixing", "relearn_mixing", 3, "--full")
    for name in ("color_mixing", "compare_mixing", "many_concepts", "anchor_operation"):
        run(session, name, name, 9, "--full")
    run(session, "compare_mixing", "compare_mixing_rivals", 9, "--full", "--rivals")
    run(session, "compare_mixing", "compare_mixing_labels", 9, "--full", "--labels", "0.01")
    run(session, "oracle_mixing", "oracle_mixing", 9, "--full")
    run(session, "oracle_mixing", "oracle_mixing_attacks", 9, "--full", "--attacks")
    run(session, "color_mixing", "color_mixing_prenorm", 3, "--full", "--prenorm")
    session.run("pytest", "-o", "addopts=", "tests/evidence", *session.posargs)


def sixty(session: nox.Session, example: str, folder: str, *arguments: str) -> None:
    """Sixty seeds of an example."""
    run(session, example, folder, 60, *arguments)


def run(session: nox.Session, example: str, folder: str, seeds: int, *arguments: str) -> None:
    """Some seeds of an example, its results under `results/evidence`."""
    out = ("--seeds", str(seeds), "--out", f"results/evidence/{folder}")
    session.run("python", f"examples/{example}.py", *out, *arguments, env={"MPLBACKEND": "agg"})
