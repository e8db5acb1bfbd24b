"""Scenario manifests in YAML, where a YAML package is there. Read as JSON would be: no aliases, no tags, no dates."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from batchtui.domains.power.manifests.file import SCENARIOS, Written, is_artifact, looks_like_scenario
from batchtui.model import Json, Problem
from batchtui.sources.faults import BadSource
from batchtui.sources.inputs import READ_FAULTS, Input, need_text, read_fault
from batchtui.sources.json_forms.json_reader import Damaged, document
from batchtui.sources.json_forms.strict_json import DEPTH_LIMIT, kind_of
from batchtui.text import cell

if TYPE_CHECKING:
    import yaml

SIZE_LIMIT = 2 * 1024 * 1024
"""Characters of YAML, which takes many times as long to read as JSON."""
_DECIMAL = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d+)?")
"""What is a number here; `012` and `1:30`, which YAML reads as 10 and 90, stay the text that was meant."""


class _Unfit(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def written_yaml(source: Input) -> Written:
    """The manifest in a YAML source. Raises BadSource where no YAML package is there, or it is no manifest."""
    try:
        import yaml
    except ImportError:
        message = (
            "YAML needs a package for it (pip install 'batchtui[yaml]'); as JSON the manifest needs none"
        )
        raise BadSource(message, file=source.name) from None
    need_text(source)
    try:
        text = document(source)
        if len(text) > SIZE_LIMIT:
            raise _Unfit(f"more than {SIZE_LIMIT >> 20} MB of YAML; bring it as JSON", 1)
        _refuse_aliases(text)
        root = yaml.compose(text, Loader=_loader())
        return _manifest(root, source.name)
    except Damaged as damage:
        return Written(problems=[damage.problem])
    except READ_FAULTS as fault:
        raise BadSource(read_fault(fault, zipped=source.zipped), file=source.name) from None
    except _Unfit as fault:
        return Written(problems=[Problem(file=source.name, line=fault.line, message=fault.message)])
    except RecursionError:
        raise BadSource(f"nested more than {DEPTH_LIMIT} levels deep", file=source.name) from None
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        message = f"not YAML: {cell(getattr(fault, 'problem', None) or fault, 200)}"
        return Written(
            problems=[Problem(file=source.name, line=mark.line + 1 if mark else None, message=message)]
        )


def _loader() -> type[yaml.SafeLoader]:
    """The quick one where it was built."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _refuse_aliases(text: str) -> None:
    """Before anything is built, since a few of them can stand for billions of values. Raises _Unfit."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise _Unfit(f"an alias (*{cell(event.anchor, 40)}); write the value out", line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            raise _Unfit(f"nested more than {DEPTH_LIMIT} levels deep", line)


def _manifest(root: yaml.Node | None, name: str) -> Written:
    """Raises _Unfit, and BadSource for a document that is no manifest."""
    import yaml

    found = Written()
    scenarios: yaml.Node | None = root
    if isinstance(root, yaml.MappingNode):
        places = dict(_members(root))
        scenarios = places.pop(SCENARIOS, None)
        found.settings = {key: (_line(node), _value(node)) for key, node in places.items()}
    if not isinstance(scenarios, yaml.SequenceNode):
        if scenarios is not None and scenarios is not root:
            message = f"expected a list, got {kind_of(_value(scenarios))}"
            found.problems.append(Problem(file=name, line=_line(scenarios), key=SCENARIOS, message=message))
            return found
        message = "YAML is read for scenario manifests only, and there are no scenarios here"
        raise BadSource(message, file=name)
    found.scenarios = [(_line(node), _value(node)) for node in scenarios.value]
    if scenarios is root:
        if not found.scenarios or not looks_like_scenario(found.scenarios[0][1]):
            message = "YAML is read for scenario manifests only, and this list holds none"
            raise BadSource(message, file=name)
        found.artifacts = is_artifact(found.scenarios[0][1])
    elif not found.scenarios:
        message = "empty: name at least one scenario"
        found.problems.append(Problem(file=name, line=_line(scenarios), key=SCENARIOS, message=message))
    return found


def _members(node: yaml.MappingNode) -> list[tuple[str, yaml.Node]]:
    members: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key.value, str) else ""
        if not name or name in members:
            what = f'key "{cell(name, 60)}" appears twice in one object' if name else "a key is no text"
            raise _Unfit(what, _line(key))
        members[name] = value
    return list(members.items())


def _value(node: yaml.Node) -> Json:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return {key: _value(value) for key, value in _members(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(value) for value in node.value]
    kind, text = node.tag.rpartition(":")[2], str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true", "on")
    if kind not in ("int", "float") or not _DECIMAL.fullmatch(text):
        return text
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        raise _Unfit("a whole number of more than 4,300 digits", _line(node)) from None
    if number in (math.inf, -math.inf):
        raise _Unfit(f"{cell(text, 40)} is no number that JSON can carry", _line(node))
    return number


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
