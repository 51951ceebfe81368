"""The exercises of lesson 17, and its task as the lesson knows it."""

from contextlib import AbstractContextManager

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor

# How torch, NumPy and SciPy say that a table and its places do not fit.
FITS = (
    "should match",
    "must match",
    "expected x and y to have same length",
    "Incompatible dimensions",
    "mat1 and mat2",
    "size mismatch",
    "not broadcast",
)


def bells_apart(
    mu_a: Float[Tensor, " F"], sigma_a: Float[Tensor, " F"], mu_b: Float[Tensor, " F"], sigma_b: Float[Tensor, " F"]
) -> Tensor:
    """Squared Fréchet distance of two Gaussians whose F features are independent."""
    return ((mu_a - mu_b).square() + (sigma_a - sigma_b).square()).sum()


@exercise("17.1", "Two bells apart", {"one feature": 1, "several": 2}, bells_apart)
def _(answer: Answer, judge: Judge) -> None:
    for part, F in (("one feature", 1), ("several", judge.integer(4, 7))):
        a, b = 2 * judge.normal(F), judge.normal(F)
        s, t = 0.4 + 2 * judge.uniform(F), 0.3 + judge.uniform(F)
        a[0], t[0], s[0] = b[0] + 1.3 + judge.uniform(1)[0], t[0] + 1.1, 0.5  # no part of it is small
        means, spreads = (a - b).square().sum(), (s - t).square().sum()
        kl = ((t / s).log() + (s.square() + (a - b).square()) / (2 * t.square()) - 0.5).sum()
        want = means + spreads
        got = answer(a, s, b, t)
        with judge.part(part):
            if isinstance(got, Tensor) and F > 1:
                expect(got.numel() == 1, "not-summed", "one number for each feature came back: add them up")
            wrong = [
                ("variances", means + (s.square() - t.square()).square().sum(), "the variances were compared: compare the standard deviations"),
                ("variances", means + (s.square() - t.square()).abs().sum(), "the variances were compared: compare the standard deviations"),
                ("cross-term", means + (s.square() + t.square()).sum(), "two equal bells would be apart: the product of the spreads is missing, -2 sigma_a sigma_b"),
                ("cross-term", means + (s.square() + t.square() - s * t).sum(), "two equal bells would be apart: the product of the spreads counts twice"),
                ("plus", means + (s + t).square().sum(), "the spreads were added: what differs is asked"),
                ("minus", means - spreads, "the spreads' part was subtracted: both parts push the bells apart"),
                ("roots", means + (s.sqrt() - t.sqrt()).square().sum(), "roots of sigma were compared: sigma is the standard deviation already"),
                ("no-spread", means, "the spreads are missing: bells around one middle can differ too"),
                ("no-means", spreads, "the means are missing"),
                ("root", want.sqrt(), "the root of it came back: the squared distance is asked"),
                ("not-squared", ((a - b).abs() + (s - t).abs()).sum(), "square each difference before adding up"),
                ("summed-first", ((a - b).sum().square() + (s - t).sum().square()), "the differences were added before they were squared: features would cancel"),
                ("kl", kl, "this is the KL: it changes when the two are swapped"),
            ]  # fmt: skip
            if F > 1:
                wrong.append(("averaged", want / F, "this is the mean over the features: add them up"))
            same(number(got), want.item(), "the distance is off", wrong)
        if judge.mistakes:
            return


def _covariance(judge: Judge, F: int, rank: int | None = None) -> Tensor:
    """A covariance with variances of quite different size, in double precision."""
    turned = torch.linalg.qr(judge.normal(F, F).double()).Q
    values = (1.5 * judge.normal(F).double()).exp()
    if rank is not None:
        values[rank:] = 0
    return turned * values @ turned.T


@exercise(
    "17.2",
    "The same with matrices",
    {"same eigenvectors": 1, "any two": 3, "repeated features": 1},
    metrics.frechet_distance,
)
def _(answer: Answer, judge: Judge) -> None:
    F = judge.integer(5, 7)
    frame = torch.linalg.qr(judge.normal(F, F).double()).Q
    alike = [frame * (1.2 * judge.normal(F).double()).exp() @ frame.T for _ in range(2)]
    cases = {
        "same eigenvectors": [alike],
        "any two": [[_covariance(judge, F), _covariance(judge, F)]],
        # Where features repeat each other, eigenvalues are 0, and rounding leaves some of them below.
        "repeated features": [[_covariance(judge, 9, rank=2), _covariance(judge, 9, rank=3)] for _ in range(3)],
    }
    for part, pairs in cases.items():
        with judge.part(part):
            for cov_a, cov_b in pairs:
                mu_a, mu_b = 0.7 * judge.normal(2, len(cov_a)).double()
                want = metrics.frechet_distance(mu_a, cov_a, mu_b, cov_b)
                below = "no finite number came back: rounding leaves eigenvalues of 0 a little below 0, and they have no root: clamp them at 0 first"
                words = "a matrix with eigenvalues of 0 stopped it, and features that repeat each other make one: take a root by eigenvalues, not by a Cholesky factor or an inverse"
                with failing(
                    ("cholesky", "not-flat", words),
                    ("singular", "not-flat", words),
                    # Roots that are not numbers stop the next decomposition.
                    ("non-finite", "negative-eigenvalue", below),
                    ("failed to converge", "negative-eigenvalue", below),
                ):
                    got = answer(mu_a, cov_a, mu_b, cov_b)
                expect(
                    not isinstance(got, Tensor) or got.numel() == 1,
                    "not-a-number",
                    "a matrix or a vector came back: the distance is one number, it takes the trace",
                )
                got = number(got)
                expect(got == got, "negative-eigenvalue", below)
                same(
                    got,
                    want,
                    f"covariances ({part}): the distance is off",
                    _known(mu_a, cov_a, mu_b, cov_b, want),
                    rtol=2e-3 if part == "repeated features" else 2e-4,
                )
        if judge.mistakes:
            return


def _known(mu_a: Tensor, cov_a: Tensor, mu_b: Tensor, cov_b: Tensor, want: float) -> list[tuple[str, Tensor, str]]:
    """What the usual mistakes make of two Gaussians."""
    means, own = (mu_a - mu_b).square().sum(), cov_a.trace() + cov_b.trace()
    shared = (means + own - want) / 2
    roots = metrics.matrix_root(cov_a), metrics.matrix_root(cov_b)
    values, vectors = torch.linalg.eigh(cov_a)
    turned = vectors.T * values.clamp(min=0).sqrt() @ vectors
    of_turned = torch.linalg.eigvalsh(turned @ cov_b @ turned).clamp(min=0).sqrt().sum()
    return [
        ("frame-swapped", means + own - 2 * of_turned, "the root times itself is not the covariance: eigenvectors are the columns of V, so V stands first and its transpose last"),
        ("root-by-entries", means + own - 2 * (cov_a @ cov_b).clamp(min=0).sqrt().trace(), "the root was taken entry by entry: the root of a matrix times itself is the matrix"),
        ("root-by-entries", means + own - 2 * (cov_a @ cov_b).abs().sqrt().trace(), "the root was taken entry by entry: the root of a matrix times itself is the matrix"),
        ("roots-apart", means + own - 2 * (roots[0] @ roots[1]).trace(), "the product of the two roots is not the root of the product, unless both have the same eigenvectors"),
        ("one-triangle", means + own - 2 * torch.linalg.eigvalsh(cov_a @ cov_b).clamp(min=0).sqrt().sum(), "eigvalsh reads one half of a symmetric matrix, and cov_a cov_b is not symmetric: use root cov_b root, or eigvals"),
        ("no-root", means + own - 2 * (cov_a @ cov_b).trace(), "the root of the product is missing"),
        ("variances-alone", means + (cov_a.diagonal().sqrt() - cov_b.diagonal().sqrt()).square().sum(), "only the variances were compared: the covariances beside the diagonal count"),
        ("no-covariance", means, "the covariances are missing"),
        ("no-means", want - means, "the means are missing"),
        ("means-not-squared", means.sqrt() + own - 2 * shared, "the distance of the means is not squared"),
        ("means-averaged", means / len(mu_a) + own - 2 * shared, "the squared distance of the means was averaged over the features: add up"),
        ("factor", means + own - shared, "the root of the product counts twice"),
        ("sign", means + own + 2 * shared, "the root of the product was added: it is taken away, so that equal Gaussians have distance 0"),
        ("root", torch.tensor(want).sqrt(), "the root of it came back: the squared distance is asked"),
        ("frobenius", means + (cov_a - cov_b).square().sum(), "the entries of the covariances were compared: their roots decide"),
        ("frobenius", means + (roots[0] - roots[1]).square().sum(), "the roots of the covariances were compared entry by entry: right only if both have the same eigenvectors"),
    ]  # fmt: skip


@exercise("17.3", "Kernel distance without bias", {"value": 3, "other sizes": 2}, metrics.kid)
def _(answer: Answer, judge: Judge) -> None:
    F, N = judge.integer(4, 6), judge.integer(12, 16)
    sets = {"value": (N, N), "other sizes": (N, 2 * N - 3)}
    for part, (n, m) in sets.items():
        with judge.part(part):
            real, fake = judge.normal(n, F), judge.normal(m, F) + 0.8
            fake[:n] += 0.8 * real  # a pair in one place is more alike than others
            with failing(
                (
                    "must match the size",
                    "size",
                    "sets of different size stopped it: means over N and over M pictures are taken apart",
                )
            ):
                got = answer(real, fake)
            expect(
                not isinstance(got, Tensor) or got.numel() == 1,
                "not-a-number",
                "a table came back: take the means over its pairs",
            )
            same(
                number(got),
                metrics.kid(real, fake),
                "the distance is off",
                _kernel_mistakes(real.double(), fake.double()),
                rtol=3e-4,
            )
        if judge.mistakes:
            return


def _kernel_mistakes(real: Tensor, fake: Tensor) -> list[tuple[str, Tensor, str]]:
    """What the usual mistakes make of two sets of features."""
    n, m, F = len(real), len(fake), real.shape[1]

    def parts(kernel):
        aa, bb, ab = kernel(real, real), kernel(fake, fake), kernel(real, fake)
        return aa, bb, ab, (aa.sum() - aa.trace()) / (n * (n - 1)), (bb.sum() - bb.trace()) / (m * (m - 1))

    def right(kernel):
        _, _, ab, of_real, of_fake = parts(kernel)
        return of_real + of_fake - 2 * ab.mean()

    aa, bb, ab, of_real, of_fake = parts(lambda a, b: (a @ b.T / F + 1).pow(3))
    want = of_real + of_fake - 2 * ab.mean()
    found = [
        ("with-itself", aa.mean() + bb.mean() - 2 * ab.mean(), "pictures were paired with themselves: leave the diagonal out of both own tables"),
        ("wrong-count", (aa.sum() - aa.trace()) / n**2 + (bb.sum() - bb.trace()) / m**2 - 2 * ab.mean(), "the diagonal is left out and still counted: there are N (N - 1) pairs of different pictures"),
        ("cross-once", of_real + of_fake - ab.mean(), "the pairs across count twice: two equal sets should come out near 0"),
        ("sign", -want, "the sign is turned round: own pairs less the pairs across"),
        ("sign", of_real + of_fake + 2 * ab.mean(), "the pairs across were added: they are taken away"),
        ("not-divided", right(lambda a, b: (a @ b.T + 1).pow(3)), "the inner product is not divided by the number of features"),
        ("divided-twice", right(lambda a, b: ((a @ b.T + 1) / F).pow(3)), "the 1 was divided by the number of features as well"),
        ("no-one", right(lambda a, b: (a @ b.T / F).pow(3)), "the 1 of the kernel is missing: without it means and variances do not count"),
        ("not-cubed", right(lambda a, b: a @ b.T / F + 1), "the third power is missing: this compares the means alone"),
        ("squared", right(lambda a, b: (a @ b.T / F + 1).pow(2)), "the kernel is to the third power, this is the second"),
        ("root", want.abs().sqrt(), "the root of it came back: the squared discrepancy is asked, which may be below 0"),
        ("clamped", want.clamp(min=0), "values below 0 were cut off: they belong to it, and without them the mean is too high"),
        ("summed", aa.sum() - aa.trace() + bb.sum() - bb.trace() - 2 * ab.sum(), "these are sums: take the mean over the pairs"),
    ]  # fmt: skip
    by_pictures = right(lambda a, b: (a @ b.T / len(a) + 1).pow(3)), right(lambda a, b: (a @ b.T / n + 1).pow(3))
    found += [
        ("over-pictures", value, "the inner product is divided by the number of pictures: by that of features")
        for value in by_pictures
    ]
    over = [(aa.sum() - aa.trace()) / (2 * n * n), (bb.sum() - bb.trace()) / (2 * m * m)]
    words = "the mean was taken over the zeros of the triangle as well: it holds N (N - 1) / 2 pairs"
    found.append(("zeros-counted", over[0] + over[1] - 2 * ab.mean(), words))
    if n != m:
        words = "the two sets have different sizes: N pictures and M, so each table has a number of pairs of its own"
        for k in (n, m):
            each = (aa.sum() - aa.trace()) / (k * (k - 1)) + (bb.sum() - bb.trace()) / (k * (k - 1))
            found += [("one-size", each - 2 * across, words) for across in (ab.mean(), ab.sum() / k**2)]
            found.append(("one-size", of_real + of_fake - 2 * ab.sum() / k**2, words))
    if n == m:
        across = (ab.sum() - ab.trace()) / (n * (n - 1))
        words = "the diagonal was left out across as well: there a pair in one place is two different pictures"
        found.append(("across-without-diagonal", of_real + of_fake - 2 * across, words))
    return found


@exercise("17.4", "In the region of the others", {"three neighbors": 3, "another k": 1}, metrics.within)
def _(answer: Answer, judge: Judge) -> None:
    N, M = judge.integer(420, 480), judge.integer(90, 120)
    # Dense on one side and thin on the other, so that radii differ.
    others, x = (judge.normal(n, 3) * (0.2 + 2 * judge.uniform(n, 1).square()) for n in (M, N))
    others, x = others + 0.05 * judge.normal(M, 3), 1.1 * x + 0.1
    for part, k in (("three neighbors", 3), ("another k", judge.integer(5, 7))):
        with judge.part(part):
            distance, own = torch.cdist(x, others), torch.cdist(others, others)
            radii = own.sort(dim=1).values
            want = metrics.within(x, others, k)
            words = (
                "the table of distances and the radii do not fit: a column for each of the others, and a radius each"
            )
            with failing(("must match the size", "wrong-axis", words), ("broadcast", "wrong-axis", words)):
                got = answer(x, others, k)
            expect(
                not isinstance(got, bool | int | float),
                "share",
                "one number came back: a yes or no for each x is asked",
            )
            got = tensor(got)
            expect(got.numel() > 1, "share", "one number came back: a yes or no for each x is asked")
            across, alike = distance.sort(dim=1).values[:, k - 1], torch.cdist(x, x).sort(dim=1).values
            far = "another radius was used: each of the others has a region of its own, out to its k-th neighbor"
            known = [
                ("itself-counted", (distance <= radii[:, k - 1]).any(1), "the point itself was counted among its neighbors: it is its own nearest, at distance 0"),
                ("one-too-far", (distance <= radii[:, k + 1]).any(1), "the regions reach one neighbor too far"),
                ("nearest-alone", distance.min(1).values <= radii[distance.argmin(1), k], "only the nearest of the others was asked: a farther one with a wider region may hold x"),
                ("all", (distance <= radii[:, k]).all(1), "x has to lie in the region of one of the others, not of all"),
                ("one-radius", (distance <= radii[:, k].mean()).any(1), far),
                ("one-radius", (distance <= radii[:, k].median()).any(1), far),
                ("radius-of-x", (distance <= alike[:, k, None]).any(1), "the regions are those of x: they belong to the others"),
                ("radius-of-x", (distance <= across[:, None]).any(1), "the regions reach from x to the others: they reach from each of the others to its neighbors"),
                ("swapped", metrics.within(others, x, k), "x and the others are swapped: one answer for each x"),
                ("swapped", (distance <= radii[:, k]).any(0), "the wrong axis was asked: one answer for each x"),
                ("inverted", ~want, "yes and no are swapped"),
                ("first-neighbor", (distance <= radii[:, 1]).any(1), "the regions reach to the first neighbor: k says which"),
                ("counted", (distance <= radii[:, k]).sum(1), "these are counts: yes if there is one or more"),
            ]  # fmt: skip
            if k > 3:
                known.append(
                    (
                        "three-for-k",
                        metrics.within(x, others, 3),
                        "the regions reach to the third neighbor: k says which",
                    )
                )
            same(got, want, "the answers", known)
        if judge.mistakes:
            return


@task("T17", "What endless samples would score", points=5)
def _(answer: Answer, judge: Judge) -> None:
    sizes = torch.tensor([100.0, 200.0, 400.0])
    scores = torch.tensor([[3.0, 2.5, 2.25], [3.4, 3.0, 2.8]])
    with transposed():
        value, error = two_numbers(answer(sizes, scores))
    words = f"in the example of the text the two numbers are 2.3 and 0.3, you have {value:.4g} and {error:.4g}"
    expect(abs(value - 2.3) < 1e-3 and abs(error - 0.3) < 1e-3, "example", words)


def transposed() -> AbstractContextManager[None]:
    """Answer a table that does not fit the sizes with words of its own."""
    words = "sizes and scores do not fit together: a run is a row of scores, and a fit wants it as a column"
    return failing(*((message, "not-transposed", words) for message in FITS))


def two_numbers(got: object) -> tuple[float, float]:
    """A pair of numbers, as a list or as a tensor of two."""
    if isinstance(got, Tensor) and got.shape == (2,):
        got = list(got)
    right = isinstance(got, list | tuple) and len(got) == 2
    expect(right, "not-two", "two numbers are expected, the mean and its standard error")
    return number(got[0]), number(got[1])
