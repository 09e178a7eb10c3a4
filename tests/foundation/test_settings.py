"""Where settings come from, which place wins, and what a wrong one says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from attache.foundation import dotenv
from attache.foundation.settings import FACTS, NAMES, Settings, config_file, home, load
from attache.schema.errors import SettingsError


class Machine:
    """A user's folders, empty at first, and one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {"HOME": str(root), "ATTACHE_HOME": str(root / "state"), "XDG_CONFIG_HOME": str(root / "config")}
        self.user_file = root / "config" / "attache" / "settings.toml"
        self.workspace = root / "work"
        self.workspace_file = self.workspace / ".attache" / "settings.toml"

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")

    def load(self, *, trusted: bool = False, **overrides) -> Settings:
        return load(self.workspace, overrides=overrides, environ=self.environ, trusted=trusted)

    def refusal(self, *, trusted: bool = False, **overrides) -> SettingsError:
        with pytest.raises(SettingsError) as caught:
            self.load(trusted=trusted, **overrides)
        return caught.value


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture(autouse=True)
def linux(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")


def test_nothing_set_gives_the_defaults(machine):
    settings = machine.load()
    assert (settings.model, settings.mode, settings.approve, settings.review) == ("", "build", "ask", "after")
    assert settings.home == machine.root / "state"
    assert settings.config_files == ()
    assert not settings.trusted


def test_each_place_beats_the_weaker_ones(machine):
    machine.write(machine.user_file, 'model = "a/user"\n')
    assert machine.load(trusted=True).model == "a/user"
    machine.write(machine.workspace_file, 'model = "a/workspace"\n')
    assert machine.load(trusted=True).model == "a/workspace"
    machine.write(machine.root / "state" / ".env", "ATTACHE_MODEL=a/home-env\n")
    assert machine.load(trusted=True).model == "a/home-env"
    machine.write(machine.workspace / ".env", "ATTACHE_MODEL=a/workspace-env\n")
    assert machine.load(trusted=True).model == "a/workspace-env"
    machine.environ["ATTACHE_MODEL"] = "a/process"
    assert machine.load(trusted=True).model == "a/process"
    assert machine.load(trusted=True, model="a/option").model == "a/option"
    assert machine.load(trusted=True, model=None).model == "a/process"


def test_the_files_that_were_read_are_named_weakest_first(machine):
    files = [machine.user_file, machine.workspace_file, machine.root / "state" / ".env", machine.workspace / ".env"]
    for path in files:
        machine.write(path, "")
    assert machine.load(trusted=True).config_files == tuple(files)


def test_what_an_untrusted_folder_carries_is_inert(machine):
    machine.write(machine.workspace_file, 'approve = "all"\nthis is [ not even toml')
    machine.write(machine.workspace / ".env", "ATTACHE_MODE=explore\nOPENAI_BASE_URL=http://evil.test\n")
    settings = machine.load()
    assert (settings.approve, settings.mode, settings.config_files) == ("ask", "build", ())
    assert settings.env("OPENAI_BASE_URL") == ""


@pytest.mark.parametrize("place", ["toml", "env"])
def test_even_a_trusted_folder_cannot_answer_its_own_approvals(machine, place):
    if place == "toml":
        machine.write(machine.workspace_file, '\napprove = "all"\n')
    else:
        machine.write(machine.workspace / ".env", "\nATTACHE_APPROVE=all\n")
    refusal = machine.refusal(trusted=True)
    assert ":2: " in refusal.message
    assert "a folder cannot set this" in refusal.message


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_facts_are_not_settings(machine, fact):
    machine.write(machine.user_file, f'{fact} = "x"\n')
    assert f"{machine.user_file}:1: {fact}: cannot be set here" in machine.refusal().message


def test_providers_are_laid_over_each_other_field_by_field(machine):
    machine.write(machine.user_file, '[providers.mine]\nwire = "openai_chat"\nbase_url = "http://one"\n')
    machine.write(
        machine.workspace_file, '[providers.mine]\nbase_url = "http://two"\n[providers.other]\nlocal = true\n'
    )
    providers = machine.load(trusted=True).providers
    assert (providers["mine"].wire, providers["mine"].base_url) == ("openai_chat", "http://two")
    assert providers["other"].local


@pytest.mark.parametrize(
    ("text", "place", "says", "hint"),
    [
        ('model = "a"\n\nmodle = "x"\n', "3: modle", "no such setting", "model"),
        ('# first\nmax_cost_usd = -1\nmode = "build"\n', "2: max_cost_usd", "greater than or equal to 0", ""),
        ('mode = "bild"\n', "1: mode", "'build', 'plan' or 'explore'", ""),
        ("model =\n", "1: model", "Invalid value", "TOML"),
        ('model = "a"\n[providers\n', "2", "Expected ']'", "TOML"),
        ('model = "a', "1: model", "Unterminated string", "TOML"),
        ('model = """\nmax_cost_usd = 1\n"""\nmax_cost_usd = "much"\n', "4: max_cost_usd", "valid number", ""),
        ('[providers.mine]\nbase_url = "x"\napi_key = "k"\n', "3: providers.mine.api_key", "no such", "api_key_env"),
        ("providers.mine.models = [\n  1,\n]\n", "1: providers.mine.models.0", "valid string", ""),
        ('mode = "x"\nlenses = "maybe"\n', "1: mode", "(and 1 more)", ""),
    ],
)
def test_a_wrong_file_names_file_line_and_key(machine, text, place, says, hint):
    machine.write(machine.user_file, text)
    refusal = machine.refusal()
    assert refusal.message.startswith(f"{machine.user_file}:{place}: ")
    assert says in refusal.message
    assert hint in refusal.hint
    assert refusal.hint
    assert refusal.exit_code == 2


def test_a_wrong_variable_and_a_wrong_option_are_named(machine):
    machine.write(machine.root / "state" / ".env", "A=1\nexport ATTACHE_MODE=nope\n")
    assert f"{machine.root / 'state' / '.env'}:2: ATTACHE_MODE: " in machine.refusal().message
    machine.write(machine.root / "state" / ".env", "")
    assert machine.refusal(mode="nope").message.startswith("mode: ")
    machine.environ["ATTACHE_MAX_COST_USD"] = "cheap"
    assert machine.refusal().message.startswith("ATTACHE_MAX_COST_USD: ")


def test_a_file_of_another_encoding_is_named_with_its_line(machine):
    machine.user_file.parent.mkdir(parents=True)
    machine.user_file.write_bytes(b'model = "a"\n# caf\xe9\n')
    assert machine.refusal().message == f"{machine.user_file}:2: not UTF-8"


def test_a_byte_order_mark_and_windows_line_ends_are_welcome(machine):
    machine.write(machine.user_file, '\ufeffmodel = "a/b"\r\nmode = "plan"\r\n')
    assert machine.load().mode == "plan"


def test_a_settings_file_that_is_a_folder_is_an_error(machine):
    machine.user_file.mkdir(parents=True)
    assert str(machine.user_file) in machine.refusal().message


def test_the_named_configuration_must_be_there(machine):
    machine.environ["ATTACHE_CONFIG"] = str(machine.root / "elsewhere.toml")
    assert "no such file" in machine.refusal().message
    machine.write(machine.root / "elsewhere.toml", 'mode = "explore"\n')
    assert machine.load().mode == "explore"


def test_an_empty_variable_is_unset_and_texts_become_numbers(machine):
    machine.environ |= {"ATTACHE_MODE": "", "ATTACHE_MAX_COST_USD": "0.5", "ATTACHE_LENSES": "false"}
    settings = machine.load()
    assert (settings.mode, settings.max_cost_usd, settings.lenses) == ("build", 0.5, False)


def test_the_environment_is_merged_for_look_up_and_never_shown(machine):
    machine.write(machine.root / "state" / ".env", "VENDOR_KEY=canary-from-file\nOTHER=file\n")
    machine.environ["OTHER"] = "process"
    settings = machine.load()
    assert settings.env("VENDOR_KEY") == "canary-from-file"
    assert settings.env("OTHER") == "process"
    assert settings.env("MISSING") == ""
    assert settings.model_copy(update={"mode": "plan"}).env("VENDOR_KEY") == "canary-from-file"
    assert "canary" not in repr(settings) + settings.model_dump_json()
    with pytest.raises(TypeError):
        settings.environment["OTHER"] = "changed"


def test_settings_made_by_hand_see_the_process(monkeypatch, tmp_path):
    monkeypatch.setenv("VENDOR_KEY", "here")
    monkeypatch.setenv("ATTACHE_HOME", str(tmp_path))
    settings = Settings(model="a/b")
    assert settings.env("VENDOR_KEY") == "here"
    assert settings.home == tmp_path


@pytest.mark.parametrize(
    ("platform", "environ", "state", "config"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/state/attache", "/h/.config/attache/settings.toml"),
        ("linux", {"HOME": "/h", "XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "rel"}, "/s/attache", "/h/.config/attache/settings.toml"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Application Support/attache", "/h/Library/Application Support/attache/settings.toml"),
        ("win32", {"USERPROFILE": "/u", "LOCALAPPDATA": "/l", "APPDATA": "/r"}, "/l/attache", "/r/attache/settings.toml"),
        ("linux", {"HOME": "/h", "ATTACHE_HOME": "/a", "ATTACHE_CONFIG": "/c.toml"}, "/a", "/c.toml"),
    ],
)  # fmt: skip
def test_each_platform_has_its_own_places(platform, environ, state, config):
    assert home(environ, platform).as_posix() == state
    assert config_file(environ, platform).as_posix() == config


def test_every_setting_is_described_for_the_documentation():
    assert all(field.description for field in Settings.model_fields.values())
    assert "model" in NAMES
    assert not FACTS & set(NAMES)


def test_reading_settings_imports_nothing_heavy():
    code = (
        "import sys; from attache.foundation.settings import load; from pathlib import Path; load(Path());"
        "print([n for n in ('pydantic_settings', 'asyncio', 'msgspec', 'httpx2', 'sqlalchemy', 'difflib') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_dotenv_reads_what_shells_and_other_programs_write():
    text = (
        '# comment\nA=1\nexport B = two words  # why\nC=\'single $HOME # kept\'\nD="line\\nnext \\"quoted\\""\n'
        'E="over\ntwo lines"\nF=\nG=a#b\nnot an assignment\n1X=no\nA=2\r\n'
    )
    assert dotenv.parse(text) == {
        "A": "2", "B": "two words", "C": "single $HOME # kept", "D": 'line\nnext "quoted"', "E": "over\ntwo lines",
        "F": "", "G": "a#b",
    }  # fmt: skip
    assert dotenv.line_of(text, "A") == 12
