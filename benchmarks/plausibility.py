"""Ratios of throughput that others have published, measured here on GET /json, side by side with what was published.

    python -m benchmarks.plausibility [--budget 150] [--seed 1] [--only TEXT] [--keep FOLDER]

A ratio outside of the published range is not wrong: the last column says what differs. Pairs that are not
installed are skipped. Nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import session
from harness.config import ContrastIn, load_declarations
from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.model import Manifest, Target
from harness.plan import make_plan, with_twin
from harness.plan.profiles import Profile
from harness.prepare.select import parse_target, select_scenarios
from harness.record import Run
from harness.report.language.catalogue import ENGLISH
from harness.results.summarise import summarise
from harness.results.summary import ContrastResult
from harness.serve.servers import missing_for

FAST, SLOW = "uvicorn,loop=uvloop,http=httptools", "uvicorn,loop=asyncio,http=h11"
BARE = {
    "bare-starlette": f"benchmarks.bare:starlette@{FAST}",
    "bare-fastapi": f"benchmarks.bare:fastapi@{FAST}",
    "bare-fastapi-response": f"benchmarks.bare:fastapi_response@{FAST}",
    "bare-fastapi-declared": f"benchmarks.bare:fastapi_declared@{FAST}",
    "bare-starlette-slow": f"benchmarks.bare:starlette@{SLOW}",
    "bare-fastapi-slow": f"benchmarks.bare:fastapi@{SLOW}",
}


@dataclass(frozen=True, slots=True)
class Published:
    """Throughput of ``a`` ÷ ``b``, the first pair that is there, and why ours may differ."""

    label: str
    pairs: tuple[tuple[str, str], ...]
    low: float
    high: float
    why: str


PUBLISHED = (
    Published(
        "FastAPI ÷ Starlette, apps of the contract",
        (("fastapi-uvicorn", "starlette-uvicorn"),),
        0.65,
        0.85,
        "see the bare apps: neither middleware nor the declared reply is what differs",
    ),
    Published("the same, bare apps", (("bare-fastapi", "bare-starlette"),), 0.65, 0.85, "one route, no middleware"),
    Published(
        "the same, FastAPI returning a response itself",
        (("bare-fastapi-response", "bare-starlette"),),
        0.65,
        0.85,
        "without what FastAPI does to a returned dict",
    ),
    Published(
        "the same, bare apps, h11 on asyncio",
        (("bare-fastapi-slow", "bare-starlette-slow"),),
        0.65,
        0.85,
        "a server that costs more dilutes the difference: the slower the server, the nearer to 1",
    ),
    Published(
        "FastAPI with a declared reply ÷ without",
        (("bare-fastapi-declared", "bare-fastapi"),),
        0.0,
        0.0,
        "what the declared reply alone takes",
    ),
    Published(
        "Uvicorn, httptools ÷ h11, raw app",
        (
            ("raw-asgi-uvicorn", "raw-asgi-uvicorn-uvloop-h11"),
            ("raw-asgi-uvicorn-asyncio", "raw-asgi-uvicorn-h11-asyncio"),
        ),
        2.5,
        3.5,
        "about 3 is published",
    ),
    Published(
        "Granian ÷ Uvicorn, raw app",
        (("raw-asgi-granian", "raw-asgi-uvicorn"),),
        1.5,
        2.5,
        "not shown why; here all threads of a server share one CPU, and Granian's runtime has one besides Python's",
    ),
    Published(
        "raw ASGI ÷ FastAPI",
        (("raw-asgi-uvicorn", "fastapi-uvicorn"),),
        3.5,
        4.5,
        "about 4 is published",
    ),
    Published(
        "FastAPI ÷ Flask (gthread)",
        (("fastapi-uvicorn", "flask-gunicorn-gthread"),),
        0.8,
        2.2,
        "one worker and one CPU each; gunicorn in pure Python, Uvicorn with parts in C",
    ),
)


def installed() -> dict[str, Target]:
    known = {target.name: target for target in load_declarations().targets}
    known |= {target.name: target for target in (parse_target(f"{text},name={name}") for name, text in BARE.items())}
    return {name: target for name, target in known.items() if not missing_for(target)}


def measure(pairs: list[tuple[str, str]], targets: dict[str, Target], budget_s: float, seed: int, folder: Path) -> Run:
    names = dict.fromkeys(name for pair in pairs for name in pair)
    chosen = with_twin([targets[name] for name in names])
    scenarios = select_scenarios(load_declarations(), ["json"])
    declared = [ContrastIn(question="ladder", a=a, b=b, scenarios=["json"]) for a, b in pairs]
    profile = Profile("plausibility", budget_s, 5, 5, "full", variants=("*",))
    plan = make_plan(chosen, scenarios, declared, profile, seed=seed)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    command = "python -m benchmarks.plausibility"
    manifest = Manifest("plausibility", "", created, "running", command, seed, plan, chosen, scenarios, {}, {})
    run, placement = Run.create(folder, manifest), detect()
    with Engine(placement.generator) as engine:
        session.measure(run, session.Bench(engine, placement))
    return run


def line(published: Published, own: ContrastResult | None) -> str:
    wanted = f"{published.low:g} to {published.high:g}" if published.high else ""
    if own is None or own.ratio is None or own.ci_low is None or own.ci_high is None:
        return f"{published.label:<46} {'not measured':<24} {wanted:<10} {ENGLISH.reasons(own.reasons) if own else ''}"
    measured = f"{own.ratio:.2f} [{own.ci_low:.2f}, {own.ci_high:.2f}]"
    overlaps = own.ci_low <= published.high and own.ci_high >= published.low
    word = "" if not published.high else "agrees" if overlaps else "differs"
    return f"{published.label:<46} {measured:<24} {wanted:<10} {word:<8} {published.why}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--budget", type=float, default=150, help="seconds (default: 150)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="ratios whose label holds this text (default: all)")
    parser.add_argument("--keep", type=Path, help="folder for the run's data (default: a temporary one)")
    options = parser.parse_args()
    targets = installed()
    wanted = [each for each in PUBLISHED if options.only in each.label]
    chosen = {each: pair for each in wanted if (pair := next((p for p in each.pairs if set(p) <= set(targets)), None))}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "run"
        run = measure(list(chosen.values()), targets, options.budget, options.seed, folder)
        summary = summarise(run.manifest, run.windows(), run.samples)
    results = {(c.a.target, c.b.target): c for c in summary.contrasts if c.metric == "throughput"}
    print(
        f"{summary.blocks} blocks, {summary.duration_s:.0f} s; {summary.badge}: "
        f"{ENGLISH.reasons(summary.reasons) or 'sound'}"
    )
    print(f"{'throughput on json':<46} {'measured':<24} {'published':<10}")
    for each in wanted:
        print(line(each, results.get(chosen.get(each, ("", "")))))


if __name__ == "__main__":
    main()
