"""Drawing one eye: the disc and its damage, the vessels, the photograph."""
