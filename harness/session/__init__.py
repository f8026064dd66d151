"""The only orchestrator of a run: start, verify, measure, gate, retry, record."""

from harness.session.session import TRIES, Bench, Extend, as_planned, measure

__all__ = ["TRIES", "Bench", "Extend", "as_planned", "measure"]
