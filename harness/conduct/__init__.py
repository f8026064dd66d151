"""The only orchestrator: blocks of fresh servers, verified, measured slot by slot, each saved before the next."""

from harness.conduct.attempt import Engine
from harness.conduct.blocks import Alone, Extend, Outcome, conduct, latest_attempts

__all__ = ["Alone", "Engine", "Extend", "Outcome", "conduct", "latest_attempts"]
