from pathlib import Path

import pytest

from ragkit.errors import SettingsError
from ragkit.settings import Settings


def test_what_is_given_goes_before_the_file(tmp_path):
    file = tmp_path / "ragkit.toml"
    file.write_text("chunk_tokens = 100\nevidence_sentences = 3\n")
    settings = Settings.load(file, chunk_tokens=64, model=None)
    assert (settings.chunk_tokens, settings.evidence_sentences, settings.model) == (64, 3, None)


@pytest.mark.parametrize(
    ("content", "named"),
    [("chunk_size = 3\n", "chunk_size"), ("chunk_tokens = 1\n", "chunk_tokens"), ("chunk_tokens = \n", "TOML")],
    ids=["unknown name", "out of bounds", "not TOML"],
)
def test_a_bad_setting_is_named_with_its_file(tmp_path, content, named):
    file = tmp_path / "ragkit.toml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=named) as error:
        Settings.load(file)
    assert "ragkit.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_settings_file_is_named():
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        Settings.load(Path("nowhere.toml"))
