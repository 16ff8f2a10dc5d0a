"""Where a batch is spread over processes: what its parts have to agree on."""

from jaxtyping import Float
from torch import Tensor, distributed


def mean_over_processes(masses: Float[Tensor, " parts"]) -> Float[Tensor, " parts"]:
    r"""The mean of each mass over all processes: what ``reduce_mass`` is under DDP.

    .. math:: \bar D_k = \frac{1}{P} \sum_{p=1}^{P} D_{kp}, \qquad
        \frac{1}{P} \sum_p \nabla \frac{T_{kp}}{\bar D_k}
        = \nabla \frac{\sum_p T_{kp}}{\sum_p D_{kp}}

    with :math:`P` processes and the sum :math:`T_{kp}` and divisor :math:`D_{kp}` of part :math:`k`
    in process :math:`p`. DDP averages gradients over processes, so that with these divisors it
    arrives at the gradient of the whole batch, however unevenly its labels are spread; the average
    of a part's means is its mean over the whole batch, too.

    Every process has to call it equally often, as it has to for gradients. One process, without a
    process group, is its own mean. No gradient flows through it, and none has to: masses are made
    of labels.

    Args:
        masses: The divisors of one process ``(parts,)``, on the device that its group works on.

    Returns:
        ``(parts,)``, the same in every process.

    References:
        Li and others, *PyTorch Distributed: Experiences on Accelerating Data Parallel Training*
        (2020), for the average of gradients.

    Examples:
        >>> import torch
        >>> mean_over_processes(torch.tensor([2.0, 64.0]))
        tensor([ 2., 64.])
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return masses
    total = masses.detach().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()
