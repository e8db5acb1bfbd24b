"""`config add`: the place of a key is asked for, tested and written down; the key itself nowhere."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.config.editing.adding import PROVIDER_NAMES
from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli

KEY = "sk-proj-0123456789abcdefghij"


@pytest.fixture
def demo(demo_server: Callable[..., DemoServer]) -> DemoServer:
    return demo_server()


def table(cli: Cli, name: str) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((cli.folder / "config.toml").read_text())["backends"][name]
    return found


def test_the_usual_variable_is_taken_tested_and_named(cli: Cli, demo: DemoServer) -> None:
    ran = cli("config", "add", "openai", "--url", f"{demo.url}/v1", OPENAI_API_KEY=KEY)
    assert ran.code == 0, ran.err
    assert table(cli, "openai") == {
        "kind": "openai", "base_url": f"{demo.url}/v1", "api_key_env": "OPENAI_API_KEY",
    }  # fmt: skip
    assert KEY not in ran.out + ran.err + (cli.folder / "config.toml").read_text()
    assert "it answers" in ran.err
    assert cli("config", "check", OPENAI_API_KEY=KEY).code == 0
    assert cli("backends", "probe", "openai", OPENAI_API_KEY=KEY).code == 0


def test_a_command_or_another_variable_may_hold_it(cli: Cli, demo: DemoServer) -> None:
    url = ("--url", f"{demo.url}/v1")
    ran = cli("config", "add", "openai", "--key-command", f"{sys.executable} -c 'print(1234567)'", *url)
    assert ran.code == 0, ran.err
    assert table(cli, "openai")["api_key_command"] == [sys.executable, "-c", "print(1234567)"]
    ran = cli(
        "config", "add", "openai", "--as", "work", "--key-env", "WORK_KEY", *url, "--json", WORK_KEY=KEY
    )
    (said,) = ran.documents
    assert (said["name"], said["tested"], bool(said["models"])) == ("work", True, True)
    assert cli("config", "add", "chat", "--as", "here", *url).code == 0
    assert table(cli, "here") == {"kind": "chat", "base_url": f"{demo.url}/v1"}
    assert (
        cli(
            "config",
            "add",
            "daly",
            "--url",
            str(demo.backends["daly"]["base_url"]),
            DALY_WORKSPACE_KEY="w",
            DALY_USER_KEY="u",
        ).code
        == 0
    )
    again = cli("config", "add", "openai", *url, OPENAI_API_KEY=KEY)
    assert again.code == 2
    assert "--as gives this one another name" in again.err


@pytest.mark.parametrize("given", [("--key-env", KEY), ("--key-command", KEY), ("--key-keyring", KEY)])
def test_a_key_itself_is_refused_and_not_shown(cli: Cli, given: tuple[str, str]) -> None:
    ran = cli("config", "add", "openai", *given, "--no-test")
    assert ran.code == 2
    assert "not the key itself" in ran.err
    assert KEY not in ran.out + ran.err
    assert (cli.folder / "config.toml").read_text() == ""


def test_what_does_not_answer_is_not_written(cli: Cli) -> None:
    path = cli.folder / "config.toml"
    path.write_text("# mine\n")
    ran = cli("config", "add", "openai")
    assert (ran.code, path.read_text()) == (3, "# mine\n")
    assert "OPENAI_API_KEY is not set" in ran.err
    assert "--no-test writes it all the same" in ran.err
    gone = ("--url", "http://127.0.0.1:9/v1")
    ran = cli("config", "add", "openai", *gone, OPENAI_API_KEY=KEY)
    assert (ran.code, path.read_text()) == (4, "# mine\n")
    assert cli("config", "add", "openai", *gone, "--no-test").code == 0
    assert path.read_text().startswith("# mine\n")
    assert table(cli, "openai")["api_key_env"] == "OPENAI_API_KEY"


@pytest.mark.parametrize("provider", PROVIDER_NAMES)
def test_every_provider_can_be_added(cli: Cli, provider: str) -> None:
    address = ("--url", "http://127.0.0.1:9/v1") if provider in ("chat", "azure") else ()
    ran = cli("config", "add", provider, *address, "--no-test")
    assert ran.code == 0, ran.err
    assert cli("config", "check").code == 0


def test_what_cannot_be_added_says_what_can(cli: Cli) -> None:
    for given, told in (
        ((), "openai, anthropic"),
        (("opnai",), 'did you mean "openai"?'),
        (("rest",), "batchtui help rest"),
        (("local",), "by itself"),
        (("chat",), "--url"),
        (("azure",), "--url"),
        (("buttermilk", "--key-env", "A"), "take no key"),
        (("openai", "--user-key-env", "A"), "config add daly"),
        (("openai", "--key-env", "A", "--key-command", "b"), "not allowed with"),
    ):
        ran = cli("config", "add", *given)
        assert ran.code == 2, given
        assert told in ran.err, given
    for words in (("show", "openai"), ("path", "--url", "x"), ("check", "--no-test")):
        assert cli("config", *words).code == 2


def test_what_came_from_the_environment_is_said_to_go(cli: Cli) -> None:
    ran = cli("config", "add", "openai", "--no-test", OPENAI_API_KEY=KEY, MISTRAL_API_KEY="m-1")
    assert "`batchtui config add mistral`" in ran.err
    assert cli("config", "add", "mistral", "--no-test", MISTRAL_API_KEY="m-1").code == 0


def test_on_a_terminal_it_asks(cli: Cli, demo: DemoServer) -> None:
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(
        sys.executable, ["-m", "batchtui", "config", "add", "openai", "--url", f"{demo.url}/v1"],
        cwd=str(cli.folder), env=cli.environment(OTHER_KEY=KEY), encoding="utf-8", timeout=60,
    )  # fmt: skip
    child.expect("Where is the key.*OPENAI_API_KEY .not set here.*keyring")
    child.sendline("2")
    child.expect("variable's name:")
    child.sendline("OTHER_KEY")
    child.expect("it answers")
    child.expect(pexpect.EOF)
    assert table(cli, "openai")["api_key_env"] == "OTHER_KEY"


def test_without_a_key_a_check_tells_all_but_the_key(cli: Cli, tmp_path: Path) -> None:
    """Rows, requests, tokens and price; only the submit needs the key, or the table."""
    bare = {"HOME": str(tmp_path)}
    for example in ("reviews", "translate", "sites", "flow"):
        cli("example", example)
        (found,) = cli("check", f"{example}/{example}.toml", "--json", **bare).documents
        assert found["jobs"], example
        assert found["submissions"], example
        assert found["first"], example
        ran = cli("run", f"{example}/{example}.toml", **bare)
        assert ran.code == 3, (example, ran.err)
    (found,) = cli("check", "reviews/reviews.toml", "--json", **bare).documents
    assert found["cost_usd"] > 0
    assert [problem["key"] for problem in found["problems"] if problem["fatal"]] == ["backend"]


def test_doctor_says_what_to_do_where_no_provider_has_a_key(cli: Cli) -> None:
    rows = {row["name"]: row for row in cli("doctor", "--json").documents}
    assert "`batchtui config add openai`" in rows["providers"]["text"]
    cli("config", "add", "openai", "--no-test")
    rows = {row["text"]: row["state"] for row in cli("doctor", "--json").documents}
    lacking = [state for text, state in rows.items() if "OPENAI_API_KEY is not set; set it" in text]
    assert lacking == ["info"]
