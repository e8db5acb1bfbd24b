"""Writes pandapower grids and pandapower's own solutions of them into a folder: `write_pandapower.py FOLDER`."""

import json
import math
import sys
import warnings
from pathlib import Path

import pandapower
import pandapower.networks as networks

warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
for name, net in (("case14", networks.case14()), ("multivoltage", networks.example_multivoltage())):
    pandapower.to_json(net, str(folder / f"{name}.json"))
    pandapower.runpp(net, calculate_voltage_angles=True, numba=False, init="dc", tolerance_mva=1e-9)
    slack = float(net.res_ext_grid.p_mw.sum())
    vm = {int(bus): float(value) for bus, value in net.res_bus.vm_pu.items() if math.isfinite(value)}
    (folder / f"{name}.solved").write_text(json.dumps({"slack_mw": slack, "vm_pu": vm}))
net = networks.case9()
pandapower.create_svc(net, 4, 1.0, -10.0, 1.0, 90.0)
pandapower.to_json(net, str(folder / "svc.json"))
