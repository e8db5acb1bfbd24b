"""Writes nets of the benchmark and converts them, in one process: `write_pandapower.py FOLDER NAME …`.

Beside NAME.json stand pandapower's own solution (NAME.solved) and what the reader's process would make (NAME.converted).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parents[3]))

import pandapower_nets

from batchtui.domains.power.readers.convert_pandapower import main

pandapower_nets.main()
for path in Path(sys.argv[1]).glob("*.json"):
    main(str(path), str(path.with_suffix(".converted")))
