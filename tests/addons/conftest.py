"""`oracle.py` runs where TensorFlow Addons is installed, which is not here."""

collect_ignore = ["oracle.py"]
