import pytest

from tests.backend import BACKEND


def pytest_collection_modifyitems(items):
    """On JAX, which compiles anew for every shape, flat images are slow tests: they take the code that volumes take."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if BACKEND == "jax" and "augment" in item.path.parts and len(parameters.get("shape", ())) == 4:
            item.add_marker(pytest.mark.slow)
