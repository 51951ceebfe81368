"""The exercises of lesson 10, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from course_utils.exercises.answer import Answer, AnswerFailed
from course_utils.exercises.engine import Judge, exercise, expect, failing, same, task, tensor
from course_utils.models import conditional


@exercise("10.1", "Every code with every label", {"rows": 3}, conditional.with_every_label)
def _(answer: Answer, judge: Judge) -> None:
    B, Z, K = judge.integer(5, 7), judge.integer(2, 3), judge.integer(8, 10)
    z, eye, places = judge.normal(B, Z) + 2, torch.eye(K), torch.arange(K)[:, None].float()
    each, in_turn, blocks = z.repeat_interleave(K, 0), z.repeat(K, 1), eye.repeat_interleave(B, 0)
    want = torch.cat([each, eye.repeat(B, 1)], 1)
    with judge.part("rows"):
        wrong = [
            ("label-as-number", torch.cat([each, places.repeat(B, 1)], 1), "the label stands there as a number, as if 9 were more than 1: give it one place for each label"),
            ("label-by-label", torch.cat([in_turn, blocks], 1), "all codes come with label 0, then all with label 1: a code's rows belong together"),
            ("in-step", torch.cat([in_turn, eye.repeat(B, 1)], 1), "code and label move on together from row to row: hold the code while the labels run"),
            ("in-step", torch.cat([each, blocks], 1), "neighboring rows share code and label: hold the code while the labels run"),
            ("label-first", torch.cat([eye.repeat(B, 1), each], 1), "the label stands before the code: it comes behind it"),
            ("three-axes", want.view(B, K, Z + K), f"shape {(B, K, Z + K)} came back: a layer wants rows, {(B * K, Z + K)}"),
            ("codes-alone", each, "the codes are repeated, the labels are missing"),
            ("labels-alone", eye.repeat(B, 1), "the labels are there, the codes are missing"),
            ("one-label-each", torch.cat([z, eye[torch.arange(B) % K]], 1), f"{B} rows came back: each code needs a row for each of the {K} labels"),
        ]  # fmt: skip
        words = "codes and labels have different numbers of rows: repeat both before joining them"
        with failing(("Sizes of tensors", "not-repeated", words), ("must match", "not-repeated", words)):
            got = answer(z, K)
        same(got, want, "a row is off", wrong)
        same(answer(z[:1], 3), conditional.with_every_label(z[:1], 3), "one code with three labels is off")


@exercise("10.2", "The loss of a picture with its label", {"loss": 3}, conditional.labeled_loss)
def _(answer: Answer, judge: Judge) -> None:
    # Not ten labels, so that the log 10 of the text shows.
    B, H, W, Z, K = judge.integer(4, 6), 5, judge.integer(6, 8), judge.integer(2, 3), judge.integer(11, 14)
    x_logits, x = 2 * judge.normal(B, 1, H, W), (judge.uniform(B, 1, H, W) < 0.4).float()
    mu, logvar = 1.5 * judge.normal(B, Z), judge.normal(B, Z)

    def pixels(logits: Tensor, x: Tensor = x) -> Tensor:
        nats = functional.binary_cross_entropy_with_logits(logits.double(), x.double(), reduction="none")
        return nats.flatten(1).sum(1)

    nll = pixels(x_logits)
    kl = 0.5 * (mu.double().square() + logvar.double().exp() - 1 - logvar.double()).sum(1)
    want = nll + kl + math.log(K)
    with judge.part("loss"):
        wrong = [
            ("label-free", nll + kl, f"this is -log p(x|y): the label itself, one of {K}, has a probability too"),
            ("label-sign", nll + kl - math.log(K), "naming a label costs nats: -log of 1/K is above zero"),
            ("label-as-probability", nll + kl + 1 / K, "the label's probability was added: its cost is -log of that"),
            ("label-as-number", nll + kl + K, "the number of labels was added: the cost is the log of it"),
            ("ten-labels", nll + kl + math.log(10), f"log 10 stands there: there are {K} labels, and classes says so"),
            ("log-base", nll + kl + math.log2(K), "that is the label in bits: nats take the natural logarithm"),
            ("kl-sign", nll - kl + math.log(K), "the KL is a cost too: add it"),
            ("kl-missing", nll + math.log(K), "the KL of the code is missing"),
            ("pixels-missing", kl + math.log(K), "the reconstruction is missing: how badly do the logits predict x?"),
            ("turned-round", -want, "this is the bound itself, below zero: a loss is minus the bound"),
            ("per-pixel", nll / (H * W) + kl + math.log(K), "the pixels were averaged: a picture's nats are a sum"),
            ("not-logits", pixels(x_logits.sigmoid()) + kl + math.log(K), "the logits went through a sigmoid twice"),
            ("swapped", pixels(x, x_logits) + kl + math.log(K), "logits and picture changed places: the logits predict x, so they come first"),
            ("one-number", want.mean(), f"one number came back: each of the {B} pictures has a loss of its own"),
            ("one-number", want.sum(), f"one number came back: each of the {B} pictures has a loss of its own"),
        ]  # fmt: skip
        words = "torch.log takes tensors, and classes is a plain number: take math.log"
        with failing(("must be Tensor, not int", "log-of-number", words)):
            got = answer(x_logits, mu, logvar, x, K)
        same(got, want, "a loss is off", wrong)


@exercise("10.3", "Bayes' rule for a missing label", {"posterior": 2, "large losses": 1}, conditional.label_posterior)
def _(answer: Answer, judge: Judge) -> None:
    # As many pictures as labels in one of two cases, so that a wrong axis shows in the values alone.
    with judge.part("posterior"):
        for B, K in ((judge.integer(3, 5), judge.integer(6, 8)), (6, 6)):
            loss = (3 + 1.5 * judge.normal(B, K)).double()
            want = (-loss).softmax(1)
            wrong = [
                ("sign", loss.softmax(1), "the largest loss got the largest probability: a loss is minus a log-probability"),
                ("reciprocal", 1 / loss / (1 / loss).sum(1, keepdim=True), "losses are logarithms: 1 / loss does not undo one, exp(-loss) does"),
                ("linear", (-loss) / (-loss).sum(1, keepdim=True), "the losses were divided by their sum: they are logarithms, take exp(-loss) first"),
                ("hard", functional.one_hot(loss.argmin(1), K), "all went to the least loss: a label that is a little worse is a little less likely"),
                ("names", loss.argmin(1), "these are names of labels: a probability for each label is asked for"),
                ("wrong-axis", (-loss).softmax(0), "the columns sum to 1: it is the labels of one picture that share a probability"),
                ("not-normalized", (-loss).exp(), "these are p(x, y): divide by their sum over the labels to have p(y|x)"),
                ("normalized-over-all", (-loss).exp() / (-loss).exp().sum(), "all pictures together sum to 1: each picture should"),
                ("logarithms", (-loss).log_softmax(1), "these are log-probabilities: take exp"),
                ("base-two", (-loss * math.log(2)).softmax(1), "the losses are nats, not bits: the base is e"),
            ]  # fmt: skip
            same(
                answer(
                    loss.float(),
                ),
                want,
                "a probability is off",
                wrong,
            )
    with judge.part("large losses"):
        loss = 900 + 2 * judge.normal(4, 10)
        got = tensor(answer(loss))
        words = "with losses near 900 every exp(-loss) rounds to 0: softmax subtracts the largest first"
        expect(got.isfinite().all() and got.sum() > 0.5, "underflow", words)
        same(got, (-loss.double()).softmax(1), "with losses near 900 a probability is off", rtol=1e-3)


@exercise("10.4", "The loss of a picture without a label", {"loss": 3, "certain": 1}, conditional.unlabeled_loss)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("loss"):
        for B, K in ((judge.integer(3, 5), judge.integer(6, 8)), (6, 6)):
            loss, logits = (8 + 2 * judge.normal(B, K)).double(), 1.5 * judge.normal(B, K).double()
            q, each = logits.softmax(1), torch.arange(B)
            weighted, entropy = (q * loss).sum(1), -(q * q.log()).sum(1)
            across = logits.softmax(0)
            want = weighted - entropy
            wrong = [
                ("entropy-missing", weighted, "the losses are weighted, the entropy of q is missing: q log q belongs to the sum too"),
                ("entropy-sign", weighted + entropy, "log q was subtracted from the loss: it is added, which takes the entropy off"),
                ("log-unweighted", weighted + q.log().sum(1), "log q was added without its weight: q multiplies it as it multiplies the loss"),
                ("averaged", want / K, "the labels were averaged: add them up, since their weights q already sum to 1"),
                ("entropy-alone", -entropy, "the losses are missing: weigh each with q"),
                ("even", loss.mean(1), "every label has the same weight: q says how much each counts"),
                ("even", loss.mean(1) - entropy, "every label has the same weight: q says how much each counts"),
                ("summed", loss.sum(1), "the losses were added without weights: q says how much each counts"),
                ("summed", loss.sum(1) - entropy, "the losses were added without weights: q says how much each counts"),
                ("least-loss", loss.min(1).values, "only the best label was counted: sum over all of them"),
                ("one-label", loss[each, q.argmax(1)], "only the likeliest label was counted: sum over all of them"),
                ("one-label", loss[each, q.argmax(1)] - entropy, "only the likeliest label was counted: sum over all of them"),
                ("no-classifier", -(-loss).logsumexp(1), "this is the least it can be, for the best q: the classifier's own q is asked for"),
                ("logits-as-weights", (logits * loss).sum(1), "the logits were taken for weights: softmax makes probabilities of them"),
                ("logits-as-weights", (logits * loss).sum(1) - entropy, "the logits were taken for weights: softmax makes probabilities of them"),
                ("logits-as-weights", (logits * (loss + logits)).sum(1), "the logits were taken for weights: softmax makes probabilities of them"),
                ("logits-as-weights", (logits * (loss + q.log())).sum(1), "the logits were taken for weights: softmax makes probabilities of them"),
                ("logits-as-logs", (q * (loss + logits)).sum(1), "log q is not the logits: they still lack the logarithm of their sum"),
                ("wrong-axis", (across * (loss + across.log())).sum(1), "softmax ran down the batch: a picture's labels share the probability"),
                ("turned-round", -want, "this is the bound itself: a loss is minus the bound"),
                ("one-number", want.mean(), f"one number came back: each of the {B} pictures has a loss of its own"),
            ]  # fmt: skip
            got = tensor(answer(loss.float(), logits.float()))
            words = "a logarithm of something below zero was taken: is it the logits? log_softmax makes log q of them"
            expect(not got.isnan().any(), "log-of-logits", words)
            same(got, want, "a loss is off", wrong)
    with judge.part("certain"):
        loss, logits = 100 + 5 * judge.normal(4, 6), 300 * torch.eye(6)[:4]
        got = tensor(answer(loss, logits))
        expect(
            not got.isnan().any(),
            "nan",
            "where q is 0, log q is not a number to multiply with: log_softmax stays finite",
        )
        same(
            got,
            loss[torch.arange(4), torch.arange(4)],
            "a q that is certain should give the loss of its label",
            rtol=1e-3,
        )


@exercise("10.5", "A half filled in by neighbors", {"neighbors": 3, "seen": 1}, conditional.fill_from_neighbors)
def _(answer: Answer, judge: Judge) -> None:
    B, N, H, W, count = judge.integer(8, 10), judge.integer(25, 35), 6, judge.integer(7, 9), judge.integer(3, 5)
    # Pictures whose seen and hidden pixels have nothing to do with each other: each mistake has other neighbors.
    x, x_train = judge.uniform(B, 1, H, W), judge.uniform(N, 1, H, W)
    seen = torch.zeros(H, W, dtype=torch.bool)
    seen[:3], seen[3, : judge.integer(2, 5)] = True, True
    a, b = x[:, 0, seen].double(), x_train[:, 0, seen].double()

    def mean_of(distances: Tensor, how_many: int, largest: bool = False) -> Tensor:
        return x_train[distances.topk(how_many, 1, largest).indices].mean(1)

    near, absolute = torch.cdist(a, b), torch.cdist(a, b, p=1)
    whole = torch.cdist(x.flatten(1), x_train.flatten(1))
    hidden = torch.cdist(x[:, 0, ~seen], x_train[:, 0, ~seen])
    blanked = torch.cdist((x * seen).flatten(1), x_train.flatten(1))
    got = answer(x, x_train, seen, count)
    expect(got is not None, "nothing", "nothing came back: is there a line that begins with return?")
    got = tensor(got)
    expect(
        got.shape == x.shape, "wrong-shape", f"whole pictures are asked for, {tuple(x.shape)}, got {tuple(got.shape)}"
    )
    expect(got.is_floating_point(), "wrong-type", "gray values are asked for, numbers with a decimal point")
    with judge.part("neighbors"):
        wrong = [
            ("peeked", mean_of(whole, count), "the neighbors were chosen by all pixels, the hidden ones too: those are not known"),
            ("swapped", mean_of(hidden, count), "the neighbors were chosen by the hidden pixels: compare those that are seen"),
            ("blanked", mean_of(blanked, count), "the hidden pixels of x became 0 and were compared all the same: leave them out on both sides"),
            ("absolute", mean_of(absolute, count), "the neighbors were chosen by absolute differences: take the squared error, or torch.cdist as it is"),
            ("farthest", mean_of(near, count, largest=True), "these are the pictures that lie farthest away"),
            ("one-neighbor", mean_of(near, 1), f"one neighbor was used: take the mean of {count}"),
            ("everyone", x_train.mean(0).expand_as(x), "this is the mean of all training pictures: take the nearest ones"),
            ("left-empty", torch.zeros_like(x), "the hidden pixels are still empty"),
            ("told", x, "these are the hidden pixels themselves: they are not known"),
        ]  # fmt: skip
        wrong = [(mistake, value[:, :, ~seen], words) for mistake, value, words in wrong]
        same(got[:, :, ~seen], mean_of(near, count)[:, :, ~seen], "a hidden pixel is off", wrong)
    with judge.part("seen"):
        try:
            answer.grad(x, x_train, seen, count)
        except AnswerFailed as failure:  # a tensor that wants a gradient refuses to be written into
            words = "your function wrote into x itself, which the caller still needs: fill a copy, x.clone()"
            expect("in-place" not in str(failure), "in-place", words)
        words = "the seen pixels changed: they are known, keep them as they are"
        expect(torch.allclose(got[:, :, seen].float(), x[:, :, seen], atol=1e-5), "seen-changed", words)


@task("T10", "How likely is the hidden half?", points=5)
def _(answer: Answer, judge: Judge) -> None:
    # The example of the text: a seen pixel and two hidden ones, all 1, and two draws.
    p = torch.tensor([[0.9, 0.8, 0.8], [0.9, 0.2, 0.2]]).view(2, 1, 1, 1, 3)
    got = answer(p.logit(), torch.ones(1, 1, 1, 3), torch.tensor([[True, False, False]]))
    same(got, torch.tensor([math.log(0.34)]), "in the example of the text")
    got = tensor(answer(judge.normal(4, 3, 1, 5, 6), judge.uniform(3, 1, 5, 6).round(), torch.eye(6)[:5].bool()))
    expect(tuple(got.shape) == (3,), "wrong-shape", f"3 pictures should give shape (3,), got {tuple(got.shape)}")
