"""The exercise of lesson 00."""

from course_utils import losses
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, same


@exercise("0.1", "One number per image", {"value": 2, "gradient": 1}, reference=losses.squared_error)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(3, 6)
    x, x_hat = judge.uniform(B, 1, 28, 28), judge.uniform(B, 1, 28, 28)
    squares = 0.5 * (x_hat - x).square()
    one_per_image = squares.flatten(1).sum(1)
    with judge.part("value"):
        wrong = [
            ("sum-over-batch", squares.sum(), "one number came back: keep the batch, sum over the pixels only"),
            ("mean-over-all", squares.mean(), "one number came back, an average: keep the batch, sum over the pixels"),
            ("mean-over-all", 2 * squares.mean(), "one number came back, an average: keep the batch, sum the pixels"),
            (
                "mean-over-batch",
                one_per_image.mean(),
                "one number came back: leave the mean over the batch to the loop",
            ),
            ("sum-over-batch", 2 * squares.sum(), "one number came back: keep the batch, sum over the pixels only"),
            ("no-half", 2 * one_per_image, "every number is twice too large: the loss is half the squared distance"),
            (
                "mean-over-pixels",
                squares.flatten(1).mean(1),
                "784 times too small: sum over the pixels, do not average",
            ),
            ("mean-over-pixels", 2 * squares.flatten(1).mean(1), "sum over the pixels, do not average"),
            (
                "root",
                (2 * one_per_image).sqrt(),
                "this is the distance: leave the square root out and halve the square",
            ),
            ("root", 0.5 * (2 * one_per_image).sqrt(), "this is half the distance: halve its square, without the root"),
            ("absolute", (x_hat - x).abs().flatten(1).sum(1), "these are absolute differences: square them first"),
            ("absolute", 0.5 * (x_hat - x).abs().flatten(1).sum(1), "these are absolute differences: square them"),
            (
                "one-axis",
                squares.sum(-1),
                "only the last axis was summed: every axis but the first belongs to the image",
            ),
            ("not-squared", 0.5 * (x_hat - x).flatten(1).sum(1), "differences of both signs cancel: square them first"),
        ]
        same(answer(x_hat, x), one_per_image, "the loss of an image is off", wrong)
    with judge.part("gradient"):
        (slope,) = answer.grad(x_hat, x)
        expect(slope is not None, "no-gradient", "no gradient reaches x_hat: stay with tensors, without .item()")
        same(slope, x_hat - x, "the gradient is off")
