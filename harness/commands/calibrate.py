"""`graphgauge calibrate`: compare identical code with itself, and keep what that tells."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from rich.table import Table

from harness.calibrations import calibrations_path
from harness.cases import Case, make_cases, parse_spec
from harness.commands.options import (
    DEFAULT_TIMEOUT_S,
    add_at_once_option,
    load_all_plugins,
    natural,
    positive_float,
    require_out,
)
from harness.commands.threshold import LEVEL
from harness.diagnosis import diagnose
from harness.effort import paired_effort
from harness.environment import machine_id
from harness.errors import UsageError
from harness.exits import OK
from harness.launch import LocalLauncher
from harness.plan import Contender, Group, Version
from harness.profiling.peaks import measured_peaks
from harness.progress import say
from harness.session import Session
from harness.settings import Settings
from results.calibration import (
    LEAST_PAIRS,
    Calibration,
    IdenticalPairs,
    append_calibration,
    between_sessions,
    calibrate,
    read_calibrations,
)
from results.formats.terminal import console
from results.notes import parse_notes
from results.pairs import noted_ratio
from results.sequential import FIRST_LOOK
from results.sessions import BetweenSessions
from results.tables import read
from results.units import quantity
from results.yardsticks import log_speeds

_CASES = (
    ("rnn:steps=30", "straightline", "gradient"),
    ("mlp:batch=8", "interpreter", "output"),
    ("chain:depth=100", "planned", "gradient"),
    ("signed_products", "straightline", "output"),
)
"""Small and large arrays, few and many calls into NumPy, code of ours and code of the library."""
_BUDGET_S = 30.0
_COMPARISON_S = 10.0
_WAITED_SHARE = 0.01


class Calibrate:
    """Find this machine's floor, its false alarms, and what it can show."""

    name = "calibrate"
    summary = "compare identical code with itself: what this machine can show, kept for later"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `calibrate` takes."""
        parser.add_argument(
            "--budget",
            type=positive_float,
            default=_BUDGET_S,
            metavar="SECONDS",
            help="for each of the four cases (default: %(default)g)",
        )
        parser.add_argument("--out", type=Path, metavar="FILE.csv", help="the table to append to")
        add_at_once_option(parser)
        parser.add_argument("--seed", type=natural, default=1, metavar="N")
        parser.add_argument("--plugin", action="extend", nargs="+", default=[], metavar="FILE.py")
        parser.add_argument(
            "--case",
            action="append",
            nargs=3,
            metavar=("SCENARIO", "EVALUATOR", "MODE"),
            help="instead of the four, repeatable",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Measure, print and keep."""
        plugins = load_all_plugins(arguments)
        cases = [
            make_cases([parse_spec(scenario)], [evaluator], [mode])[0]
            for scenario, evaluator, mode in arguments.case or _CASES
        ]
        settings = Settings(
            out=require_out(arguments, "calibrate.csv"),
            effort=paired_effort(
                launches=100_000,
                least_launches=FIRST_LOOK,
                timeout_s=DEFAULT_TIMEOUT_S,
                memory=False,
            ),
            seed=arguments.seed,
            plugins=plugins,
            budget_s=arguments.budget,
            at_once=arguments.at_once,
        )
        session = Session(settings)
        groups = [_identical(case) for case in cases]
        session.run(groups)
        frame = read(settings.out)
        measured = frame[frame["session"] == session.id]
        pairs = [_pairs(measured, group[1].case, session.seconds_spent(group)) for group in groups]
        found = calibrate(
            pairs,
            machine=machine_id(),
            recorded_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            level=LEVEL,
            comparison_s=min(_COMPARISON_S, arguments.budget),
            troubles=_troubles(measured, settings.out.parent),
            log_speed=_log_speed(measured),
        )
        found = replace(found, peaks=measured_peaks(LocalLauncher()))
        path = calibrations_path(found.machine)
        append_calibration(path, found)
        _show(found, between_sessions(read_calibrations(path)))
        say(f"kept in {path}; table: {settings.out}")
        return OK


def _identical(case: Case) -> Group:
    """The case beside itself."""
    return tuple(
        Contender(version=Version(label=label, interpreter=sys.executable), case=case)
        for label in ("identical (1)", "identical (2)")
    )


def _pairs(frame: pd.DataFrame, case: Case, seconds: float) -> IdenticalPairs:
    rows = frame[
        (frame["evaluator"] == case.evaluator)
        & (frame["scenario"] == case.scenario)
        & (frame["params"] == case.params_text)
        & (frame["mode"] == case.mode)
        & (frame["phase"] == "evaluate")
        & (frame["metric"] == "time")
        & (frame["status"] == "ok")
    ]
    noted = [noted_ratio(parse_notes(detail)) for detail in rows["detail"]]
    pairs = [each for each in noted if each is not None]
    if not pairs:
        failed = frame[(frame["scenario"] == case.scenario) & (frame["status"] != "ok")]
        said = failed["detail"].iloc[0] if len(failed) else "no pair was finished"
        raise UsageError(f"calibrate: {case} cannot be measured here: {said}")
    return IdenticalPairs(
        case=str(case),
        pairs=pairs,
        seconds=seconds,
        evaluate_s=float(rows["value"].median()),
    )


def _log_speed(frame: pd.DataFrame) -> float | None:
    """Of both labels together: they are the same code under the same interpreter."""
    speeds = log_speeds(frame).values()
    return sum(speeds) / len(speeds) if speeds else None


def _troubles(frame: pd.DataFrame, folder: Path) -> list[str]:
    """What the machine did wrong, now and while it was measured."""
    troubles = [
        f"{each.topic}: {each.found}; {each.advice}" for each in diagnose(folder) if each.advice
    ]
    waited = [float(parse_notes(detail).get("waited", "0")) for detail in frame["detail"]]
    share = max(waited, default=0.0)
    if share > _WAITED_SHARE:
        troubles.append(
            f"subjects waited for their CPU for up to {share:.0%} of a launch's time: others used "
            "it; stop them while measuring"
        )
    return troubles


def _show(found: Calibration, between: BetweenSessions | None) -> None:
    print(f"identical code compared with itself {found.comparisons} times: ", end="")
    print(f"{found.false_alarms} false alarms at a level of {found.level:.0%}")
    if found.floor is None:
        print(f"floor: not known, fewer than {LEAST_PAIRS} pairs of a case; give a larger --budget")
    else:
        print(f"floor: ±{found.floor:.2%}, beyond which changes count from now on")
    print(f"a pair's log ratio has a standard deviation of {found.pair_sd:.2%}")
    if between is None:
        print("between sessions: not known yet; calibrate again on other days")
    else:
        print(
            f"between sessions: standard deviation {between.sd:.2%}, of {between.degrees + 1}; "
            f"{between.speed_corrected_sd:.2%} where the machine's speed is taken out"
        )
    table = Table(box=None, pad_edge=False)
    table.add_column("budget a case", justify="right")
    table.add_column("pairs", justify="right")
    table.add_column("smallest change found with 95 %", justify="right")
    for each in found.detectable:
        table.add_row(f"{each.budget_s:g} s", str(each.pairs), f"{each.change:.2%}")
    console().print(table)
    if found.peaks is not None:
        for name, rate in found.peaks.flops_per_s.items():
            print(f"compute, one thread: {rate * 1e-9:.1f} GFLOP/s in {name}")
        sizes = ", ".join(
            f"{rate * 1e-9:.1f} GB/s in {quantity(float(size), 'B')}"
            for size, rate in found.peaks.bytes_per_s
        )
        print(f"bandwidth, one thread: {sizes}")
    for trouble in found.troubles:
        print(f"! {trouble}")
