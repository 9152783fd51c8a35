import pytest

from tests.data.preparation.preparing import (
    write_sources,
)


@pytest.fixture
def source(tmp_path):
    return write_sources(tmp_path / "source", 5)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"
