import pytest

from tests.backend import BACKEND


def pytest_collection_modifyitems(items):
    """On JAX, which compiles anew for every shape, sums of losses that are tested by themselves are slow tests."""
    for item in items:
        case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        if BACKEND == "jax" and getattr(case, "kind", None) == "mixed":
            item.add_marker(pytest.mark.slow)
