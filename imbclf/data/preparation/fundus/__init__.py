"""Fundus photographs: whose they are, what they show, and how they become arrays."""

from imbclf.data.preparation.fundus.ahn import CLASS_NAMES, read_ahn
from imbclf.data.preparation.fundus.photographs import Photograph
from imbclf.data.preparation.fundus.table import class_names_of, read_fundus_table

__all__ = ["CLASS_NAMES", "Photograph", "class_names_of", "read_ahn", "read_fundus_table"]
