"""`python -m bench`: Berth and its peers, measured in one run."""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from bench import lineup, machine, table
from bench.lineup import Lineup
from bench.measuring import Result, measure
from bench.samples import large_layer, small_image
from bench.works import api, images, layers, lists, small
from bench.works.work import QUICK, Pace, Work


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    image, layer = small_image(), large_layer()
    every = [*api.works(), *small.works(image), *lists.works(), images.PushImages(), *layers.works(layer)]
    works = [work for work in every if _is_chosen(work, options.only)]
    if not works:
        print(f"There is no such work; there are: {'; '.join(work.title for work in every)}.", file=sys.stderr)
        return 2
    sections = {work.section for work in works}
    head, started = f"{machine.this_machine()}\nload average before: {machine.load_averages()}", time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="berth-bench-")))
        of_api, of_registry = bool(sections & {"API", "lists"}), bool(sections - {"API", "lists"})
        found = stack.enter_context(lineup.starting(folder, image, layer, api=of_api, registry=of_registry))
        results = measure(works, found.peers, QUICK if options.quick else Pace(), _tell)
        head += f", after: {machine.load_averages()}"
    head += f"; other programs kept {table.elsewhere(results):.2f} cores busy; {time.monotonic() - started:.0f} s"
    _print(head, found, results)
    if options.json:
        told = table.as_json(results, found.peers, run=head, missing=found.missing)
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    failed = any(result.failure or result.wrong for result in results if result.peer.name == lineup.BERTH)
    return 1 if failed or lineup.BERTH in found.missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Berth beside its peers, in one run.")
    parser.add_argument("--quick", action="store_true", help="shorter and fewer rounds: a minute instead of several")
    parser.add_argument(
        "--only", metavar="NAME", action="append", default=[], help="only works with NAME in their name or section"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every round's figures to FILE too")
    return parser.parse_args()


def _is_chosen(work: Work, names: list[str]) -> bool:
    title = f"{work.section} {work.title}".lower()
    return not names or any(name.lower() in title for name in names)


def _print(head: str, found: Lineup, results: list[Result]) -> None:
    print(f"\n{head}\n")
    for peer in found.peers:
        print(f"  {peer.name}: {peer.terms}")
    for name, why in found.missing.items():
        print(f"  {name} is MISSING from this table: {why}")
    for line in table.lines(results):
        print(line)
    for peer in found.peers:
        if peer.at_rest:
            print("\n".join(table.at_rest(peer)))


def _tell(work: Work) -> None:
    print(f"measuring {work.title}", file=sys.stderr, flush=True)


def _end(signal_number: int, frame: FrameType | None) -> None:
    """Leave by an exception, so that every server is stopped and every folder removed."""
    del signal_number, frame
    sys.exit("stopped by SIGTERM")


if __name__ == "__main__":
    sys.exit(main())
