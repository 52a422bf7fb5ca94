"""``python -m musicgen``."""

from musicgen.cli import main

main()
