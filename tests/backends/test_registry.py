"""Kinds by name, and tables become backends."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from batchtui.backends import registry
from batchtui.backends.chat.backend import ChatBackend
from batchtui.catalog import cards
from batchtui.catalog.form import FormField
from batchtui.config.plug_ins import GROUP
from batchtui.errors import ConfigError
from batchtui.text import Secret
from batchtui.tui.models.form_fields import job_fields, rows

KEY = Secret("sk-test-0123456789")


@pytest.fixture
def plug_ins(monkeypatch):
    def use(**found: str) -> None:
        entries = {name: EntryPoint(name, value, GROUP) for name, value in found.items()}
        monkeypatch.setattr(registry, "_plug_ins", lambda: entries)

    return use


def test_built_in_kinds_need_no_metadata(plug_ins):
    plug_ins()
    assert registry.known_kinds() == list(cards())
    assert [registry.load_kind(name).kind for name in cards()] == list(cards())


def test_a_kind_is_in_every_table_that_lists_kinds():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["entry-points"][GROUP] == {name: card.backend for name, card in cards().items()}
    contracts = project["tool"]["importlinter"]["contracts"]
    shared = next(one for one in contracts if one["name"].startswith("Kinds share rooms"))
    apart = {name for layer in shared["layers"][:2] for name in layer.split(" | ")}
    of_domains = {name for name, card in cards().items() if card.backend.startswith("batchtui.domains.")}
    assert apart == set(cards()) - of_domains
    assert of_domains == {"daly", "buttermilk", "gat"}


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(ConfigError, match=r'unknown kind "opnai"; did you mean "openai"\?'):
        registry.load_kind("opnai")


def test_a_broken_plug_in_is_a_reason_and_no_crash(plug_ins):
    plug_ins(mine="batchtui.backends.chat.backend:ChatBackend", gone="no_such_module:X", odd="json:loads")
    assert registry.known_kinds() == [*cards(), "gone", "mine", "odd"]
    assert registry.load_kind("mine") is ChatBackend
    assert [name for name, _ in registry.broken()] == ["gone", "odd"]
    with pytest.raises(ConfigError, match="no_such_module"):
        registry.load_kind("gone")


def test_the_form_of_a_plug_in_has_what_its_jobs_have(plug_ins, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "data/plugin_example"))
    plug_ins(wordcount="batchtui_wordcount:WordCount", gone="no_such_module:X")
    assert registry.form_of_kind("wordcount") == {"request": (FormField("job.text", "Text", ""),)}
    assert [field.key for field in rows(["wordcount", "gone", "nobody"])] == ["job.text"]
    assert job_fields("wordcount")[0].show("about {{ body }}") == "about {{ body }}"


def test_a_plug_in_whose_keys_cannot_be_told_has_no_form(plug_ins, monkeypatch, tmp_path):
    """Its types are imported for the checker alone, as many do it."""
    (tmp_path / "plug_in_of_unknown_types.py").write_text(
        "from __future__ import annotations\nimport msgspec\n"
        "from batchtui.backends.base import BackendSettings, Direct\n"
        "class Work(msgspec.Struct):\n    when: NotImported\n"
        "class Kind(Direct):\n    kind = 'mine'\n    summary = 's'\n    Work = Work\n"
        "    async def run(self, job, note): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plug_ins(mine="plug_in_of_unknown_types:Kind")
    assert registry.load_kind("mine").kind == "mine"
    assert registry.form_of_kind("mine") == {}
    assert rows(["mine"]) == []


def test_a_table_becomes_a_backend():
    backend = registry.build("lab", {"kind": "chat", "model": "m"}, None)
    assert isinstance(backend, ChatBackend)
    assert backend.name == "lab"
    assert backend.setup.settings.base_url == "http://127.0.0.1:11434/v1"
    assert backend.limits.concurrency == 5
    assert registry.build("openai", {}, KEY).kind == "openai"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "opnai"}, 'backends.b.kind: unknown kind "opnai"; did you mean "openai"?'),
        ({"kind": 7}, "backends.b.kind: expected text"),
        ({"kind": "openai", "base_ulr": "x"}, 'backends.b.base_ulr: unknown key; did you mean "base_url"?'),
        ({"kind": "openai", "api_key": "sk-test-00000000000000000000"}, "backends.b.api_key: unknown key"),
        ({"kind": "openai", "timeout": "soon"}, "backends.b.timeout"),
        ({"kind": "openai", "poll_interval": 0}, "backends.b.poll_interval"),
        ({"kind": "openai", "poll_interval": -5}, "backends.b.poll_interval"),
        ({"kind": "openai", "concurrency": 0}, "backends.b.concurrency"),
        ({"kind": "openai", "base_url": ""}, "base_url"),
        ({"kind": "openai", "base_url": "file:///abs/x"}, "base_url"),
        ({"kind": "openai", "base_url": "https://api.invalid/\r\nX-Evil: 1"}, "base_url"),
        ({"kind": "openai", "base_url": "https://api.invalid:99999"}, "port"),
        ({"kind": "openai", "base_url": "https://u:hidden@api.invalid/"}, "base_url"),
        ({"kind": "openai", "base_url": "http://api.invalid/v1"}, "https"),
        ({"kind": "openai", "base_url": "http://169.254.169.254/latest"}, "link-local"),
        ({"kind": "openai", "headers": {"X-Org": "env:BATCHTUI_TEST_NOT_SET"}}, "BATCHTUI_TEST_NOT_SET"),
        ({"kind": "openai", "headers": {"X\nOrg": "a"}}, "headers"),
        ({"kind": "openai", "headers": {"X-Org": "a\r\nb"}}, "X-Org"),
    ],
)
def test_what_is_wrong_names_its_key(table, words):
    with pytest.raises(ConfigError) as caught:
        registry.build("b", table, KEY)
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "sk-test" not in str(caught.value)


def test_a_key_is_required_at_openai_itself_only():
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        registry.build("openai", {}, None)
    registry.build("mine", {"kind": "openai", "base_url": "http://localhost:1/v1"}, None)


def test_headers_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("LAB_TOKEN", "value-1")
    backend = registry.build("b", {"kind": "chat", "headers": {"X-Lab": "env:LAB_TOKEN"}}, KEY)
    http = backend.setup.connect()
    assert ("X-Lab", "value-1") in http._own
    assert ("Authorization", f"Bearer {KEY.reveal()}") in http._own


def test_kinds_load_without_the_http_library():
    code = (
        "import sys; from batchtui.backends import registry as r; "
        "b = r.build('c', {'kind': 'chat'}, None); [r.load_kind(k) for k in ('openai', 'local')]; "
        "sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
