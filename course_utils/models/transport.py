"""The Wasserstein distance by linear programs: the cheapest plan of moving, and the critic that proves it cheapest.

Masses p (N,) and q (M,) are nonnegative and add up to the same. Kantorovich (1942); Villani (2009), Optimal Transport,
doi:10.1007/978-3-540-71050-9, theorem 5.10 and remark 6.5.
"""

import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment, linprog
from torch import Tensor

from course_utils.errors import CourseError


def marginals(N: int, M: int) -> Float[Tensor, "{N}+{M} {N}*{M}"]:
    """The matrix that sums a plan (N, M), flattened row by row: its N row sums, then its M column sums."""
    rows = torch.eye(N).repeat_interleave(M, dim=1)
    columns = torch.eye(M).repeat(1, N)
    return torch.cat([rows, columns])


def cheapest_plan(p: Float[Tensor, " N"], q: Float[Tensor, " M"], cost: Float[Tensor, "N M"]) -> Float[Tensor, "N M"]:
    """How much to move from each place of p to each place of q, so that the sum of plan * cost is least.

    Raises CourseError for masses that are negative or do not add up to the same.
    """
    p, q = p.cpu().double(), q.cpu().double()
    if min(p.min(), q.min()) < 0 or not torch.isclose(p.sum(), q.sum(), rtol=1e-5):
        raise CourseError("Masses must not be negative, and p and q must add up to the same: divide each by its sum.")
    # Sums of floats differ in their last digits; to the program that is a plan that leaves something behind.
    masses = torch.cat([p, q * p.sum() / q.sum()]).numpy()
    sums = marginals(len(p), len(q)).cpu().double().numpy()
    found = linprog(cost.flatten().cpu().double().numpy(), A_eq=sums, b_eq=masses, bounds=(0, None))
    return torch.as_tensor(found.x).to(cost).view_as(cost)


def best_critic(p: Float[Tensor, " N"], q: Float[Tensor, " N"], places: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """The f with the largest sum of (p - q) f among those of slope at most 1 between neighbors; f is 0 at the first.

    `places` rise along a line; CourseError if they do not.
    """
    gain, gaps = (p - q).cpu().double(), places.cpu().double().diff()
    if (gaps < 0).any():
        raise CourseError("The places must rise along the line: sort them, and the masses with them.")
    rise = torch.eye(len(places)).double().diff(dim=0)  # row i: f at place i + 1 less f at place i
    free = [(0, 0)] + [(None, None)] * (len(places) - 1)
    found = linprog(-gain.numpy(), A_ub=torch.cat([rise, -rise]).numpy(), b_ub=gaps.repeat(2).numpy(), bounds=free)
    return torch.as_tensor(found.x).to(places)


def between_samples(x: Float[Tensor, "N *D"], others: Float[Tensor, "M *D"]) -> float:
    """The Wasserstein distance of two sets of as many samples: the mean way in the cheapest pairing.

    Raises CourseError if one set has more samples.
    """
    if len(x) != len(others):
        raise CourseError(f"{len(x)} samples cannot be paired with {len(others)}: give as many of both.")
    cost = torch.cdist(x.flatten(1), others.flatten(1)).cpu().double().numpy()
    return cost[linear_sum_assignment(cost)].mean().item()
