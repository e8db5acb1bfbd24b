"""Kind `openai` in the dialects of its providers: chosen by name or host, limits as data, keys and addresses as each asks."""

from __future__ import annotations

import json

import pytest

from batchtui.backends import registry
from batchtui.backends.prompts.dialects import DIALECTS, dialect_of
from batchtui.errors import ConfigError
from batchtui.text import Secret
from tests.backends.jobs_help import job, submission
from tests.backends.odd_server import KEY, reply


def built(**table):
    return registry.build("b", {"kind": "openai", **table}, Secret(KEY))


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://my-resource.openai.azure.com/openai/v1", "azure"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.deepinfra.com/v1/openai", "deepinfra"),
        ("http://127.0.0.1:8000/v1", "compatible"),
        ("https://api.openai.com.evil.example/v1", "compatible"),
        ("https://notgroq.com/v1", "compatible"),
        (None, "compatible"),
    ],
)
def test_a_dialect_is_known_by_its_host(base_url, name):
    assert dialect_of(None, base_url).name == name


def test_every_record_says_where_it_comes_from_and_when():
    for record in DIALECTS.values():
        assert record.source
        assert "2026" in record.source


def test_a_name_brings_its_address_and_limits():
    groq = built(dialect="groq")
    assert groq.settings.base_url == "https://api.groq.com/openai/v1"
    assert groq.limits.bytes_per_submission == 100_000_000
    azure = built(base_url="https://r.openai.azure.com")
    assert azure.settings.base_url == "https://r.openai.azure.com/openai/v1"
    assert azure.limits.jobs_per_submission == 100_000
    # a proxy in the same form, named by the user
    assert built(base_url="http://127.0.0.1:1/v1", dialect="groq").limits.bytes_per_submission == 100_000_000


def test_limits_of_the_table_win():
    backend = built(jobs_per_submission=10, bytes_per_submission=5000, submissions_at_once=2)
    limits = backend.limits
    assert (limits.jobs_per_submission, limits.bytes_per_submission, limits.submissions_at_once) == (
        10,
        5000,
        2,
    )
    with pytest.raises(ConfigError, match=r"backends\.b\.jobs_per_submission: expected at least 1"):
        built(jobs_per_submission=0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"dialect": "grok"}, r'unknown dialect "grok"; did you mean "groq"'),
        ({"dialect": "azure"}, "base_url: missing"),
        ({"base_url": "https://r.openai.azure.com/openai"}, "api_version: missing"),
        ({"completion_window": "48h"}, "completion_window: openai takes 24h"),
        ({"dialect": "groq", "completion_window": "8d"}, "completion_window: groq takes 24h to 7d"),
    ],
)
def test_a_wrong_table_is_told(table, words):
    with pytest.raises(ConfigError, match=words):
        built(**table)


def test_windows_that_are_taken():
    assert built(dialect="groq", completion_window="7d")
    assert built(base_url="http://127.0.0.1:1/v1", completion_window="whatever")


def test_endpoints_and_names_of_fields():
    groq, openai = built(dialect="groq"), built()
    embed = job(endpoint="/v1/embeddings", body={"model": "e", "input": "x"})
    assert [key for key, _ in groq.check(embed)] == ["endpoint"]
    assert openai.check(embed) == []
    asked = job(model="m", prompt="x", max_tokens=5)
    assert openai.body(asked)["max_completion_tokens"] == 5
    assert "max_tokens" not in openai.body(asked)
    assert groq.body(asked)["max_tokens"] == 5


FILE, BATCH = reply(200, {"id": "file-1"}), reply(200, {"id": "batch_1", "status": "validating"})


async def test_azure_by_version_has_its_own_header_query_and_endpoints(odd, make):
    azure = make("openai", odd.url, dialect="azure", api_version="2025-04-01", base_url=f"{odd.url}/openai")
    odd.script(FILE, BATCH)
    await azure.submit(submission(), [job()], lambda _: None)
    upload, create = odd.seen
    assert (upload.path, create.path) == (
        "/openai/files?api-version=2025-04-01",
        "/openai/batches?api-version=2025-04-01",
    )
    assert create.headers["api-key"] == KEY
    assert "authorization" not in create.headers
    assert create.json["endpoint"] == "/chat/completions"
    assert json.loads(upload.body.split(b"\r\n\r\n")[2].splitlines()[0])["url"] == "/chat/completions"
    odd.script(reply(200, {"value": [{"id": "b", "status": "completed", "request_counts": None}]}))
    [found] = await azure.list()
    assert found.remote_id == "b"
    assert odd.seen[-1].path == "/openai/batches?api-version=2025-04-01&limit=100"
    counts = {"total": 2, "completed": None, "failed": None}
    odd.script(reply(200, {"id": "b", "status": "completed", "request_counts": counts, "error_file_id": ""}))
    progress = (await azure.poll([submission(remote_id="b")]))[1]
    assert (progress.completed, progress.total, progress.ended_as) == (None, 2, "completed")
    odd.script(reply(200, {"data": [{"id": "gpt-4o"}]}))
    assert (await azure.probe()).models == ["gpt-4o"]


async def test_a_server_that_takes_no_metadata_gets_none(odd, make):
    plain = make("openai", odd.url, metadata=False, output_expires="2d")
    odd.script(FILE, BATCH)
    await plain.submit(submission(), [job()], lambda _: None)
    assert "metadata" not in odd.seen[1].json
    assert odd.seen[1].json["output_expires_after"] == {"anchor": "created_at", "seconds": 172_800}


async def test_a_list_that_does_not_page_proves_no_absence_where_it_may_be_cut(odd, make):
    groq = make("openai", odd.url, dialect="groq")
    odd.script(reply(200, {"object": "list", "data": [{"id": "x", "metadata": None}]}))
    assert (await groq.find(submission())).absent
    odd.script(reply(200, {"object": "list", "data": [{"id": f"b{n}"} for n in range(20)]}))
    found = await groq.find(submission())
    assert not found.absent
    assert found.reason


def test_the_usual_keys_set_up_the_dialects(tmp_path):
    from batchtui.config import load_config, resolve_key

    (tmp_path / "config.toml").write_text("")
    env = {"GROQ_API_KEY": "gsk-0123456789", "AZURE_OPENAI_API_KEY": "azure-0123456789"}
    config = load_config(tmp_path / "config.toml", env=env)
    assert "groq" in config.names()
    assert "azure" not in config.names(), "it has no address yet"
    env["AZURE_OPENAI_ENDPOINT"] = "https://r.openai.azure.com/"
    config = load_config(tmp_path / "config.toml", env=env)
    for name in ("groq", "azure"):
        table = config.backend(name)
        key = resolve_key(table, env)
        assert key is not None
        backend = registry.build(name, table.table, key)
        assert backend.dialect.name == name
        assert (
            key.reveal()
            in backend.request_headers(backend.settings, key.reveal())[
                "api-key" if name == "azure" else "Authorization"
            ]
        )


def test_a_dialect_never_gets_the_key_of_another(tmp_path):
    from batchtui.config import load_config, resolve_key

    (tmp_path / "config.toml").write_text('[backends.g]\nkind = "openai"\ndialect = "groq"\n')
    config = load_config(tmp_path / "config.toml", env={"OPENAI_API_KEY": "sk-0123456789abc"})
    assert resolve_key(config.backend("g"), {"OPENAI_API_KEY": "sk-0123456789abc"}) is None
