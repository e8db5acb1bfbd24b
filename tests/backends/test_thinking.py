"""Thinking in the text of an answer, in every form that servers leave it, and answers that only speak of its marks."""

from __future__ import annotations

import time

import pytest

from batchtui.backends.answers.thinking import split

HARMONY = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("<think>\nhm\n</think>\n\n4", "hm", "4"),
        ("\n <THINK>hm</THINK>4", "hm", "4"),
        ("<thinking>hm</thinking>\n4\n", "hm", "4\n"),
        ('<think time="3">hm</think>4', "hm", "4"),
        ("<thought>hm</thought>4", "hm", "4"),
        ("<reasoning>hm</reasoning><answer>4</answer>", "hm", "<answer>4</answer>"),
        ("<seed:think>hm</seed:think>4", "hm", "4"),
        ("<mm:think>hm</mm:think>4", "hm", "4"),
        ("<longcat_think>hm</longcat_think>4", "hm", "4"),
        ("<|think|>hm<|/think|>4", "hm", "4"),
        ("<｜think｜>hm<｜/think｜>4", "hm", "4"),
        ("<|inner_prefix|>hm<|inner_suffix|>4", "hm", "4"),
        ("<|begin_of_thinking|>hm<|end_of_thinking|>4", "hm", "4"),
        ("[THINK]hm[/THINK]4", "hm", "4"),
        ("◁think▷hm◁/think▷4", "hm", "4"),
        ("<|begin_of_thought|>hm<|end_of_thought|>\n<|begin_of_solution|>4<|end_of_solution|>", "hm", "4"),
        ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>4<|END_RESPONSE|>", "hm", "4"),
        ("<unused94>thought\nhm<unused95>4", "hm", "4"),
        ('<details type="reasoning" done="true">hm</details>\n4', "hm", "4"),
        (HARMONY + "4<|return|>", "hm", "4"),
        ("<|channel|>final<|message|>4<|end|>", None, "4"),
        ("analysisHm, so.assistantfinal4", "Hm, so.", "4"),
        ("hm<|end|><|start|>assistant<|channel|>final<|message|>4", "hm", "4"),
        ("hm\n</think>\n\n4", "hm", "4"),
        ("hm</think>4", "hm", "4"),
        ("hm, not <think> again\n</think>4", "hm, not <think> again", "4"),
        ("</think>\n\n4", None, "4"),
        ("hm[/THINK]4", "hm", "4"),
        ("<think>\n\n</think>\n\n4", None, "4"),
        ("<think>a</think><think>b</think>4", "a\n\nb", "4"),
        ("<think>I end with `</think>`, so</think>4", "I end with `</think>`, so", "4"),
        ('<think>is it "4"</think>"4"', 'is it "4"', '"4"'),
        ("<think>hm </think> 4", "hm", "4"),
        ("<think>hm</thinking>4", "hm", "4"),
        ('so it is "4".</think>"4"', 'so it is "4".', '"4"'),
        ('<think>{"n": "9"}</think>{"n": "4"}', '{"n": "9"}', '{"n": "4"}'),
        ('{"n": "9"}</think>{"n": "4"}', '{"n": "9"}', '{"n": "4"}'),
    ],
)
def test_thinking_stands_at_the_start(text: str, thinking: str | None, answer: str) -> None:
    for cut in (False, True):
        found = split(text, cut=cut)
        assert (found.thinking, text[found.start : found.end], found.unfinished) == (thinking, answer, False)


@pytest.mark.parametrize(
    "text",
    [
        "", "4", " 4 \n", "Use `</think>` to end it.", 'The mark "</think>" ends it.', "The mark </think> ends it.",
        "It ends with </think>, and then answers.", "```html\n<think>a</think>\n```\nis an example",
        "Example:\n<think>\na\n</think>\nb", "a <think>b</think> c", "`<think>` begins it and `</think>` ends it",
        "~~~\nhm\n</think>\n~~~\n4", "analysis of four", "Analysis\nassistant final", "[think about it]",
        "<thinker>a</thinker>", "Write (</think>) there", 'He wrote "close with </think>" and left.',
        '{"t": "use </think>"}', r'{"t": "say \"</think>\" x"}', '{"t": "a</think>b"}', 'if "</think>" in text:',
    ],
)  # fmt: skip
def test_an_answer_that_speaks_of_the_marks_stays_whole(text: str) -> None:
    assert split(text) == (None, 0, len(text), False)


@pytest.mark.parametrize(
    "text",
    [
        "<think>\nmaybe 9", "[THINK]maybe", "◁think▷maybe", "<|channel|>analysis<|message|>maybe", "analysisMaybe",
        "<think>I end with `</think>` and", "<think>a</think><think>b",
    ],
)  # fmt: skip
def test_thinking_that_was_cut_is_all_that_there_is(text: str) -> None:
    found = split(text, cut=True)
    assert found.unfinished
    assert text[found.start : found.end] == ""


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</think>" * 50_000, "x </think>, a\n" * 50_000, "```x\n" * 100_000 + "</think>\n",
        "<think>" + "`</think>`" * 50_000, "<details " + "x" * 300_000, "<think>a</think>" + " " * 300_000 + "b",
        "`" * 300_000 + "</think>, b",
    ],
    ids=range(7),
)  # fmt: skip
def test_a_hostile_text_takes_no_more_time_than_its_length(text: str) -> None:
    """What is quadratic takes minutes here."""
    before = time.process_time()
    split(text)
    assert time.process_time() - before < 10
