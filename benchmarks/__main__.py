"""``make bench``: run every benchmark, or those named, and print one table of value and target."""

from __future__ import annotations

import importlib
import sys

from harness import Result, table

BENCHMARKS = (
    "import_time",
    "page_load",
    "screens",
    "image_list",
    "accounting",
    "first_result",
    "build_overhead",
    "context_memory",
    "pull_start",
)


def main() -> int:
    """Run the benchmarks; the exit code says whether all could be measured, not whether targets were reached."""
    results: list[Result] = []
    failed = 0
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"… {name}", file=sys.stderr, flush=True)
        try:
            results += importlib.import_module(name).measure()
        except Exception as error:  # one benchmark that cannot run must not hide the others' figures
            failed += 1
            print(f"{name} could not be measured: {error!r}", file=sys.stderr, flush=True)
    print(table(results))
    return 1 if failed else 0


sys.exit(main())
