"""Every test process sets memory and threads up as the command line does, before anything imports torch."""

from saom_bench.sam import runtime

runtime.prepare()
