"""Reference and check of the task of lesson 11."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, failing, number, same


def alarms(
    calibration: Float[Tensor, " N"], anomalous: Float[Tensor, " A"], rate: float, share: float
) -> tuple[float, float, float]:
    """The limit, the share of anomalies above it, and the share of alarms that are anomalies: 0 if no alarm ever comes.

    The limit is the lowest of the normal scores `calibration` above which at most `rate` of them lie; `share` is that
    of anomalies among all pictures that will come.
    """
    above = (calibration > calibration[:, None]).double().mean(1)
    limit = calibration[above <= rate].min()
    false = (calibration > limit).double().mean().item()
    caught = (anomalous > limit).double().mean().item()
    often = share * caught + (1 - share) * false
    return limit.item(), caught, share * caught / often if often else 0.0


def _alarms(answer: Answer, judge: Judge) -> None:
    cases = [_scores(judge) for _ in range(4)]
    stated = []
    for case in cases:
        values = answer(*case)
        expect(
            isinstance(values, list) and len(values) == 3, "wrong-number", "return three numbers: limit, caught, worth"
        )
        stated.append([number(value) for value in values])
    found = [_candidates(*case) for case in cases]

    def column(name: str, i: int) -> Tensor:
        return torch.tensor([case[name][i] for case in found]).double()

    for i, part in enumerate(("limit", "caught", "worth")):
        with judge.part(part):
            wrong = [(name, column(name, i), words) for name, words in _WRONG[part].items()]
            same(
                [values[i] for values in stated],
                column("right", i),
                f"{_NAMES[part]} is off",
                wrong,
                rtol=1e-4,
                atol=1e-5,
            )
            if part == "worth":
                _judge_silence(answer, judge)


def _judge_silence(answer: Answer, judge: Judge) -> None:
    """No score lies above the highest of the calibration, and no alarm ever comes."""
    calibration, words = judge.normal(9), "where no alarm ever comes the worth is 0, not 0/0"
    with failing(("division", "no-alarm", words)):
        values = answer(calibration, calibration[:5] - 4, 0.05, 0.1)
    expect(abs(number(values[2])) < 1e-6, "no-alarm", words)


_NAMES = {"limit": "the limit", "caught": "the share that is caught", "worth": "the worth of an alarm"}
_WRONG = {
    "limit": {
        "quantile": "the limit lies between two scores: take one of the normal scores",
        "one-too-high": "the limit is one score too high: the score below it still lets at most the rate pass",
        "one-too-low": "more than the rate lies above this limit",
        "lower-end": "this is the limit for low scores: a high score is the suspicious one",
        "of-anomalies": "the limit was taken from the anomalies: when it is set, normal pictures alone are known",
        "largest": "no normal score lies above this limit: some may, and a lower limit catches more",
    },
    "caught": {
        "at-limit": "a score that equals the limit does not lie above it",
        "missed": "this is the share that is missed",
        "false-alarms": "this is the share of normal scores above the limit: the share of the anomalies is asked",
        "counted": "the anomalies above the limit were counted: divide by the number of all anomalies",
        "lower-end": "these are the anomalies below the lower end: a high score is the suspicious one",
        "quantile": "a limit between two scores was used",
    },
    "worth": {
        "no-share": "anomalies and normal pictures count as if they came equally often: weigh them by their shares",
        "shares-turned": "the two shares have changed places: anomalies come with `share`",
        "caught-again": "this is what share of the anomalies raises an alarm: asked is what share of the alarms is an anomaly",
        "false-worth": "this is the share of alarms that are false",
        "alarm-share": "this is how often an alarm comes: divide the true alarms by all of them",
        "counts": "the scores at hand were counted as if they were the pictures that will come: weigh by the shares",
        "rate": "the rate that was allowed was used: the share of normal scores above the limit may be less",
        "normal-unweighted": "false alarms count as if every picture were normal: their weight is 1 - share",
    },
}


def _scores(judge: Judge) -> tuple[Tensor, Tensor, float, float]:
    """Scores with no ties among the high ones, a rate that is no multiple of 1/N, and a small share of anomalies."""
    N, A = judge.integer(17, 23), judge.integer(6, 9)
    calibration = judge.normal(N)
    passing = judge.integer(2, 4)
    rate = (passing + 0.3 + 0.4 * float(judge.uniform(1))) / N
    limit = calibration.sort().values[-passing - 1]
    high = A - judge.integer(1, 2)
    # Some anomalies on either side of the limit, and one at it, which raises no alarm.
    anomalous = torch.cat(
        [limit + 2 * judge.uniform(high - 1) + 0.01, limit[None], limit - 1 - judge.uniform(A - high)]
    )
    return calibration, anomalous[judge.uniform(A).argsort()], rate, 0.05 + 0.2 * float(judge.uniform(1))


def _candidates(calibration: Tensor, anomalous: Tensor, rate: float, share: float) -> dict[str, tuple]:
    """What is right, and what the usual mistakes make of it."""
    limit, caught, worth = alarms(calibration, anomalous, rate, share)
    order = calibration.double().sort().values
    place = int((order <= limit).sum()) - 1
    false = (calibration > limit).double().mean().item()
    between = torch.quantile(calibration.double(), 1 - rate).item()
    low = torch.quantile(calibration.double(), rate).item()
    lowest = order[int((order < order[0]).sum()) + len(order) - 1 - place].item()
    A, N = len(anomalous), len(calibration)
    true, wrong = share * caught, (1 - share) * false
    return {
        "right": (limit, caught, worth),
        "quantile": (between, (anomalous > between).double().mean().item(), 0.0),
        "one-too-high": (order[place + 1].item(), 0.0, 0.0),
        "one-too-low": (order[place - 1].item(), 0.0, 0.0),
        "lower-end": (lowest, (anomalous < low).double().mean().item(), 0.0),
        "of-anomalies": (torch.quantile(anomalous.double(), 1 - rate).item(), 0.0, 0.0),
        "largest": (order[-1].item(), 0.0, 0.0),
        "at-limit": (limit, (anomalous >= limit).double().mean().item(), 0.0),
        "missed": (limit, 1 - caught, 0.0),
        "false-alarms": (limit, false, 0.0),
        "counted": (limit, caught * A, 0.0),
        "no-share": (limit, caught, caught / (caught + false)),
        "shares-turned": (limit, caught, (1 - share) * caught / ((1 - share) * caught + share * false)),
        "caught-again": (limit, caught, true),
        "false-worth": (limit, caught, 1 - worth),
        "alarm-share": (limit, caught, true + wrong),
        "counts": (limit, caught, caught * A / (caught * A + false * N)),
        "rate": (limit, caught, true / (true + (1 - share) * rate)),
        "normal-unweighted": (limit, caught, true / (true + false)),
    }


TASK = Exercise("T11", "What an alarm is worth", {"limit": 2, "caught": 1, "worth": 2}, alarms, _alarms)
