"""What measures: cases, launches, phases, clocks, memory probes, sessions, command line."""
