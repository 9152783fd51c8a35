"""Images, labels and splits: reading them, checking them, dividing them."""

from imbclf.data.arrays import ImageArray
from imbclf.data.dataset import Dataset
from imbclf.data.digits import long_tailed_digits
from imbclf.data.files import ImageFiles
from imbclf.data.folder import read_folder
from imbclf.data.index import read_index
from imbclf.data.leakage import check_leakage
from imbclf.data.medmnist import read_medmnist
from imbclf.data.nifti import NiftiImage, read_nifti, read_nifti_labels
from imbclf.data.nifti_writing import write_nifti
from imbclf.data.opening import open_dataset
from imbclf.data.split_file import read_split, write_split
from imbclf.data.splits import assign_splits, check_split
from imbclf.data.unlabelled import open_images

__all__ = [
    "Dataset",
    "ImageArray",
    "ImageFiles",
    "NiftiImage",
    "assign_splits",
    "check_leakage",
    "check_split",
    "long_tailed_digits",
    "open_dataset",
    "open_images",
    "read_folder",
    "read_index",
    "read_medmnist",
    "read_nifti",
    "read_nifti_labels",
    "read_split",
    "write_nifti",
    "write_split",
]
