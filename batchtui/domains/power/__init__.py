"""Power flow, optimal power flow and contingencies over many scenarios of a grid."""
