"""The training loop: what it returns, and what it does when training goes wrong or is interrupted."""

import pytest
import torch
from torch import nn

from course_utils import losses, train
from course_utils.errors import CourseError

x = torch.rand(300, 3, generator=torch.Generator().manual_seed(0))


def loss(model, batch):
    return losses.squared_error(model(batch), batch)


def model():
    torch.manual_seed(0)
    return nn.Linear(3, 3)


def test_every_image_comes_once_an_epoch():
    order = torch.cat(list(train.batches(300, 64, torch.Generator().manual_seed(0))))
    assert sorted(order.tolist()) == list(range(300)) and order.tolist() != list(range(300))


def test_history_has_the_mean_of_each_term_over_the_images():
    lin = model()
    start = loss(lin, x).mean().item()

    def terms(model, batch):
        return {"loss": loss(model, batch), "ones": torch.ones(len(batch))}

    history = train.fit(lin, x, terms, epochs=1, batch_size=64, lr=1e-9)
    assert history["ones"] == [1.0]  # the smaller last batch weighs by its images
    assert history["loss"] == [pytest.approx(start, rel=1e-5)]
    history = train.fit(lin, x, loss, epochs=30, lr=1e-2)
    assert len(history["loss"]) == 30 and history["loss"][-1] < 0.5 * start


def test_only_the_first_term_is_minimized():
    lin = model()
    before = lin.weight.clone()
    train.fit(lin, x, lambda model, batch: {"zero": 0 * loss(model, batch), "loss": loss(model, batch)}, epochs=2)
    assert torch.equal(before, lin.weight)


def test_targets_come_with_their_images():
    y = x.flip(1)
    lin = model()
    history = train.fit(lin, x, lambda m, b, t: losses.squared_error(m(b), t), y, epochs=100, lr=3e-2)
    assert history["loss"][-1] < 1e-3


def test_same_seed_same_training_and_the_reader_s_generator_is_left_alone():
    first, second = model(), model()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert train.fit(first, x, loss, epochs=3, seed=1) == train.fit(second, x, loss, epochs=3, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert train.fit(model(), x, loss, epochs=3, seed=2) != train.fit(model(), x, loss, epochs=3, seed=1)


def test_a_loss_that_is_no_number_stops_with_one_sentence_and_the_history():
    def bursts(model, batch):
        bursts.calls += 1
        return loss(model, batch) * (float("nan") if bursts.calls > 7 else 1)

    bursts.calls = 0
    with pytest.raises(train.Diverged, match=r"epoch 3.*'loss' became nan.*smaller lr") as stopped:
        train.fit(model(), x, bursts, epochs=5, batch_size=100)
    assert len(stopped.value.history["loss"]) == 2


def test_an_interrupt_keeps_the_history_so_far(capsys):
    def interrupted(model, batch):
        interrupted.calls += 1
        if interrupted.calls > 7:
            raise KeyboardInterrupt
        return loss(model, batch)

    interrupted.calls = 0
    lin = model()
    history = train.fit(lin, x, interrupted, epochs=5, batch_size=100)
    assert len(history["loss"]) == 2 and not lin.training
    assert "2 of 5 epochs are done" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):  # the second one in a row stops the cell
        train.fit(lin, x, interrupted, epochs=5)


@pytest.mark.parametrize(("count", "batch_size", "words"), [(0, 64, "holds no image"), (3, 0, "begins at 1")])
def test_batches_that_hold_nothing_are_one_sentence(count, batch_size, words):
    with pytest.raises(CourseError, match=words):
        train.fit(model(), x[:count], loss, batch_size=batch_size)
