"""Runs every benchmark: each is a script `bench/bench_*.py` that prints `name  ratio  bar  pass|FAIL`.

With names, only those: `python -m bench reading`.
"""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """The worst of their exit codes. Run from the project's folder, as `make bench` does."""
    scripts = {
        path.stem.removeprefix("bench_"): path.stem for path in Path(__file__).parent.glob("bench_*.py")
    }
    if unknown := set(sys.argv[1:]) - scripts.keys():
        print(f"there is no benchmark {', '.join(sorted(unknown))}: there are {', '.join(sorted(scripts))}")
        return 2
    worst = 0
    for name in sys.argv[1:] or sorted(scripts):
        print(f"== {scripts[name]}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"bench.{scripts[name]}"]).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
