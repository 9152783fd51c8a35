"""Images, labels and splits: reading them, checking them, dividing them."""

from imbclf.data.array_files import ArrayFiles
from imbclf.data.arrays import ImageArray
from imbclf.data.dataset import Dataset
from imbclf.data.digits import long_tailed_digits
from imbclf.data.download import download_medmnist
from imbclf.data.files import ImageFiles
from imbclf.data.folder import read_folder
from imbclf.data.folds import k_fold, k_folds
from imbclf.data.index import read_index
from imbclf.data.leakage import check_leakage
from imbclf.data.medmnist import read_medmnist
from imbclf.data.nifti import NiftiImage, read_nifti, read_nifti_labels
from imbclf.data.nifti_writing import write_nifti
from imbclf.data.normalization import normalize_image
from imbclf.data.opening import open_dataset
from imbclf.data.pairs import read_pair_folders, read_pair_index
from imbclf.data.segmentation import Case, SegmentationDataset
from imbclf.data.segmentation_opening import open_segmentation
from imbclf.data.shapes import segmentation_shapes
from imbclf.data.sites import hold_out_site
from imbclf.data.split_file import read_split, write_split
from imbclf.data.splits import assign_splits, check_split
from imbclf.data.thinning import thin_class
from imbclf.data.unlabelled import open_images
from imbclf.data.volume_file import Volume, read_volume
from imbclf.data.volumes import LabelArrays, LabelFiles, VolumeArrays, VolumeFiles

__all__ = [
    "ArrayFiles",
    "Case",
    "Dataset",
    "ImageArray",
    "ImageFiles",
    "LabelArrays",
    "LabelFiles",
    "NiftiImage",
    "SegmentationDataset",
    "Volume",
    "VolumeArrays",
    "VolumeFiles",
    "assign_splits",
    "check_leakage",
    "check_split",
    "download_medmnist",
    "hold_out_site",
    "k_fold",
    "k_folds",
    "long_tailed_digits",
    "normalize_image",
    "open_dataset",
    "open_images",
    "open_segmentation",
    "read_folder",
    "read_index",
    "read_medmnist",
    "read_nifti",
    "read_nifti_labels",
    "read_pair_folders",
    "read_pair_index",
    "read_split",
    "read_volume",
    "segmentation_shapes",
    "thin_class",
    "write_nifti",
    "write_split",
]
