"""From a downloaded archive to a prepared folder: arrays of one size, and an index."""

from imbclf.data.preparation.prepare import Outcome, plan, prepare
from imbclf.data.preparation.subject import LeftOut, Subject

__all__ = ["LeftOut", "Outcome", "Subject", "plan", "prepare"]
