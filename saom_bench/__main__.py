"""``python -m saom_bench`` is ``saom-bench``; torchrun wants it so: ``torchrun ... -m saom_bench train ...``."""

from saom_bench.cli import main

if __name__ == "__main__":
    main()
