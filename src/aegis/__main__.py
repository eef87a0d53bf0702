"""`python -m aegis` is the `aegis` command."""

from aegis.cli import main

main()
