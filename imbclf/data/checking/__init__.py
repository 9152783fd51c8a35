"""What is wrong with a data set, before anything is trained on it."""

from imbclf.data.checking.check import check_index
from imbclf.data.checking.finding import Finding
from imbclf.data.checking.report import CheckReport

__all__ = ["CheckReport", "Finding", "check_index"]
