"""The only orchestrator of a run: start, verify, measure, gate, retry, record."""

from harness.session.session import TRIES, Bench, Extend, Outcome, as_planned, measure
from harness.session.turns import Engine

__all__ = ["TRIES", "Bench", "Engine", "Extend", "Outcome", "as_planned", "measure"]
