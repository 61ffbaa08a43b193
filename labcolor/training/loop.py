"""The training loop in pure Keras 3, with callbacks, interruption and checkpoints."""

from __future__ import annotations

import logging
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labcolor.backends.keras import float32_by_default, keras, ops
from labcolor.backends.tensorflow import count_replicas
from labcolor.base.typing import Array
from labcolor.errors import InputError, ModelFileError
from labcolor.training.checkpoint import Checkpoint, CheckpointFile
from labcolor.training.devices import any_process, broadcast, check_batch, is_main_process, synchronize, train_on_batch

History = dict[str, list[float]]
_Batches = Callable[[int], Generator[tuple[Any, Array], None, None]]
_SNAPSHOT = 50  # steps between two copies of the weights, which are restored if the loss becomes nan
_log = logging.getLogger(__name__)


class _SharedRate:
    """Mixin of optimizers that adds a share of the learning rate for each variable, and avoids a memory leak.

    With TensorFlow, Keras (3.15) passes the gradients to ``ReplicaContext.all_reduce`` even for one replica. This
    registers a custom gradient, which keeps the training graph and its variables until the process ends: 65 MiB for
    each fit of the reference network. With several replicas the call is necessary, because it sums their gradients.
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
        Name of an optimizer, which then averages the weights of the last steps, or an optimizer to copy.
    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None
        A schedule, or a peak that is reached after 2 % of the steps and then falls to a tenth along a cosine. None
        keeps the learning rate of ``optimizer``.
    steps : int
        Length of the training.
    constant : bool
        Whether a number is the learning rate of all steps instead.
    shares : sequence of float
        Factor of the learning rate for each trainable variable, by default 1.

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
        raise InputError(f"optimizer: expected a Keras optimizer or its name: {error}") from error
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
        # the average covers the last few percent of the steps, and at least two
        config |= {"use_ema": True, "ema_momentum": 1 - 1 / min(1000, max(2, steps // 20))}
    made = type(type(known).__name__, (_SharedRate, type(known)), {}).from_config(config)  # type: ignore[attr-defined]
    made.shares = tuple(shares)
    return made


class TrainingLoss(keras.losses.Loss):  # type: ignore[misc]
    """Keras loss in float32 of a function, or of the name of one, independent of the default of Keras.

    A call divides it by the number of TensorFlow's devices, which sum their gradients. Its method ``call`` does not.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(name="loss", dtype="float32")
        self._function = keras.losses.get(function)

    def call(self, true: Any, output: Any) -> Any:
        """Return the losses of a batch as an array, because Keras does not divide a single number."""
        loss = self._function(true, output)
        return loss if len(loss.shape) else ops.reshape(loss, (1,))


@dataclass
class Outcome:
    """Result of a training.

    Parameters
    ----------
    history : dict
        Values of each quantity, one per epoch.
    steps : int
        Number of completed steps.
    ending : {"complete", "stopped", "interrupted", "diverged"}
        Whether all steps were completed, patience or a callback ended the training, Ctrl-C ended it, or the loss became
        nan.
    before : dict
        Figures of the network before the first step.
    best : int or None
        Epoch with the best weights, counted from 1. 0 stands for the weights before the training.
    best_loss : float or None
        Its held-out loss.
    total : float
        Sum of the losses of the current epoch's steps.
    """

    history: History = field(default_factory=dict)
    steps: int = 0
    ending: str = ""
    before: dict[str, float] = field(default_factory=dict)
    best: int | None = None
    best_loss: float | None = None
    total: float = 0.0


def _progress(verbose: int, epochs: int) -> list[Any]:
    """Return the callbacks that print nothing, a bar, or a line for each epoch to standard error."""
    if verbose == 1:
        from tqdm.keras import TqdmCallback

        return [TqdmCallback()]

    def line(epoch: int, figures: Mapping[str, float]) -> None:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        sys.stderr.write(f"epoch {epoch + 1}/{epochs}: {shown}\n")

    return [keras.callbacks.LambdaCallback(on_epoch_end=line)] if verbose == 2 else []


@contextmanager
def _without_advice() -> Iterator[None]:
    """Suppress TensorFlow's warning about retracing, because each network is compiled once."""
    log = logging.getLogger("tensorflow")

    def useful(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in str(record.msg)

    log.addFilter(useful)
    try:
        yield
    finally:
        log.removeFilter(useful)


class Training:
    """One training of a network, which changes the network in place.

    Parameters
    ----------
    network : keras.Model
        The network to train.
    loss : callable or str
        Loss of the target and the output of the network, or the name of a Keras loss.
    optimizer : keras.optimizers.Optimizer
        From :func:`make_optimizer`.
    steps_per_epoch, epochs, batch_size : int
        Length of the training, and the number of examples in each step.
    validate : callable, optional
        Function from a predicting function to figures by name, including "loss". It runs before the training and after
        each epoch. The weights with the lowest loss are kept.
    patience : int, optional
        Number of epochs without a lower loss after which the training ends.
    callbacks : sequence of keras.callbacks.Callback
        Keras callbacks. At the end of an epoch the network has the averaged weights.
    verbose : {0, 1, 2}
        As for :class:`labcolor.Colorizer`.
    checkpoint : CheckpointFile, optional
        File in which the training is saved, and from which it resumes.

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
                loss=TrainingLoss(loss),
                jit_compile="auto" if keras.backend.backend() == "jax" else False,
                auto_scale_loss=False,
            )
            optimizer.build(network.trainable_variables)
        self._network, self._optimizer = network, optimizer
        self._per_epoch, self._steps = steps_per_epoch, steps_per_epoch * epochs
        self._validate, self._patience, self._checkpoint = validate, patience, checkpoint
        self._outcome = Outcome()
        self._best: list[Array] = []
        self._saved = time.monotonic()
        self._calls = keras.callbacks.CallbackList(
            [*callbacks, *_progress(verbose, epochs)],
            model=network,
            epochs=epochs,
            steps=steps_per_epoch,
            verbose=verbose,
        )

    @_without_advice()
    def run(self, batches: _Batches) -> Outcome:
        """Train the network to its end, and set its final weights.

        Parameters
        ----------
        batches : callable
            Function from the number of the first step to a generator of (input, target), such as scaled L and ab.

        Returns
        -------
        Outcome

        Raises
        ------
        ModelFileError
            The first checkpoint cannot be written, or the existing checkpoint does not fit.
        """
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
            self._take_average()  # an epoch that the training did not complete counts, too
            self._measure(outcome.steps // self._per_epoch + 1)
        if self._best:
            network.set_weights(self._best)
        elif outcome.ending != "diverged" and outcome.steps:
            self._take_average()
        self._calls.on_train_end()
        return outcome

    def _train(self, batches: _Batches, asked: Callable[[], bool]) -> None:
        """Run the remaining steps."""
        outcome, network = self._outcome, self._network
        good = network.get_weights()
        with closing(batches(outcome.steps)) as source:
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
                self._calls.on_train_batch_end(step, {"loss": outcome.total / (step + 1)})
                if ends:
                    self._end_epoch(epoch)
                if outcome.steps == self._steps:
                    outcome.ending = "complete"
                elif network.stop_training:
                    outcome.ending = "stopped"
                elif any_process(asked()):
                    outcome.ending = "interrupted"
                elif self._checkpoint is not None and time.monotonic() - self._saved >= self._checkpoint.seconds:
                    self._save()

    def _end_epoch(self, epoch: int) -> None:
        """Measure the averaged weights, and pass them to the callbacks."""
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

    def _take_average(self) -> None:
        """Set the averaged weights of the network, if the optimizer has an average."""
        variables = self._network.trainable_variables
        self._optimizer.finalize_variable_values(variables)
        for variable in variables:  # copied, because JAX deletes the buffers of a network that predicts
            variable.assign(np.array(ops.convert_to_numpy(variable)))

    def _measure(self, epoch: int) -> dict[str, float]:
        """Return the figures of held-out pictures, if there are any, and keep the best weights."""
        if self._validate is None:
            return {}
        outcome, figures = self._outcome, broadcast(self._validate(self._network.predict_on_batch))
        if outcome.best_loss is None or figures["loss"] < outcome.best_loss:
            outcome.best, outcome.best_loss = epoch, figures["loss"]
            self._best = self._network.get_weights()
        return figures

    def _variables(self) -> dict[str, Any]:
        """Return the variables of network and optimizer by their names in a checkpoint."""
        groups = {"network": self._network.variables, "optimizer": self._optimizer.variables}
        return {f"{name}/{index:04d}": one for name, group in groups.items() for index, one in enumerate(group)}

    def _save(self, *, first: bool = False) -> None:
        """Write a checkpoint. Only a failure to write the first one ends the training."""
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
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a signal like SIGINT has arrived. A second signal aborts the training."""
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        _log.warning("the training ends after this step. Interrupt again to abort it.")

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
