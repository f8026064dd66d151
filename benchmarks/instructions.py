"""How often instructions find a slowdown of 0.5%, call the same app different, and how far fresh starts lie apart.

    python benchmarks/instructions.py found  [--target NAME] [--share 0.005] [--repeats 20]
    python benchmarks/instructions.py same   [--target NAME] [--repeats 40]
    python benchmarks/instructions.py starts [TARGET…] [--starts 3] [-c 1] [-s json]

The injected share is that of the loop's own instructions, which are counted with many more of its turns. Other
programs may run meanwhile: this is the point. With ``--folder`` the counts are kept, and a later call goes on.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.model import Plan, Point, Scenario, Side, Target
from harness.plan.counting import AT_ONCE, counting_block
from harness.prepare.asked import scenario_point
from harness.prepare.choose import chosen_target
from harness.prepare.manifest import new_manifest
from harness.prepare.versus import REQUESTS, further_starts
from harness.record import Run
from harness.results.instructions import STARTS, InstructionResult, counts_of, result_of, values_of
from harness.selftest.slowdown import slowed
from harness.serve.services import Services, needs_of, services
from harness.session import Bench, measure

CALIBRATION_TURNS, UNLIMITED_S = 20_000, 1e9
REFERENCE = (
    "fastapi-uvicorn", "starlette-uvicorn", "flask-gunicorn-gthread", "django-gunicorn-gthread", "fastapi-granian",
    "tornado-native",
)  # fmt: skip


class Counting:
    """Counts targets at one point, in a folder per comparison."""

    def __init__(self, folder: Path, point: Point, engine: Engine, around: Services) -> None:
        self.folder, self.point = folder, point
        self._placement = detect()
        self._bench = Bench(engine, self._placement, services=around, features=False)

    def starts(self, name: str, targets: Sequence[Target], starts: int) -> Run:
        """So many starts of the targets, all of them counted at the same time; those that are missing."""
        folder, point = self.folder / name, self.point
        if folder.is_dir():
            run = Run.open(folder)
        else:
            sides = [Side(target.name, point.id) for target in targets]
            blocks = tuple(counting_block(index, 0, [sides], REQUESTS) for index in range(starts))
            plan = Plan("instructions", 0, UNLIMITED_S, 0.0, (point,), (), blocks)
            scenario = Scenario(point.scenario, point.id, "real", "", point.requests, (point.concurrency,))
            run = Run.create(
                folder,
                new_manifest(
                    plan, targets, (scenario,), placement=self._placement, command="", results=self.folder
                ),
            )  # fmt: skip
        self._measure(run)
        return run

    def decided(self, name: str, pair: tuple[Target, Target]) -> tuple[InstructionResult, float]:
        """As ``harness versus --metric instructions`` goes about it, without a limit of time; and its seconds."""
        run = self.starts(name, pair, STARTS[0])
        while True:
            plan = run.manifest.plan
            result = result_of(plan, run.windows())
            assert result is not None
            done = len(plan.blocks)
            if result.decided(None) or done == STARTS[-1]:
                return result, run.manifest.duration_s
            more = further_starts(plan, done, 1)
            run.update(replace(run.manifest, plan=replace(plan, blocks=(*plan.blocks, *more.blocks))))
            self._measure(run)

    def _measure(self, run: Run) -> None:
        if {window.id for window in run.manifest.plan.windows} <= {record.id for record in run.windows()}:
            return
        measure(run, self._bench)
        for record in run.windows():
            for failure in (*record.failures, *record.gates):
                raise SystemExit(f"{failure.target}: {failure.reason.text}")


def repeated(counting: Counting, name: str, pair: tuple[Target, Target], repeats: int, truth: float) -> None:
    """Compares the two so often; ``truth`` is what the ratio of A and B should be."""
    verdicts, took = list[str](), list[float]()
    for number in range(1, repeats + 1):
        result, seconds = counting.decided(f"{name}-{number:02d}", pair)
        took.append(seconds)
        apart = result.verdict in ("different", "different-size-open", "small")
        verdicts.append("found" if apart else "not found")
        ends = f"[{result.ratio.ci_low:.5f}, {result.ratio.ci_high:.5f}]"
        print(
            f"{number:3d}  {verdicts[-1]:9}  {result.ratio.value:.5f} {ends}, truth {truth:.5f}: {result.verdict}, "
            f"{result.starts} starts, {seconds:.0f} s",
            flush=True,
        )
    print(f"found in {verdicts.count('found')} of {repeats}, in {statistics.median(took):.0f} s each (median)")


def injected(counting: Counting, target: Target, share: float, repeats: int) -> None:
    books = counting.folder.resolve() / "books"
    books.mkdir(parents=True, exist_ok=True)
    none, calibration = (
        slowed(target, turns, books / f"{target.name}-{turns}", f"{target.name}+{turns}")
        for turns in (0, CALIBRATION_TURNS)
    )
    run = counting.starts(f"{target.name}-calibration", (none, calibration), 1)
    counts = counts_of(run.windows())
    plain, burdened = (float(values_of(counts, side).mean()) for side in run.manifest.plan.windows[0].sides)
    turn = (burdened - plain) / CALIBRATION_TURNS
    turns = round(share * plain / turn)
    print(f"{target.name}: {plain:,.0f} instructions per request, {turn:.1f} per turn: {turns} turns", flush=True)
    loaded = slowed(target, turns, books / f"{target.name}-{turns}", f"{target.name}+{share:.1%}")
    repeated(counting, f"{target.name}-found", (loaded, none), repeats, 1 + turns * turn / plain)


def apart(counting: Counting, targets: Sequence[Target], times: int) -> None:
    """A few targets at a time, as in a run."""
    for at in range(0, len(targets), AT_ONCE):
        some = targets[at : at + AT_ONCE]
        run = counting.starts(f"{some[0].name}-{counting.point.id}", some, times)
        for side, counts in counts_of(run.windows()).items():
            values = [each.per_request for each in counts.values()]
            mean = statistics.mean(values)
            sd = statistics.stdev(values) / mean if len(values) > 1 else float("nan")
            collections = statistics.mean(each.collections for each in counts.values())
            print(
                f"{side.target:28} {side.point:20} {mean / 1e3:9.2f} thousand, sd {sd:.3%} of {len(values)}; "
                f"collections of garbage {collections / 1e3:.2f} thousand",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("found", "same", "starts"))
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--target", default="starlette-uvicorn")
    parser.add_argument("--share", type=float, default=0.005)
    parser.add_argument("--repeats", type=int, default=0)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("-c", "--concurrency", type=int, default=1)
    parser.add_argument("-s", "--scenario", default="json")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    target, point = chosen_target(given.target), scenario_point(given.scenario, given.concurrency)
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(Engine(detect().generator))
        around = stack.enter_context(services(needs_of(request.endpoint for request in point.requests)))
        counting = Counting(folder, point, engine, around)
        if given.what == "found":
            injected(counting, target, given.share, given.repeats or 20)
        elif given.what == "same":
            twin = replace(target, name=f"{target.name} (A)")
            repeated(counting, f"{target.name}-same", (twin, target), given.repeats or 40, 1.0)
        else:
            apart(counting, [chosen_target(name) for name in given.targets or REFERENCE], given.starts)


if __name__ == "__main__":
    main()
