"""Extra `demo`: a loopback server that speaks every remote kind's protocol, with faults on request.

`server.py` starts it; `gateway.py` stands before all calls (faults, latency, the ledger); each kind's protocol is one
file under `kinds/`.
"""
