from pathlib import Path

import pytest

from imbclf.errors import InputError
from imbclf.training.config import Config, load_config


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("name: here\nloss: Focal\ntraining: {epochs: 7}\n")
    return path


def test_file_and_overrides_fill_in_the_defaults(path):
    config = load_config(path, ["training.batch_size=16", "loss.gamma=3", "data.image_size=[32, 40]", "seed=4"])
    assert config.training.epochs == 7
    assert config.training.batch_size == 16
    assert config.loss.name == "Focal"
    assert config.loss.options == {"gamma": 3}
    assert config.data.image_size == (32, 40)
    assert config.run_dir == Path("runs/here-seed4")


def test_override_of_a_name_replaces_its_options(path):
    config = load_config(path, ["loss={name: Focal, gamma: 3}", "loss=CEPlusMCC"])
    assert config.loss.name == "CEPlusMCC"
    assert config.loss.options == {}


def test_printed_configuration_reads_back_as_itself(path, tmp_path):
    config = load_config(path, ["augment=[RandomFlip, {name: RandomGamma, gamma: [0.5, 1.5]}]"])
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert load_config(tmp_path / "again.yaml") == config


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epoch=3", "Unknown key training.epoch in the overrides; did you mean training.epochs?"),
        ("trainng.epochs=3", "Unknown key trainng in the overrides; did you mean training?"),
        ("epochs=3", "Unknown key epochs in the overrides; did you mean training.epochs?"),
        ("data.qqqqq=3", "Unknown key data.qqqqq in the overrides; known here are root, class_names, validation"),
        ("training.epochs=many", "training.epochs in the overrides: input should be a valid integer"),
        (
            "training.epochs=0",
            "training.epochs in the overrides: input should be greater than or equal to 1; received 0",
        ),
        ("data.channels=2", "data.channels in the overrides: input should be 1 or 3; received 2"),
        ("sampling.batches=even", "sampling.batches in the overrides: input should be 'uniform' or 'balanced'"),
        ("loss=3", "loss in the overrides"),
        ("model.width", "Expected key=value, received 'model.width'"),
        ("model.width=[", "The value of model.width is not YAML"),
    ],
)
def test_bad_key_or_value_gets_one_sentence_that_names_it(path, override, sentence):
    with pytest.raises(InputError) as error:
        load_config(path, [override])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_key_in_the_file_names_the_file(path):
    path.write_text("modle: {width: 3}")
    with pytest.raises(InputError, match=r"Unknown key modle in .*run.yaml; did you mean model\?"):
        load_config(path)


@pytest.mark.parametrize(("text", "sentence"), [("[1, 2]", "must hold keys"), ("a: [", "cannot be read as YAML")])
def test_file_that_is_no_configuration_is_refused(path, text, sentence):
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        load_config(path)
    with pytest.raises(InputError, match="no configuration file"):
        load_config(path.parent / "none.yaml")


@pytest.mark.parametrize("config", sorted(Path("configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_of_the_project_is_valid(config):
    assert isinstance(load_config(config), Config)
