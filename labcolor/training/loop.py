"""The training of a network, step by step, in pure Keras 3: it can be watched, interrupted, and resumed."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labcolor.backends.keras import float32_by_default, keras, ops
from labcolor.backends.replicas import count_replicas
from labcolor.base.typing import Array
from labcolor.errors import InputError, ModelFileError
from labcolor.training.checkpoint import Checkpoint, CheckpointFile
from labcolor.training.devices import any_process, broadcast, check_batch, is_main_process, synchronize, train_on_batch
from labcolor.training.progress import Progress

__all__ = ["History", "Outcome", "Training", "as_loss", "make_optimizer"]

History = dict[str, list[float]]
Batches = Callable[[int], Generator[tuple[Any, Array], None, None]]
_SNAPSHOT = 50  # steps between two copies of the weights, for the case that the loss becomes nan
_log = logging.getLogger(__name__)


class _Local:
    """Base of optimizers without a memory leak, and with a share of the learning rate for each variable.

    With TensorFlow, Keras (3.15) sends the gradients through ``ReplicaContext.all_reduce`` even for one replica. This
    registers a custom gradient, which keeps the training graph and its variables until the process ends: 65 MiB for
    each fit of the reference network. With several replicas the call is necessary, since it sums their gradients.
    """

    shares: tuple[float, ...] = ()

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        shares = self.shares or (1.0,) * len(grads)
        several = count_replicas() > 1
        rows = list(zip(grads, trainable_variables, shares, strict=True))
        for share in dict.fromkeys(shares):
            rate = learning_rate if share == 1 else learning_rate * share
            chosen = [(gradient, variable) for gradient, variable, own in rows if own == share]
            if several:
                super()._backend_update_step(*map(list, zip(*chosen, strict=True)), rate)  # type: ignore[misc]
            else:
                for gradient, variable in chosen:
                    self.update_step(gradient, variable, rate)  # type: ignore[attr-defined]


def make_optimizer(
    optimizer: Any, learning_rate: Any, *, steps: int, constant: bool, shares: Sequence[float] = ()
) -> Any:
    """Return a new Keras optimizer.

    Parameters
    ----------
    optimizer : str or keras.optimizers.Optimizer
        The name of one, which then averages the weights of the last steps; or one whose settings are copied.
    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None
        A number is the peak: it is reached after the first 2 % of the steps, and then lowered to a tenth along a
        cosine. None keeps that of ``optimizer``.
    steps : int
        Length of the training.
    constant : bool
        Whether a number is the learning rate of all steps instead.
    shares : sequence of float
        What the learning rate of each trainable variable is multiplied by; by default 1.

    Returns
    -------
    keras.optimizers.Optimizer

    Raises
    ------
    InputError
        Keras has no such optimizer.
    """
    try:
        known = keras.optimizers.get(optimizer)
    except (TypeError, ValueError) as error:
        raise InputError(f"optimizer: expected the name of a Keras optimizer, or one itself: {error}") from error
    config = known.get_config()
    if learning_rate is not None:
        config["learning_rate"] = learning_rate
        if isinstance(learning_rate, float | int | np.number):
            rate = np.float32(learning_rate)  # fixes the dtype, independent of the default of Keras
            warm_up = max(1, steps // 50)
            config["learning_rate"] = (
                float(rate)
                if constant
                else keras.optimizers.schedules.CosineDecay(
                    rate / 10, max(1, steps - warm_up), alpha=0.1, warmup_target=float(rate), warmup_steps=warm_up
                )
            )
    if isinstance(optimizer, str):
        # The average covers the last few per cent of the steps, and is short in a training of few steps.
        config |= {"use_ema": True, "ema_momentum": 1 - 1 / min(1000, max(2, steps // 20))}
    made = type(type(known).__name__, (_Local, type(known)), {}).from_config(config)  # type: ignore[attr-defined]
    made.shares = tuple(shares)
    return made


class _Loss(keras.losses.Loss):  # type: ignore[misc]
    """Loss in float32, independent of the default of Keras."""

    def __init__(self, function: Any) -> None:
        super().__init__(name="loss", dtype="float32")
        self._function = keras.losses.get(function)

    def call(self, true: Any, output: Any) -> Any:
        loss = self._function(true, output)
        # Keras divides a mean of many by the number of devices that sum their gradients, but no single number
        return loss if len(loss.shape) else ops.reshape(loss, (1,))


def as_loss(loss: Any) -> Any:
    """Return a Keras loss in float32 of a function or of the name of one.

    Called, it is divided by the number of TensorFlow's devices, which sum their gradients; its ``call`` is not.
    """
    return _Loss(loss)


@dataclass
class Outcome:
    """How a training went.

    Parameters
    ----------
    history : dict
        For each quantity its values, one per epoch.
    steps : int
        Number of steps that were done.
    ending : {"complete", "stopped", "interrupted", "diverged"}
        Whether all steps were done, patience or a callback ended the training, Ctrl-C did, or the loss became nan.
    before : dict
        Figures of the network before the first step.
    best : int or None
        The epoch whose weights were kept, counted from 1; 0: those before the training.
    best_loss : float or None
        Its held-out loss.
    total : float
        Sum of the losses of the steps of the present epoch.
    """

    history: History = field(default_factory=dict)
    steps: int = 0
    ending: str = ""
    before: dict[str, float] = field(default_factory=dict)
    best: int | None = None
    best_loss: float | None = None
    total: float = 0.0


class Training:
    """One training of a network, which changes the network in place.

    Parameters
    ----------
    network : keras.Model
        The network to train.
    loss : Keras loss
        Loss of the target and the output of the network.
    optimizer : keras.optimizers.Optimizer
        From :func:`make_optimizer`.
    steps_per_epoch, epochs, batch_size : int
        Length of the training, and the number of examples in each step.
    validate : callable, optional
        Function from a function that predicts to figures by name, "loss" among them. It runs before the training and
        after each epoch; the weights with the lowest loss are kept.
    patience : int, optional
        Number of epochs without a lower loss after which the training ends.
    callbacks : sequence of keras.callbacks.Callback
        They see the averaged weights at the end of an epoch.
    verbose : {0, 1, 2}
        As for :class:`labcolor.Colorizer`.
    checkpoint : CheckpointFile, optional
        Where the training is saved, and resumed from.

    Raises
    ------
    InputError
        The devices cannot share a batch of that size.
    """

    def __init__(
        self,
        network: keras.Model,
        loss: Any,
        optimizer: Any,
        *,
        steps_per_epoch: int,
        epochs: int,
        batch_size: int,
        validate: Callable[[Callable[[Array], Any]], Mapping[str, float]] | None = None,
        patience: int | None = None,
        callbacks: Sequence[Any] = (),
        verbose: int = 0,
        checkpoint: CheckpointFile | None = None,
    ) -> None:
        check_batch(batch_size)
        synchronize(network)
        with float32_by_default():  # for the mean values that Keras prints
            network.compile(
                optimizer,
                loss=as_loss(loss),
                jit_compile="auto" if keras.backend.backend() == "jax" else False,
                auto_scale_loss=False,
            )
            optimizer.build(network.trainable_variables)
        self._network, self._optimizer = network, optimizer
        self._per_epoch, self._steps = steps_per_epoch, steps_per_epoch * epochs
        self._epochs, self._batch_size = epochs, batch_size
        self._validate, self._patience, self._verbose = validate, patience, verbose
        self._checkpoint = checkpoint
        self._outcome = Outcome()
        self._best: list[Array] = []
        self._saved = time.monotonic()
        self._calls = keras.callbacks.CallbackList(
            list(callbacks), model=network, epochs=epochs, steps=steps_per_epoch, verbose=verbose
        )

    def run(self, batches: Batches) -> Outcome:
        """Train to the end, or until something ends it.

        Parameters
        ----------
        batches : callable
            Function from the number of the first step to a generator of (input, target): scaled L and ab for a network
            that colors.

        Returns
        -------
        Outcome

        Raises
        ------
        ModelFileError
            The first checkpoint cannot be written, or the existing checkpoint does not fit.
        """
        with _without_advice():
            return self._run(batches)

    def _run(self, batches: Batches) -> Outcome:
        """Train, and give the network its final weights."""
        outcome, network = self._outcome, self._network
        network.stop_training = False
        self._calls.on_train_begin()
        if self._checkpoint is not None and self._checkpoint.found is not None:
            self._resume(self._checkpoint.found)
        else:
            outcome.before = self._measure(0)
            self._save(first=True)
        if outcome.ending in ("", "interrupted"):
            outcome.ending = ""
            with _interrupts() as asked:
                self._train(batches, asked)
            if outcome.ending != "diverged":
                self._save()
        if self._validate is not None and outcome.steps % self._per_epoch and outcome.ending != "diverged":
            self._take_average()  # a training that ended within an epoch is not thrown away
            self._measure(outcome.steps // self._per_epoch + 1)
        if self._best:
            network.set_weights(self._best)
        elif outcome.ending != "diverged" and outcome.steps:
            self._take_average()
        self._calls.on_train_end()
        return outcome

    def _train(self, batches: Batches, asked: Callable[[], bool]) -> None:
        """Run the remaining steps."""
        outcome, network = self._outcome, self._network
        good = network.get_weights()
        progress = Progress(
            self._verbose,
            epochs=self._epochs,
            steps=self._per_epoch,
            batch_size=self._batch_size,
            first=outcome.steps,
        )
        with progress, closing(batches(outcome.steps)) as source:
            while not outcome.ending:
                inputs, target = next(source)
                epoch, step = divmod(outcome.steps, self._per_epoch)
                if step == 0:
                    self._calls.on_epoch_begin(epoch)
                self._calls.on_train_batch_begin(step)
                loss = train_on_batch(network, inputs, target)
                outcome.steps += 1
                ends = step + 1 == self._per_epoch
                weights = network.get_weights() if ends or outcome.steps % _SNAPSHOT == 0 else []
                if not math.isfinite(loss) or not all(np.isfinite(weight).all() for weight in weights):
                    network.set_weights(good)
                    outcome.ending = "diverged"
                    return
                good = weights or good
                outcome.total += loss
                mean = outcome.total / (step + 1)
                self._calls.on_train_batch_end(step, {"loss": mean})
                progress.step(epoch, mean)
                if ends:
                    progress.epoch(epoch, self._end_epoch(epoch))
                if outcome.steps == self._steps:
                    outcome.ending = "complete"
                elif network.stop_training:
                    outcome.ending = "stopped"
                elif any_process(asked()):
                    outcome.ending = "interrupted"
                elif self._checkpoint is not None and time.monotonic() - self._saved >= self._checkpoint.seconds:
                    self._save()

    def _end_epoch(self, epoch: int) -> dict[str, float]:
        """Measure the averaged weights, and show them to the callbacks."""
        outcome, network = self._outcome, self._network
        raw = [np.array(ops.convert_to_numpy(variable)) for variable in network.trainable_variables]
        self._take_average()
        rate = float(ops.convert_to_numpy(self._optimizer.learning_rate))
        figures = {"loss": outcome.total / self._per_epoch, "learning_rate": rate}
        figures |= {f"val_{name}": value for name, value in self._measure(epoch + 1).items()}
        if self._patience is not None and epoch + 1 - (outcome.best or 0) >= self._patience:
            network.stop_training = True
        for name, value in figures.items():
            outcome.history.setdefault(name, []).append(value)
        outcome.total = 0.0
        self._calls.on_epoch_end(epoch, dict(figures))
        for variable, weight in zip(network.trainable_variables, raw, strict=True):
            variable.assign(weight)
        return figures

    def _take_average(self) -> None:
        """Give the network the averaged weights, if the optimizer has an average."""
        variables = self._network.trainable_variables
        self._optimizer.finalize_variable_values(variables)
        for variable in variables:  # as copies: JAX gives up the buffers of a network that predicts
            variable.assign(np.array(ops.convert_to_numpy(variable)))

    def _measure(self, epoch: int) -> dict[str, float]:
        """Return the held-out figures, if there are held-out pictures, and keep the weights if they are the best."""
        if self._validate is None:
            return {}
        outcome, figures = self._outcome, broadcast(self._validate(self._network.predict_on_batch))
        if outcome.best_loss is None or figures["loss"] < outcome.best_loss:
            outcome.best, outcome.best_loss = epoch, figures["loss"]
            self._best = self._network.get_weights()
        return figures

    def _variables(self) -> dict[str, Any]:
        """Return the variables of network and optimizer, by the names of their arrays in a checkpoint."""
        groups = {"network": self._network.variables, "optimizer": self._optimizer.variables}
        return {f"{name}/{index:04d}": one for name, group in groups.items() for index, one in enumerate(group)}

    def _save(self, *, first: bool = False) -> None:
        """Write a checkpoint. Only a failure of the first one ends the training."""
        if self._checkpoint is None or not is_main_process():
            return
        arrays = {name: ops.convert_to_numpy(variable) for name, variable in self._variables().items()}
        arrays |= {f"best/{index:04d}": weight for index, weight in enumerate(self._best)}
        try:
            self._checkpoint.write(Checkpoint(vars(self._outcome), arrays))
        except ModelFileError as error:
            if first:
                raise
            _log.warning("%s", error)
        self._saved = time.monotonic()

    def _resume(self, found: Checkpoint) -> None:
        """Restore the state of a checkpoint."""
        try:
            for name in vars(self._outcome):
                setattr(self._outcome, name, found.state[name])
            for name, variable in self._variables().items():
                variable.assign(found.arrays[name])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"the checkpoint does not fit the network and optimizer: {error}. Delete it to begin anew."
            ) from error
        self._best = [array for name, array in found.arrays.items() if name.startswith("best/")]


@contextmanager
def _without_advice() -> Iterator[None]:
    """Suppress TensorFlow's warning about retracing: each network is compiled once."""
    log = logging.getLogger("tensorflow")

    def useful(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in str(record.msg)

    log.addFilter(useful)
    try:
        yield
    finally:
        log.removeFilter(useful)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether SIGINT, or a signal treated alike, has come. A second signal aborts."""
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        _log.warning("the training ends after this step; interrupt once more to end at once.")

    replaced = []
    if threading.current_thread() is threading.main_thread():
        replaced = [one for one in signal.valid_signals() if signal.getsignal(one) is signal.default_int_handler]
        for number in replaced:
            signal.signal(number, ask)
    try:
        yield lambda: asked
    finally:
        for number in replaced:
            signal.signal(number, signal.default_int_handler)
