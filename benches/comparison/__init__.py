"""Compares this server with Flink's own history server, with nginx, and with the limits of the machine.

`__main__.py` runs the rounds, `servers.py` starts the servers, `measures.py` and `load.py` measure them, `limits.py` measures the work
without a server, and `report.py` makes BENCHMARKS.md from the figures. Python 3.11 and its standard library only.
"""
