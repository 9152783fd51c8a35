import os
import subprocess
import sys

import pytest

from tests.backend import BACKEND


@pytest.mark.parametrize("losses", ["kinds", pytest.param("all", marks=pytest.mark.slow)])
def test_two_devices_give_the_gradient_of_one(losses):
    environment = {**os.environ, "KERAS_BACKEND": BACKEND, "TF_CPP_MIN_LOG_LEVEL": "3"}
    program = [sys.executable, "tests/losses/replicas.py", losses]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "losses agree" in done.stdout
