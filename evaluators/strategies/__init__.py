"""Our own strategies: ways to walk a network with NumPy."""
