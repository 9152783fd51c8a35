import os
import subprocess
import sys

from tests.backend import BACKEND


def test_two_devices_give_the_gradient_of_one():
    environment = {**os.environ, "KERAS_BACKEND": BACKEND, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "tests/losses/replicas.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "losses agree" in done.stdout
