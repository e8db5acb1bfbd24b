"""Small pandapower nets with one element each, so that every element is looked at by itself. Only pandapower is imported."""

from __future__ import annotations

from collections.abc import Callable

import pandapower as pp

Net = pp.pandapowerNet


def base() -> Net:
    """A feeder: external grid, transformer 110/20 kV, three lines in a ring with a load each."""
    net = pp.create_empty_network(sn_mva=10)
    high = pp.create_bus(net, 110, name="high")
    low = [pp.create_bus(net, 20, name=f"low {n}") for n in range(4)]
    pp.create_ext_grid(net, high, vm_pu=1.02, va_degree=3.0)
    pp.create_transformer(net, high, low[0], "25 MVA 110/20 kV", tap_pos=2)
    for one, other, km in ((0, 1, 4.0), (1, 2, 6.0), (2, 3, 5.0), (3, 0, 7.0)):
        pp.create_line(net, low[one], low[other], km, "149-AL1/24-ST1A 20.0", max_loading_percent=80)
    for bus, p in zip(low[1:], (3.0, 4.0, 2.5), strict=True):
        pp.create_load(net, bus, p, p / 4)
    return net


def _zip(**shares: float) -> Callable[[], Net]:
    def make() -> Net:
        net = base()
        for name, share in shares.items():
            net.load.loc[[0, 1], name] = share
        return net

    return make


def zip_mixed() -> Net:
    """Loads of several kinds at one bus, with a static generator: pandapower takes the mean of their shares."""
    net = base()
    pp.create_load(net, 2, 1.0, 0.2, const_z_p_percent=60, const_z_q_percent=20, const_i_q_percent=30)
    pp.create_load(net, 2, 2.0, 0.1, const_i_p_percent=50)
    pp.create_sgen(net, 2, 1.5, 0.1)
    net.load.loc[2, "const_z_p_percent"] = 100
    return net


def zip_switches() -> Net:
    net = joined()
    net.load.loc[0, ["const_z_p_percent", "const_z_q_percent"]] = 80
    return net


def zip_many_references() -> Net:
    net = _zip(const_z_p_percent=50, const_i_q_percent=40)()
    pp.create_ext_grid(net, 3, vm_pu=1.01, va_degree=-147)
    return net


def zip_options_off() -> Net:
    """The net's own options say that shares do not count."""
    net = _zip(const_z_p_percent=100)()
    pp.set_user_pf_options(net, voltage_depend_loads=False)
    return net


def joined() -> Net:
    """Closed bus-bus switches in a chain, with loads at the joined buses, and a switch that is open."""
    net = base()
    one = pp.create_bus(net, 20)
    other = pp.create_bus(net, 20)
    lone = pp.create_bus(net, 20)
    pp.create_switch(net, 2, one, "b")
    pp.create_switch(net, one, other, "b")
    pp.create_switch(net, 3, lone, "b", closed=False)
    pp.create_load(net, other, 1.0, 0.2)
    pp.create_load(net, one, 0.5, 0.1)
    return net


def joined_generators() -> Net:
    net = joined()
    pp.create_gen(net, 5, 1.0, vm_pu=1.0)
    pp.create_sgen(net, 6, 0.5, 0.1)
    return net


def joined_reference() -> Net:
    net = base()
    bus = pp.create_bus(net, 110)
    pp.create_switch(net, bus, 0, "b")
    net.ext_grid.loc[0, "bus"] = bus
    pp.create_load(net, 0, 1.0, 0.5)
    return net


def joined_references() -> Net:
    """Two external grids at buses that are one: pandapower shares out what they give."""
    net = base()
    bus = pp.create_bus(net, 110)
    pp.create_switch(net, 0, bus, "b")
    pp.create_ext_grid(net, bus, vm_pu=1.02, va_degree=3.0)
    pp.create_load(net, bus, 5.0, 1.0)
    return net


def switch_impedance() -> Net:
    net = base()
    bus = pp.create_bus(net, 20)
    pp.create_switch(net, 2, bus, "b", z_ohm=0.2)
    pp.create_load(net, bus, 1.0, 0.2)
    return net


def switches_at_branches() -> Net:
    net = base()
    pp.create_switch(net, 2, 1, "l", closed=False)
    pp.create_switch(net, 4, 3, "l", closed=True)
    pp.create_transformer(net, 0, 2, "25 MVA 110/20 kV")
    pp.create_switch(net, 2, 1, "t", closed=False)
    return net


def out_of_service() -> Net:
    """A bus, a line, a load and a transformer out of service, and buses without a way to the grid."""
    net = base()
    dead = pp.create_bus(net, 20, in_service=False)
    pp.create_line(net, 4, dead, 2.0, "149-AL1/24-ST1A 20.0")
    island = [pp.create_bus(net, 20) for _ in range(2)]
    pp.create_line(net, *island, 1.0, "149-AL1/24-ST1A 20.0")
    pp.create_load(net, island[1], 1.0)
    pp.create_load(net, dead, 1.0)
    pp.create_gen(net, island[0], 0.5, 1.0)
    net.line.loc[1, "in_service"] = False
    net.load.loc[1, "in_service"] = False
    return net


def one(create: str, *given: object, **named: object) -> Callable[[], Net]:
    """The feeder with one element more."""

    def make() -> Net:
        net = base()
        getattr(pp, f"create_{create}")(net, *given, **named)
        return net

    return make


def options(**named: object) -> Callable[[], Net]:
    """A feeder with a generator that has Q limits, and options that its net carries."""

    def make() -> Net:
        net = base()
        pp.create_gen(net, 3, 2.0, vm_pu=1.03, min_q_mvar=-0.2, max_q_mvar=0.2)
        pp.create_sgen(net, 2, 1.0, 0.9, min_q_mvar=-0.1, max_q_mvar=0.1)
        pp.set_user_pf_options(net, **named)
        return net

    return make


def three_windings(**named: object) -> Callable[[], Net]:
    def make() -> Net:
        net = base()
        third = pp.create_bus(net, 10)
        pp.create_transformer3w(net, 0, 3, third, "63/25/38 MVA 110/20/10 kV", **named)
        pp.create_load(net, third, 2.0, 0.5)
        net.trafo.loc[0, "shift_degree"] = 0
        return net

    return make


def tap_table() -> Net:
    net = base()
    import pandas

    rows = [(0, step, 1 + 0.012 * step, 0.3 * step, 11.5 + 0.2 * step, 0.4) for step in range(-3, 4)]
    names = ["id_characteristic", "step", "voltage_ratio", "angle_deg", "vk_percent", "vkr_percent"]
    net["trafo_characteristic_table"] = pandas.DataFrame(rows, columns=names)
    net.trafo["id_characteristic_table"] = 0
    net.trafo["tap_dependency_table"] = True
    net.trafo["tap_changer_type"] = "Tabular"
    net.trafo["id_characteristic_table"] = net.trafo["id_characteristic_table"].astype("Int64")
    return net


def tap_phase_shifter() -> Net:
    net = base()
    net.trafo["tap_changer_type"] = "Ideal"
    net.trafo["tap_step_degree"] = 1.5
    net.trafo["tap_step_percent"] = 0.0
    return net


def tap_2() -> Net:
    net = base()
    for name, value in (("side", "lv"), ("neutral", 0), ("min", -5), ("max", 5), ("pos", 3)):
        net.trafo[f"tap2_{name}"] = value
    net.trafo["tap2_step_percent"], net.trafo["tap2_step_degree"] = 1.0, 0.0
    net.trafo["tap2_changer_type"] = "Ratio"
    return net


def leakage_ratio() -> Net:
    net = base()
    net.trafo["leakage_resistance_ratio_hv"] = 0.3
    net.trafo["leakage_reactance_ratio_hv"] = 0.7
    return net


def step_table() -> Net:
    net = base()
    import pandas

    pp.create_shunt(net, 3, q_mvar=-1.0, p_mw=0.05, step=2, max_step=3)
    rows = [(0, step, -0.9 * step, 0.04 * step) for step in range(1, 4)]
    names = ["id_characteristic", "step", "q_mvar", "p_mw"]
    net["shunt_characteristic_table"] = pandas.DataFrame(rows, columns=names)
    net.shunt["id_characteristic_table"] = 0
    net.shunt["step_dependency_table"] = True
    return net


def line_conductance() -> Net:
    net = base()
    net.line["g_us_per_km"] = 40.0
    net.line["parallel"] = 2
    return net


def two_grids() -> Net:
    """Two feeders that nothing joins."""
    net = base()
    other = [pp.create_bus(net, 20) for _ in range(2)]
    pp.create_ext_grid(net, other[0], vm_pu=1.01, va_degree=10)
    pp.create_line(net, *other, 3.0, "149-AL1/24-ST1A 20.0")
    pp.create_load(net, other[1], 2.0, 0.4)
    return net


def slack_generators() -> Net:
    net = base()
    pp.create_gen(net, 3, 2.0, vm_pu=1.01, slack=True)
    pp.create_gen(net, 0, 1.0, vm_pu=1.02)
    return net


def controlled() -> Net:
    net = base()
    from pandapower.control import ContinuousTapControl

    ContinuousTapControl(net, 0, vm_set_pu=1.0)
    return net


def gaps() -> Net:
    """Indices with gaps, not in order."""
    net = pp.create_empty_network()
    for index in (70, 3, 900, 12):
        pp.create_bus(net, 20, index=index)
    pp.create_ext_grid(net, 900)
    for start, end in ((900, 3), (3, 70), (70, 12)):
        pp.create_line(net, start, end, 3.0, "149-AL1/24-ST1A 20.0")
    pp.create_load(net, 12, 1.0, 0.2)
    return net


_XWARD = (2, 0.5, 0.1, 0.3, 0.2, 0.05, 0.4, 1.01)
_UNLIKE = {"rft_pu": 0.02, "xft_pu": 0.08, "rtf_pu": 0.03, "xtf_pu": 0.1, "sn_mva": 10}
_VSC = {"x_ohm": 1, "r_ohm": 0.1, "control_mode_ac": "vm_pu"}

SMALL: dict[str, Callable[[], Net]] = {
    "base": base,
    "zip_z": _zip(const_z_p_percent=100, const_z_q_percent=100),
    "zip_i": _zip(const_i_p_percent=100, const_i_q_percent=100),
    "zip_z_p_only": _zip(const_z_p_percent=100),
    "zip_parts": _zip(const_z_p_percent=30, const_i_p_percent=20, const_z_q_percent=10, const_i_q_percent=70),
    "zip_mixed": zip_mixed,
    "zip_switches": zip_switches,
    "zip_many_references": zip_many_references,
    "zip_options_off": zip_options_off,
    "joined": joined,
    "joined_generators": joined_generators,
    "joined_reference": joined_reference,
    "joined_references": joined_references,
    "switch_impedance": switch_impedance,
    "switches_at_branches": switches_at_branches,
    "out_of_service": out_of_service,
    "shunt": one("shunt", 3, q_mvar=-1.5, p_mw=0.1, vn_kv=21.0, step=2),
    "shunt_step_table": step_table,
    "ward": one("ward", 2, 0.5, 0.1, 0.3, 0.2),
    "xward": one("xward", *_XWARD),
    "xward_out": one("xward", *_XWARD, in_service=False),
    "impedance": one("impedance", 1, 3, 0.02, 0.08, 10.0),
    "impedance_unlike": one("impedance", 1, 3, **_UNLIKE),
    "impedance_shunts": one(
        "impedance", 1, 3, 0.02, 0.08, 10.0, gf_pu=0.01, bf_pu=0.03, gt_pu=0.02, bt_pu=0.01
    ),
    "trafo3w": three_windings(),
    "trafo3w_tap": three_windings(tap_pos=-2),
    "dcline": one("dcline", 1, 3, 1.0, 2.0, 0.05, 1.0, 1.0),
    "dcline_backwards": one("dcline", 1, 3, -1.0, 2.0, 0.05, 1.0, 1.0),
    "motor": one("motor", 2, 0.5, 0.85, efficiency_percent=92, loading_percent=80),
    "storage": one("storage", 2, 0.7, 2.0, q_mvar=0.1),
    "asymmetric_load": one("asymmetric_load", 2, 0.1, 0.2, 0.3, 0.01, 0.02, 0.03),
    "asymmetric_sgen": one("asymmetric_sgen", 2, 0.1, 0.2, 0.3, 0.01, 0.02, 0.03),
    "sgen": one("sgen", 2, 5.0, 0.3),
    "gen_at_reference": slack_generators,
    "tap_table": tap_table,
    "tap_phase_shifter": tap_phase_shifter,
    "tap_2": tap_2,
    "leakage_ratio": leakage_ratio,
    "line_conductance": line_conductance,
    "two_grids": two_grids,
    "controller": controlled,
    "gaps": gaps,
    "svc": one("svc", 3, 1.0, -10.0, 1.01, 144.0),
    "tcsc": one("tcsc", 1, 3, 0.4, -3.0, -1.0, 144.0),
    "ssc": one("ssc", 3, 0.0, 1.0, 1.01),
    "options_none": options(),
    "options_q_limits": options(enforce_q_lims=True),
    "options_p_limits": options(enforce_p_lims=True),
    "options_pi_model": options(trafo_model="pi"),
    "options_no_angles": options(calculate_voltage_angles=False),
    "options_distributed_slack": options(distributed_slack=True),
    "options_flat": options(init="flat"),
    "options_bfsw": options(algorithm="bfsw"),
    "options_no_check": options(check_connectivity=False),
}
"""By name, what makes the net."""
