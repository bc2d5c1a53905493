"""The rules of the handoff: pure values and functions, without Prefect, SQL, network or clock."""
