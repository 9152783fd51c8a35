"""MRI of gliomas: patients of three archives, their markers, and how their scans become arrays."""

from imbclf.data.preparation.mri.dicom import read_dicom_series
from imbclf.data.preparation.mri.glioma import GLIOMA_CLASSES, read_glioma, who_2021_class
from imbclf.data.preparation.mri.scan import Scan

__all__ = ["GLIOMA_CLASSES", "Scan", "read_dicom_series", "read_glioma", "who_2021_class"]
