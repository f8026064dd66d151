"""Targets × scenarios → blocks of windows: what is measured, in which order, in what time. Pure."""

from harness.plan.contrasts import TWIN, with_twin
from harness.plan.make import make_plan
from harness.plan.points import expand, lacking, point_at, serves

__all__ = ["TWIN", "expand", "lacking", "make_plan", "point_at", "serves", "with_twin"]
