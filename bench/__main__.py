"""Runs every benchmark: each is a script `bench/bench_*.py` that prints `name  ratio  bar  pass|FAIL`."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """The worst of their exit codes. Run from the project's folder, as `make bench` does."""
    worst = 0
    for script in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"== {script.stem}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"bench.{script.stem}"]).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
