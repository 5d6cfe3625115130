"""Runs every benchmark: each is a script `bench/bench_*.py` that prints `name  ratio  bar  pass|FAIL`."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    scripts = sorted(Path(__file__).parent.glob("bench_*.py"))
    if not scripts:
        print("no claim about speed is made yet, so there is nothing to measure")
    return max((subprocess.run([sys.executable, str(script)]).returncode for script in scripts), default=0)


if __name__ == "__main__":
    sys.exit(main())
