"""Numbers that judge a model: each states its range and which way is better."""

import math

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor, nn
from torch.nn import functional

from course_utils import losses, train
from course_utils.data import Images
from course_utils.errors import CourseError
from course_utils.models.convolutional import conv_encoder


def principal_subspace(x: Float[Tensor, "N D"], latent_dim: int) -> tuple[Float[Tensor, " D"], Float[Tensor, "Z D"]]:
    """Mean of the rows of x, and `latent_dim` orthonormal rows along which x varies most, the largest first (PCA).

    Pearson (1901), doi:10.1080/14786440109462720.
    """
    mean = x.mean(0)
    _, _, directions = torch.linalg.svd(x - mean, full_matrices=False)
    return mean, directions[:latent_dim]


def largest_angle(a: Float[Tensor, "Z D"], b: Float[Tensor, "Z D"]) -> float:
    """Largest principal angle between the spans of the rows of a and of b, in degrees; 0 when they are the same.

    Björck & Golub (1973), doi:10.1090/S0025-5718-1973-0348991-3.
    """
    q_a = torch.linalg.qr(a.T).Q
    q_b = torch.linalg.qr(b.T).Q
    cosines = torch.linalg.svdvals(q_a.T @ q_b).clamp(max=1.0)
    return cosines.min().acos().rad2deg().item()


def explained_share(x: Float[Tensor, "N *D"], x_hat: Float[Tensor, "N *D"]) -> float:
    """1 - squared error of x_hat / squared error of the mean image; 1 is perfect, 0 no better than the mean image."""
    error = (x - x_hat).square().sum()
    return (1 - error / (x - x.mean(0)).square().sum()).item()


def stride_energy(x: Float[Tensor, "B C H W"], stride: int) -> Float[Tensor, " B"]:
    """Share of an image's energy away from its mean that lies at the frequencies of a grid of `stride` pixels, 0 to 1.

    H and W are multiples of `stride`. The same as the share of the pixels' variance that lies between the means of
    the stride^2 places a pixel can have in the grid (Parseval).
    """
    H, W = x.shape[-2:]
    energy = torch.fft.fft2(x - x.mean((-2, -1), keepdim=True)).abs().square().sum(1)
    return energy[:, :: H // stride, :: W // stride].sum((1, 2)) / energy.sum((1, 2))


def nearest_distance(x: Float[Tensor, "B *D"], x_train: Float[Tensor, "N *D"]) -> Float[Tensor, " B"]:
    """Euclidean distance of each image to the nearest of the images x_train; 0 for a copy. Blur makes it smaller."""
    # A thousand images at a time: the whole table of distances would not fit into memory for large sets.
    parts = x.flatten(1).split(1000)
    return torch.cat([torch.cdist(part, x_train.flatten(1)).min(1).values for part in parts])


def effective_beta(values: Float[Tensor, " T"], error: Float[Tensor, "T B D"], kl: Float[Tensor, "T B Z"]) -> float:
    """Weight of the summed KL against the summed error in a loss that had these values in T runs, T >= 3.

    In nats, `error` is -log p of each pixel, `kl` the KL of each latent. The loss is linear in both, with any constant.
    """
    columns = [error.sum(2).mean(1), kl.sum(2).mean(1), torch.ones(len(values))]
    columns, values = torch.stack([column.cpu().double() for column in columns], 1), values.cpu().double()
    of_error, of_kl, _ = torch.linalg.lstsq(columns, values[:, None]).solution[:, 0].tolist()
    return of_kl / of_error


class Judges:
    """The two judges of lesson 03: distance to the nearest training picture, and a linear classifier's confidence.

    A picture passes if it meets both limits; each limit is set so that nine of ten held-out pictures meet it.
    """

    def __init__(self, images: Images, seed: int = 0):
        self.x_train = images.x_train
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(images.x_train[0].numel(), 10))

        def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
            return functional.cross_entropy(model(x), y, reduction="none")

        train.fit(self.classifier, images.x_train, loss, images.y_train, epochs=10, seed=seed, label="classifier")
        distance, confidence = self.readings(images.x_test)
        self.limits = distance.quantile(0.9), confidence.quantile(0.1)

    @torch.no_grad()
    def readings(self, x: Float[Tensor, "B 1 H W"]) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """Distance and confidence of each picture."""
        return nearest_distance(x, self.x_train), confidence(self.classifier, x)

    @torch.no_grad()
    def labels(self, x: Float[Tensor, "B 1 H W"]) -> Int[Tensor, " B"]:
        """The label that the classifier gives each picture."""
        return self.classifier(x).argmax(1)

    def passes(self, x: Float[Tensor, "B 1 H W"]) -> Bool[Tensor, " B"]:
        distance, confidence = self.readings(x)
        return (distance <= self.limits[0]) & (confidence >= self.limits[1])

    def share(self, x: Float[Tensor, "B 1 H W"]) -> float:
        """The share of pictures that pass, 0 to 1."""
        return self.passes(x).float().mean().item()


def kl_per_unit(mu: Float[Tensor, "N Z"], logvar: Float[Tensor, "N Z"]) -> Float[Tensor, " Z"]:
    """KL of each unit of the code from N(0, 1), in nats, its mean over the data; 0 for a unit that says nothing."""
    return losses.unit_kl(mu, logvar).mean(0)


def active_units(mu: Float[Tensor, "N Z"], threshold: float = 0.01) -> int:
    """How many units' posterior mean moves over the data: its variance is above the threshold. From 0 to Z.

    Burda, Grosse & Salakhutdinov (2016), arXiv:1509.00519, section 5.2.
    """
    return int((mu.var(0) > threshold).sum())


def diagnose(active: int, alone: float, reachable: float, slack: float = 0.1) -> str:
    """What has become of a code: "not needed", "in use" or "collapsed".

    `alone` is the log p(x) that the decoder reaches without a code and `reachable` the best that is known, both in
    nats for each image: a code that gains no more than `slack` is not needed. `active` counts active units.
    """
    if reachable - alone <= slack:
        return "not needed"
    return "in use" if active > 0 else "collapsed"


def label_share(
    z: Float[Tensor, "N Z"],
    y: Int[Tensor, " N"],
    z_test: Float[Tensor, "M Z"],
    y_test: Int[Tensor, " M"],
    neighbors: int = 25,
) -> float:
    """Share of held-out codes whose label is the commonest among their nearest codes: 1 is perfect.

    Cover & Hart (1967), doi:10.1109/TIT.1967.1053964.
    """
    nearest = torch.cdist(z_test, z).topk(neighbors, largest=False).indices
    return (y[nearest].mode(1).values == y_test).float().mean().item()


def mutual_information(a: Int[Tensor, " N"], b: Int[Tensor, " N"]) -> Float[Tensor, ""]:
    """What one of two variables tells about the other, in nats, from N pairs of labels 0, 1, 2, …; 0 if nothing.

    Cover & Thomas (2006), Elements of Information Theory, equation 2.28. From few pairs it comes out too large, by
    about (labels of a - 1) (labels of b - 1) / (2 N).
    """
    columns = int(b.max()) + 1
    counts = torch.bincount(a * columns + b, minlength=(int(a.max()) + 1) * columns).view(-1, columns)
    joint = counts.double() / len(a)
    apart = joint.sum(1, keepdim=True) * joint.sum(0)
    seen = joint > 0
    return (joint[seen] * (joint[seen] / apart[seen]).log()).sum().float()


def equal_bins(z: Float[Tensor, "N Z"], bins: int = 20) -> Int[Tensor, "N Z"]:
    """The bin of each number among those of its unit: 0, 1, 2, …, about equally many numbers in each."""
    edges = z.quantile(torch.arange(1, bins).to(z) / bins, dim=0)
    return torch.stack([torch.bucketize(*pair) for pair in zip(z.T.contiguous(), edges.T.contiguous(), strict=True)], 1)


def information(z: Float[Tensor, "N Z"], levels: Int[Tensor, "N K"], bins: int = 20) -> Float[Tensor, "Z K"]:
    """What each unit of the code, cut into bins with equally many codes, tells about each factor, in nats."""
    return torch.stack([torch.stack([mutual_information(a, b) for b in levels.T]) for a in equal_bins(z, bins).T])


def entropies(levels: Int[Tensor, "N K"]) -> Float[Tensor, " K"]:
    """How much there is to tell about each factor, in nats: its mutual information with itself."""
    return torch.stack([mutual_information(factor, factor) for factor in levels.T])


def mig(told: Float[Tensor, "Z K"], entropy: Float[Tensor, " K"]) -> float:
    """Mutual information gap, 0 to 1: how far the unit that tells most about a factor is ahead of the next.

    Its share of the factor's entropy, averaged over the factors. Chen et al. (2018), arXiv:1802.04942, section 4.
    """
    first, second = told.topk(2, dim=0).values
    return ((first - second) / entropy).mean().item()


def disentanglement(told: Float[Tensor, "Z K"]) -> float:
    """How close each unit is to telling about one factor alone, 0 to 1; units that tell more weigh more.

    The score of Eastwood & Williams (2018), openreview.net/forum?id=By-7dz-AZ, section 2, with mutual information as
    the importance of a unit for a factor, where they take that of a regression.
    """
    shares = told / told.sum(1, keepdim=True).clamp(min=1e-12)
    spread = torch.special.entr(shares).sum(1) / math.log(told.shape[1])
    return ((1 - spread) * told.sum(1)).sum().div(told.sum()).item()


def auc(anomalous: Float[Tensor, " A"], normal: Float[Tensor, " N"]) -> float:
    """Share of pairs in which the anomalous score is the higher one, ties counting half: 1 is perfect, 0.5 a coin.

    The area under the ROC curve: Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747.
    """
    normal = normal.sort().values
    below = torch.searchsorted(normal, anomalous, right=False)
    up_to = torch.searchsorted(normal, anomalous, right=True)
    return ((below + up_to).double().mean() / (2 * len(normal))).item()


def paired_gain(with_it: Float[Tensor, " N"], without: Float[Tensor, " N"]) -> tuple[float, float, float]:
    """Mean gain over N paired runs, and its ends two standard errors below and above; N >= 2.

    Pairs share their seed, so that what a seed does to both cancels.
    """
    gains = with_it - without
    mean, error = gains.mean().item(), (gains.std() / len(gains) ** 0.5).item()
    return mean, mean - 2 * error, mean + 2 * error


def jensen_shannon(p: Float[Tensor, " N"], q: Float[Tensor, " N"], dx: float) -> Tensor:
    """Jensen-Shannon divergence in nats, 0 to log 2, of two densities given at places that lie dx apart.

    Lin (1991), doi:10.1109/18.61115, with equal weights.
    """
    m = 0.5 * (p + q)
    # xlogy is 0 where its first factor is, as the limit of p log p is.
    return 0.5 * dx * (torch.xlogy(p, p) - torch.xlogy(p, m) + torch.xlogy(q, q) - torch.xlogy(q, m)).sum()


def share_near(x: Float[Tensor, "N D"], others: Float[Tensor, "M D"], radius: float = 0.2) -> Tensor:
    """The share of the points x that have one of the others within `radius`, 0 to 1.

    Of fakes near the data it says how many are good, of the data near fakes how much is covered.
    """
    return (torch.cdist(x, others).amin(1) <= radius).float().mean()


def digit_reader(images: Images, seed: int = 0, epochs: int = 10) -> nn.Module:
    """A convolutional classifier of real pictures in [0, 1]: logits of ten labels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        reader = nn.Sequential(conv_encoder(64, channels=8), nn.ReLU(), nn.Linear(64, 10))

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(model(x), y, reduction="none")

    train.fit(
        reader, images.x_train, loss, images.y_train, epochs=epochs, batch_size=64, lr=2e-3, seed=seed, label="reader"
    )
    return reader


@torch.no_grad()
def confidence(reader: nn.Module, x: Float[Tensor, "B 1 H W"]) -> Float[Tensor, " B"]:
    """The probability that a classifier gives its favorite label, for each picture, up to 1."""
    return reader(x).softmax(1).amax(1)


def nearest_mode(
    x: Float[Tensor, "N D"], centers: Float[Tensor, "K D"]
) -> tuple[Int[Tensor, " N"], Float[Tensor, " N"]]:
    """For each sample the number of the mode whose center is nearest, and the distance to that center."""
    distance, which = torch.cdist(x, centers).min(1)
    return which, distance


def reverse_kl(counts_fake: Num[Tensor, " K"], counts_real: Num[Tensor, " K"]) -> Tensor:
    """KL(shares of the fakes over K modes || shares of the data) in nats: 0 if equal, log K for one of K equal modes.

    A mode without fakes adds nothing; one with fakes and no data makes it infinite.
    """
    q, p = (counts.cpu().double() / counts.sum().cpu() for counts in (counts_fake, counts_real))
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum()


def diagnose_modes(counts: Num[Tensor, " K"], good: float, at_least: int = 1) -> str:
    """What has become of a generator: "collapsed", "scattered" or "healthy".

    `counts` are the fakes nearest to each mode and `good` the share of fakes near enough to theirs. A mode with
    `at_least` fakes is covered; nine of ten modes should be, and half of the fakes should be good.
    """
    if (counts >= at_least).float().mean() < 0.9:
        return "collapsed"
    return "healthy" if good >= 0.5 else "scattered"


def wasserstein(places: Float[Tensor, " N"], p: Float[Tensor, " N"], q: Float[Tensor, " N"]) -> Tensor:
    """Wasserstein distance, in units of the places, of masses p and q at places that rise along a line.

    Vallender (1974), doi:10.1137/1118101: the area between the two cumulative sums.
    """
    carried = (p - q).cumsum(0)[:-1]  # what has to cross each gap
    return (carried.abs() * places.diff()).sum()


def ring_energy(x: Float[Tensor, "B C N N"]) -> Float[Tensor, "B R"]:
    """Energy of each square picture at 0, 1, 2, … waves across it, in any direction; all rings add up to sum x^2.

    Ring r holds the waves (ky, kx) whose length, the root of ky^2 + kx^2, is nearest to r.
    """
    N = x.shape[-1]
    waves = torch.fft.fftfreq(N, 1 / N, device=x.device)
    ring = torch.hypot(waves[:, None], waves).round().long().flatten()
    energy = torch.fft.fft2(x, norm="ortho").abs().square().sum(1).flatten(1)
    return energy.new_zeros(len(x), int(ring.max()) + 1).index_add(1, ring, energy)


def fine_share(x: Float[Tensor, "B C N N"], coarsest: int = 8) -> Float[Tensor, " B"]:
    """Share of a picture's energy away from its mean at `coarsest` or more waves across it, 0 to 1."""
    energy = ring_energy(x)
    return energy[:, coarsest:].sum(1) / energy[:, 1:].sum(1)


def gradient_energy(x: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
    """Sum of the squared differences of neighboring pixels, to the right and below; 0 for an even gray."""
    right, below = x.diff(dim=3), x.diff(dim=2)
    return right.square().flatten(1).sum(1) + below.square().flatten(1).sum(1)


def covered_share(x: Float[Tensor, "N *D"], x_fake: Float[Tensor, "M *D"], x_real: Float[Tensor, "M *D"]) -> float:
    """Share of pictures x with a sample as near as nine of ten of them have a real one; as many x_real as samples."""
    radius = nearest_distance(x, x_real).quantile(0.9)
    return (nearest_distance(x, x_fake) <= radius).float().mean().item()


def _enough(least: int, *sets: Tensor) -> None:
    if min(map(len, sets)) < least:
        raise CourseError(f"This score needs {least} pictures or more in each set; one has {min(map(len, sets))}.")


def moments(features: Float[Tensor, "N F"]) -> tuple[Float[Tensor, " F"], Float[Tensor, "F F"]]:
    """Mean and covariance (over N - 1) of the rows, in double precision, on the CPU."""
    features = features.detach().cpu().double()  # not every accelerator knows double precision
    return features.mean(0), features.T.cov()


def matrix_root(cov: Float[Tensor, "F F"]) -> Float[Tensor, "F F"]:
    """The symmetric matrix R with R R = cov, for a covariance matrix; eigenvalues that rounding left below 0 are 0."""
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def frechet_distance(
    mu_a: Float[Tensor, " F"], cov_a: Float[Tensor, "F F"], mu_b: Float[Tensor, " F"], cov_b: Float[Tensor, "F F"]
) -> float:
    """Squared Fréchet distance of two Gaussians: |mu_a - mu_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)).

    Dowson & Landau (1982), doi:10.1016/0047-259X(82)90077-X. It is the squared 2-Wasserstein distance as well.
    """
    root = matrix_root(cov_a)
    # root cov_b root is symmetric and has the eigenvalues of cov_a cov_b, which is not.
    shared = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return ((mu_a - mu_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * shared).item()


def fid(features_real: Float[Tensor, "N F"], features_fake: Float[Tensor, "M F"]) -> float:
    """Fréchet distance of the Gaussians with each set's mean and covariance: 0 is best; small sets come out too high.

    Heusel et al. (2017), arXiv:1706.08500, equation 6, with features of a network of this course.
    """
    _enough(2, features_real, features_fake)
    return frechet_distance(*moments(features_real), *moments(features_fake))


def kid(features_real: Float[Tensor, "N F"], features_fake: Float[Tensor, "M F"]) -> float:
    """Squared maximum mean discrepancy by the kernel (a·b / F + 1)^3, unbiased: around 0 for sets of one kind, +-.

    Bińkowski et al. (2018), arXiv:1801.01401, section 4; Gretton et al. (2012), lemma 6.
    """
    _enough(2, features_real, features_fake)
    real, fake = features_real.detach().cpu().double(), features_fake.detach().cpu().double()

    def summed(a: Tensor, b: Tensor) -> Tensor:
        # A thousand rows at a time, since the table of all pairs may not fit into memory.
        return sum((part @ b.T / a.shape[1] + 1).pow(3).sum() for part in a.split(1000))

    def own(a: Tensor) -> Tensor:
        """Mean over pairs of different rows."""
        alone = (a.square().sum(1) / a.shape[1] + 1).pow(3).sum()
        return (summed(a, a) - alone) / (len(a) * (len(a) - 1))

    return (own(real) + own(fake) - 2 * summed(real, fake) / (len(real) * len(fake))).item()


def within(x: Float[Tensor, "N F"], others: Float[Tensor, "M F"], k: int) -> Bool[Tensor, " N"]:
    """Which x lie in the region of the others: no farther from one of them than its own k-th neighbor among them."""
    _enough(k + 1, others)
    # The nearest of all is the point itself, at distance 0.
    radii = torch.cat(
        [torch.cdist(part, others).topk(k + 1, largest=False).values[:, k] for part in others.split(1000)]
    )
    return torch.cat([(torch.cdist(part, others) <= radii).any(1) for part in x.split(1000)])


def precision_recall(
    features_real: Float[Tensor, "N F"], features_fake: Float[Tensor, "M F"], k: int = 3
) -> tuple[float, float]:
    """Share of the fakes in the region of the real ones, and of the real ones in the region of the fakes, 0 to 1.

    Kynkäänniemi et al. (2019), arXiv:1904.06991, algorithm 1. Both depend on N and M: compare equal ones.
    """
    precision = within(features_fake, features_real, k).float().mean().item()
    return precision, within(features_real, features_fake, k).float().mean().item()
