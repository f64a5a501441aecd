"""ProcTHOR houses: their schema, the sizes of assets, and a generator."""
