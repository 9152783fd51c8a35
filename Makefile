PYTHON ?= python3
BIN := .venv/bin
# Tests of what runs on any backend; the rest of the package only talks to these.
ANY_BACKEND := tests/test_statistics.py tests/losses tests/metrics tests/sampling/test_contract.py tests/augment \
	tests/analysis/test_gradient_mass.py tests/analysis/test_marginal_penalties.py
PYTEST := TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -n 2

.PHONY: install demo test test-slow test-torch test-tfa lint format clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

# Drawn photographs of glaucoma, laid out as the public archive, on the way that real ones take.
DEMO := runs/demo
demo: install
	$(BIN)/imbclf prepare phantom-glaucoma --out $(DEMO)/archive --count 1200 --size 128 --workers 2
	$(BIN)/imbclf prepare glaucoma --source $(DEMO)/archive --out $(DEMO)/prepared --size 64 --workers 2 \
		--train-csv $(DEMO)/archive/train.csv --test-csv $(DEMO)/archive/test.csv
	$(BIN)/imbclf check $(DEMO)/prepared/index.csv --full --figure $(DEMO)/classes.png
	$(BIN)/imbclf train configs/glaucoma_small.yaml data.root=$(DEMO)/prepared output=$(DEMO)/run --overwrite

test: install
	KERAS_BACKEND=tensorflow $(PYTEST) -m "not slow"
	KERAS_BACKEND=jax $(PYTEST) -m "not slow" $(ANY_BACKEND)

test-slow: install
	KERAS_BACKEND=tensorflow $(PYTEST) -m slow
	KERAS_BACKEND=jax $(PYTEST) tests/models
	KERAS_BACKEND=jax $(PYTEST) -m slow tests/losses tests/augment

# PyTorch in an environment of its own: plain `pip install torch` brings gigabytes of GPU packages.
test-torch: .venv-torch/installed
	KERAS_BACKEND=torch TF_CPP_MIN_LOG_LEVEL=3 .venv-torch/bin/python -m pytest -n 2 -m "not slow" \
		tests/losses tests/test_statistics.py tests/augment --ignore tests/losses/test_replicas.py

.venv-torch/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv --without-pip .venv-torch
	$(PYTHON) -m pip --python .venv-torch/bin/python install --quiet --constraint constraints.txt \
		--editable '.[test]' torch==2.13.0
	touch $@

# TensorFlow Addons runs only beside TensorFlow 2.15, so it computes its values in an environment of its own.
test-tfa: install .venv-tfa/installed
	mkdir -p build
	TF_CPP_MIN_LOG_LEVEL=3 .venv-tfa/bin/python -W ignore tests/addons/oracle.py build/addons_oracle.npz
	IMBCLF_ADDONS_ORACLE=$(CURDIR)/build/addons_oracle.npz KERAS_BACKEND=tensorflow $(PYTEST) tests/addons

.venv-tfa/installed: tests/addons/requirements.txt
	python3.11 -m venv --without-pip .venv-tfa
	$(PYTHON) -m pip --python .venv-tfa/bin/python install --quiet --requirement $<
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-torch .venv-tfa build *.egg-info .pytest_cache .ruff_cache .hypothesis
