"""The compose form as data: nothing of a batch file is lost, and every fault names its field."""

from pathlib import Path

import pytest

from batchtui import batchfile
from batchtui.model import BatchSpec, Json, LimitsSpec, SourceSpec
from batchtui.tui.models.compose_model import (
    FieldFault,
    Form,
    field_key,
    form_of,
    named,
    rebased,
    source_of,
    spec_of,
)
from batchtui.tui.models.form_fields import read_words, show_words
from batchtui.tui.models.sweep_text import read_sweep, show_sweep

BASE = Path("/data")

EVERYTHING = """
name = "invoices"
backend = "claude"

[source]
file = "invoices.csv"
id = "{{ invoice_id }}"
rows = "data.items"
sheet = "Orders"
encoding = "cp1252"
separator = ";"
decimal = ","
skip = 1
where = 'status=open "Unit Price">5'
limit = 100
shuffle = true
seed = 7

[job]
model = "m-1"
system = "You are precise.\\nAnd short."
prompt = "Summarise {{ text }}"
max_tokens = 500
temperature = 0.5
schema = "invoice.schema.json"
citations = true
stop = ["a", "b"]

[sweep]
max_tokens = [200, 500]

[limits]
cost_usd = 5.0
time = "2h"
concurrency = 5
jobs_per_submission = 10
timeout = 60
retries = 3
error_policy = "stop"

[output]
dir = "results/invoices"
raw = false
"""


@pytest.mark.parametrize("kind", ["chat", "local", "daly", "rest", None])
def test_every_key_survives_the_form(kind: str | None) -> None:
    spec = batchfile.loads(EVERYTHING, "test")
    assert spec_of(form_of(spec, kind, BASE)) == spec


def test_a_saved_form_keeps_every_key(tmp_path: Path) -> None:
    spec = batchfile.loads(EVERYTHING, "test")
    batchfile.save(spec_of(form_of(spec, "chat", BASE)), tmp_path / "saved.toml")
    assert batchfile.load(tmp_path / "saved.toml") == spec


def test_a_scan_reads_the_source_as_the_form_says() -> None:
    form = form_of(batchfile.loads(EVERYTHING, "test"), "chat", BASE)
    source = source_of(form)
    assert (source.file, source.decimal, source.skip) == ("invoices.csv", ",", 1)
    assert (source.id, source.limit, source.shuffle) == (None, None, False)
    unfinished = Form(values={"source.file": "a.csv", "source.skip": "two"})
    assert source_of(unfinished) == SourceSpec(file="a.csv")


def test_keys_without_a_field_stand_under_other_keys() -> None:
    form = form_of(batchfile.loads(EVERYTHING, "test"), "chat", BASE)
    assert form.values["job.prompt"] == "Summarise {{ text }}"
    assert form.values["limits.timeout"] == "60"
    assert form.values["job.schema"] == "invoice.schema.json"
    assert "citations = true" in form.other
    assert "prompt" not in form.other
    assert form.values["sweep"] == "max_tokens = [200, 500]"
    assert "sweep" not in form.other


@pytest.mark.parametrize(
    "job",
    [
        {"prompt": ["a list"]},
        {"prompt": 7},
        {"prompt": ""},
        {"prompt": "red \x1b[31m and \u202e backwards \u2028"},
        {"prompt": "a\r\nb"},
        {"model": "two\nlines"},
        {"max_tokens": "500"},
        {"max_tokens": True},
        {"max_tokens": "{{ n }}"},
        {"temperature": 1},
        {"temperature": 1.0},
        {"temperature": 1e-7},
        {"command": "one line"},
        {"command": []},
        {"command": ["sh", "-c", 'echo "{{ a }}" $HOME; ls __0__ {{ b }}{{ c }}', "", "it's"]},
        {"command": ["echo", 3]},
        {"cwd": "  spaces  "},
        {
            "input_file": "base.json",
            "input": {"locationId": "{{ site_id }}", "blocks.0.layout": {"gcr": 0.3}},
        },
        {"timeout": "120s", "name": "Site {{ site }}"},
        {"timeout": "{{ seconds }}"},
        {"input": {"inputs": {"text": "{{ text }}", "n": [1, 2.5, True]}}},
        {"input": "{{ text }}"},
        {"input": ["{{ text }}", 1]},
        {"input": "5"},
        {"input": 5},
        {"input": "{no json"},
    ],
)
@pytest.mark.parametrize("kind", ["chat", "local", "daly", "rest"])
def test_values_of_any_shape_survive(job: dict[str, object], kind: str) -> None:
    spec = BatchSpec(name="x", job=job)
    back = spec_of(form_of(spec, kind, BASE))
    assert back == spec
    assert [type(value) for value in back.job.values()] == [type(value) for value in job.values()]


def test_other_keys_show_no_character_that_acts_on_a_terminal() -> None:
    form = form_of(BatchSpec(job={"note": "a\x1bb\u202ec\u2028d\U000e0041"}), "chat", BASE)
    assert form.other.isascii()
    assert form.other.isprintable() or "\n" in form.other


@pytest.mark.parametrize(
    ("lines", "sweep"),
    [
        ("max_tokens = [200, 500]", {"max_tokens": [200, 500]}),
        ("input.blocks.0.layout.gcr = [0.3, 0.4]", {"input.blocks.0.layout.gcr": [0.3, 0.4]}),
        ("input.blocks.*.a-b = [true]\nmodel = ['x = [1]']", {"input.blocks.*.a-b": [True], "model": ["x = [1]"]}),
        ('"two words" = [1,\n  2]', {"two words": [1, 2]}),
        ('l = [{"arrayType" = "tracker", "gcr" = 0.3}, [], "\U0001f600 \\u200b\\n"]',
         {"l": [{"arrayType": "tracker", "gcr": 0.3}, [], "\U0001f600 \u200b\n"]}),
    ],
)  # fmt: skip
def test_a_sweep_is_read_and_shown_as_lines(lines: str, sweep: dict[str, list[Json]]) -> None:
    assert read_sweep(lines) == sweep
    assert read_sweep(show_sweep(sweep) or "") == sweep
    spec = BatchSpec(name="x", sweep=sweep)
    form = form_of(spec, "daly", BASE)
    assert spec_of(form) == spec


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("gcr = 0.3", "gcr: expected a list of values"),
        ("gcr = []", "gcr: expected a list of values"),
        ("gcr [0.3]", "expected lines such as max_tokens"),
        ("gcr = [0.3\ntilt = [2]", "line 2"),
        ("a = [1]\na = [2]", "line 2"),
    ],
)
def test_a_sweep_that_cannot_be_read_says_what_is_wrong(lines: str, words: str) -> None:
    with pytest.raises(FieldFault) as told:
        spec_of(Form(values={"sweep": lines}, kind="daly"))
    assert told.value.key == "sweep"
    assert words in str(told.value)


def test_problems_of_an_energy_model_stand_at_its_fields() -> None:
    form = Form(kind="daly")
    assert field_key("input.blocks[0].layout", form) == "job.input"
    assert field_key("input_file", form) == "job.input_file"
    assert field_key("job.name", form) == "job.name"
    assert field_key("sweep.input.blocks.7.gcr", form) == "sweep"
    assert field_key("timeout", form) == "job.timeout"


def test_an_input_file_moves_along_with_a_source_and_without() -> None:
    spec = BatchSpec(job={"input_file": "base.json"})
    assert rebased(spec, Path("/data"), Path("/data/runs")).job["input_file"] == "../base.json"
    beside = BatchSpec(job={"input_file": "base.json"}, source=SourceSpec(file="sites.csv"))
    moved = rebased(beside, Path("/data"), Path("/data/runs"))
    assert (moved.job["input_file"], moved.source and moved.source.file) == ("../base.json", "../sites.csv")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo {{ species }}", ["echo", "{{ species }}"]),
        ('wc -w "{{ path }}"', ["wc", "-w", "{{ path }}"]),
        ('echo {{ row["Culmen Length (mm)"] }} __0__', ["echo", '{{ row["Culmen Length (mm)"] }}', "__0__"]),
        ("echo a{{x}}b{{ y }} 'c d'", ["echo", "a{{x}}b{{ y }}", "c d"]),
    ],
)
def test_a_command_is_split_around_its_templates(line: str, words: list[str]) -> None:
    assert read_words(line) == words
    shown = show_words(words)
    assert shown is not None
    assert read_words(shown) == words


def test_an_open_quote_is_named() -> None:
    with pytest.raises(FieldFault, match="quot") as fault:
        spec_of(Form(values={"job.command": "echo 'a"}, kind="local"))
    assert fault.value.key == "job.command"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("job.max_tokens", "many"),
        ("limits.cost_usd", "-1"),
        ("limits.cost_usd", "nan"),
        ("limits.time", "2 weeks"),
        ("limits.time", "48h"),
        ("limits.retries", "1.5"),
        ("limits.error_policy", "halt"),
    ],
)
def test_a_fault_names_its_field(key: str, text: str) -> None:
    with pytest.raises(FieldFault) as fault:
        spec_of(Form(values={"source.file": "a.csv", key: text}, kind="chat"))
    assert fault.value.key == key


def test_other_keys_are_checked_with_line_and_nearest_word() -> None:
    for text, words in [("[source]\nfle = 'x'", "did you mean"), ("a = = b", "line 1")]:
        with pytest.raises(FieldFault, match=words) as fault:
            spec_of(Form(other=text))
        assert fault.value.key == "other"


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(FieldFault, match="keep one"):
        spec_of(Form(values={"name": "a"}, other='name = "b"'))


def test_an_id_needs_a_source() -> None:
    with pytest.raises(FieldFault) as fault:
        spec_of(Form(values={"source.id": "{{ a }}"}))
    assert fault.value.key == "source.file"


def test_another_kind_keeps_what_was_written() -> None:
    form = form_of(BatchSpec(job={"command": ["echo"], "prompt": "p"}), "local", BASE)
    assert "prompt" in form.other
    form.set_kind("chat")
    assert form.values["job.prompt"] == "p"
    assert form.other == ""
    assert spec_of(form).job == {"prompt": "p"}
    form.set_kind("local")
    assert spec_of(form).job == {"command": ["echo"]}


def test_a_name_comes_from_the_source() -> None:
    assert named(BatchSpec(source=SourceSpec(file="data/penguins.csv"))).name == "penguins"
    assert named(BatchSpec()).name == "untitled"
    assert named(BatchSpec(name="mine", source=SourceSpec(file="a.csv"))).name == "mine"


def test_saving_elsewhere_keeps_paths_leading_to_the_same_files(tmp_path: Path) -> None:
    spec = BatchSpec(
        source=SourceSpec(file="a.csv"),
        job={"schema": "s.json", "cwd": "{{ folder }}"},
        limits=LimitsSpec(retries=1),
    )
    moved = rebased(spec, tmp_path, tmp_path / "deep" / "er")
    assert moved.source is not None
    assert moved.source.file == "../../a.csv"
    assert moved.job == {"schema": "../../s.json", "cwd": "{{ folder }}"}
    assert rebased(spec, tmp_path, tmp_path) == spec


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("job.prompt", "job.prompt"),
        ("prompt", "job.prompt"),
        ("source.file", "source.file"),
        ("limits.time", "limits.time"),
        ("job.schema", "job.schema"),
        ("messages", "other"),
        (None, "source.file"),
    ],
)
def test_a_problem_finds_its_field(key: str | None, field: str) -> None:
    assert field_key(key, Form(values={"source.file": "x"}, kind="chat")) == field
