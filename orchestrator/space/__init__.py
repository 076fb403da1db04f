"""The search space: typed parameters, conditions and constraints. Plain frozen data; knows no sampler."""

from orchestrator.space.parameters import Categorical, Fixed, Float, Int, Parameter

__all__ = ["Categorical", "Fixed", "Float", "Int", "Parameter"]
