"""``Colorizer``: an estimator that colors pictures with a trained or packaged network."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from labcolor.backends.tensorflow import check_process, forked
from labcolor.base.choices import DeviceName, EngineName, PackagedName
from labcolor.base.paths import as_path
from labcolor.base.typing import Array, PathLike, PictureInput
from labcolor.base.validation import Check, as_saturation, instance_of, number, optional, require
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError, LabcolorError, not_fitted
from labcolor.estimator import Estimator, summary
from labcolor.inference.engine import DEVICE, ENGINE, Engine, make_engine
from labcolor.inference.pipeline import Guide, Pipeline, in_memory
from labcolor.io.inputs import Nested, as_pictures, one_picture
from labcolor.known.album import album_guide
from labcolor.known.exemplars import Exemplar, ExemplarCache, with_exemplars
from labcolor.metrics import psnr
from labcolor.networks.model import WORKING_SIZE, FittedModel
from labcolor.networks.model_file import read_model, write_model
from labcolor.networks.pretrained import DEFAULT_MODEL, PACKAGED_MODELS, is_packaged, load_packaged
from labcolor.networks.registry import Architecture, as_architecture
from labcolor.pictures.crops import center_crop
from labcolor.pictures.hints import HintInput, as_hints
from labcolor.pictures.picture import Picture
from labcolor.training.data import PictureList, training_pictures
from labcolor.training.recipe import COUNT, Recipe, checked

if TYPE_CHECKING:
    import keras

_CALIBRATION = 160  # pictures, at most, by which ranges of int8 are chosen
_SHARE = number(0.001, 0.5)  # of the pictures, held out
_START = optional(
    Check("the name of a packaged model or a path", (str, os.PathLike), lambda value: bool(os.fspath(value)))
)
_lock = threading.Lock()


@dataclass(eq=False, repr=False)
class Colorizer(Recipe, Estimator):
    """Estimator that colors black-and-white pictures with a trained or packaged network.

    The constructor stores the parameters unchanged. Methods check them, as scikit-learn expects.

    Parameters
    ----------
    network : str or labcolor.networks.Architecture
        "reference" is the reference autoencoder, which predicts ab directly (:func:`labcolor.build_autoencoder`).
        "efficientnet" is a stronger network with a pretrained encoder, which classifies into bins of ab
        (:func:`labcolor.networks.build_efficientnet`). Start it from the packaged model. Or pass an architecture of
        your own, or its registered name.
    working_size : int, default 136
        Short side, in pixels, of the network's input, from 8 to 1024. The aspect ratio is kept. Lightness always keeps
        the full resolution. Training crops of 128 are taken from pictures of the default size.
    start : str or path, optional
        Start of ``fit``: the name of a packaged model, or a model file, with the same ``network``. None trains new
        weights. :meth:`from_pretrained` and :meth:`load` set it.
    engine : {"auto", "onnxruntime", "onnxruntime-int8", "tensorflow"}
        Engine that runs the network in predictions. "auto" chooses ONNX Runtime for a model with an ONNX form, such as
        a packaged model, in int8 if this processor multiplies int8 exactly, and TensorFlow for other models. ab of
        "onnxruntime", in float32, differs from TensorFlow's by less than 0.01, and ab of int8 by less than 1 on
        average.
    device : {"cpu", "cuda", "directml", "coreml", "openvino"}
        Device on which ONNX Runtime runs the network in predictions. Devices other than "cpu" use float32, and need
        another package instead of onnxruntime: onnxruntime-gpu, onnxruntime-directml or onnxruntime-openvino. "coreml"
        needs macOS. TensorFlow chooses its devices itself.
    crop_size : int, default 128
        Side of the square training crops, in pixels: a multiple of 32, at most 4096.
    epochs : int, default 20
        Passes over the training pictures.
    batch_size : int, default 32
        Crops in a training step.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, optional
        Peak of the learning rate, which rises in the first steps and then falls along a cosine, or a schedule. The
        default is 1e-3, or 2e-4 with a start.
    optimizer : str or keras.optimizers.Optimizer, default "adam"
        Name of a Keras optimizer, which then averages the weights of the last steps, or an optimizer. Each training
        copies its settings.
    encoder_rate : float, optional
        Factor of the learning rate for a pretrained encoder, from 0 (frozen) to 1. The default is 1, or 0 with a start,
        because few pictures would ruin the encoder. The names of its layers begin with ``encoder_``.
    patience : int, optional
        Number of epochs without a lower held-out loss after which a training with ``validation`` ends.
    film_aging : float, default 0
        Share of training crops, from 0 to 1, whose L is faded, softened and grained like that of an old film.
    precision : {"float32", "mixed_bfloat16"}
        Arithmetic of the training. Predictions always use float32.
    codec : LabCodec, optional
        Scales L and ab. The default is ``LabCodec()``, or the codec of the start.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Seed of initial weights, order, crops and mirroring, from 0 to 2**32 - 1, or a generator, from which each
        training draws a seed. ``model_.training["seed"]`` records the seed.
    verbose : {0, 1, 2}, default 0
        Output of a training on standard error: none, a progress bar, or a line for each epoch.

    Attributes
    ----------
    model_ : labcolor.networks.FittedModel
        The trained model: network, codec, head and a record of its training. All other attributes read it.
    network_ : keras.Model
        The trained network, float32. Changes of it do not affect the saved model. Assign another ``model_`` instead.
    codec_ : LabCodec
        Scaling of the network's input and output.
    history_ : dict
        Figures of each epoch of the last ``fit``: "loss" and "learning_rate", and with ``validation`` "val_loss",
        "val_psnr", "val_ciede2000" and "val_colorfulness" of the held-out pictures. ``fit_hints`` sets the "loss" only.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import Colorizer
    >>> colorizer = Colorizer.from_pretrained("reference")
    >>> colorizer.predict(np.full((48, 64), 128, np.uint8)).shape
    (48, 64, 3)
    """

    network: str | Architecture = "reference"
    _: KW_ONLY
    working_size: int = checked(136, WORKING_SIZE)
    start: PathLike | None = checked(None, _START)
    engine: EngineName = checked("auto", ENGINE)
    device: DeviceName = checked("cpu", DEVICE)

    def check_params(self) -> None:
        """Check the values of all parameters.

        Raises
        ------
        InputError, InputTypeError
            A value has another type or range.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer(epochs=5).check_params()
        """
        as_architecture(self.network)
        for one in fields(self):
            if check := one.metadata.get("check"):
                require(one.name, getattr(self, one.name), check)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a trained model."""
        return hasattr(self, "model_")

    def _repr_html_(self) -> str:
        """Return a table of the model and the parameters, for notebooks."""
        model = self.model_ if self.__sklearn_is_fitted__() else None
        return summary(type(self).__name__, self.get_params(), self._changed(), model)

    @property
    def network_(self) -> keras.Model:
        """The trained network."""
        return self._fitted().network

    @property
    def codec_(self) -> LabCodec:
        """Scaling of the network's input and output."""
        return self._fitted().codec

    @property
    def history_(self) -> dict[str, list[float]]:
        """The figures of each epoch of the last training."""
        return dict(self._fitted().history)

    def _fitted(self) -> FittedModel:
        """Return the trained model, or raise a NotFittedError."""
        if not self.__sklearn_is_fitted__():
            raise not_fitted()
        return self.model_

    # ------------------------------------------------------------------ training

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        validation: Any = None,
        checkpoint: PathLike | None = None,
        checkpoint_minutes: float = 5.0,
        cache: PathLike | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> Self:
        """Train on color pictures, from ``start`` or from new weights, and replace the model of an earlier ``fit``.

        Ctrl-C ends a training after the current step, with a usable model.

        Parameters
        ----------
        X : path, sequence of path, array, sequence of array, tf.data.Dataset or other iterable
            Color pictures: folders, which are searched with their subfolders; uncompressed tar archives; files; a batch
            (N, H, W, 3); a list of pictures of different sizes; or a finite dataset or iterable of pictures, of
            batches, or of tuples that begin with one, such as ``keras.utils.image_dataset_from_directory`` returns.
            Each picture is reduced once, to a short side of 17/16 of ``crop_size``. If it is more than eight times as
            long as wide, only the center is used. Pictures that are grey, damaged, or smaller than ``crop_size`` are
            logged and left out, and ``model_.training`` counts them.
        y : None
            Ignored. It exists for scikit-learn.
        validation : float or pictures, optional
            Pictures for validation after each epoch, as for ``X``, or the share of ``X`` to hold out, from 0.001 to
            0.5. The share of each folder is rounded to whole pictures, and at least one. A hash of the names selects
            them, so they are the same in each call. The weights of the epoch with the lowest held-out loss are kept, or
            the weights of the start if no epoch was better.
        checkpoint : path, optional
            File in which the training is saved while it runs. After an interruption of any kind, the same call resumes
            it and ends with the same weights. After a complete training, the same call returns its result immediately.
        checkpoint_minutes : float, default 5
            Minutes between two checkpoints, from 0 to 1440.
        cache : path, optional
            Folder that keeps reduced pictures for later trainings and other processes. You can delete it at any time.
        callbacks : sequence of keras.callbacks.Callback
            Keras callbacks, such as ``keras.callbacks.TensorBoard("logs")``. At the end of an epoch the network has the
            weights that ``validation`` measures. Their state is not part of a checkpoint.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        InputError, InputTypeError, PictureFileError
            A parameter cannot be used, ``X`` contains no color picture, or the loss became nan. Then ``model_`` has the
            last finite weights.
        ModelFileError
            The start or the checkpoint cannot be used.
        LabcolorError
            This process was forked from a process that had imported TensorFlow.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> colorizer = Colorizer.from_pretrained().set_params(epochs=1, random_state=0)
        >>> colorizer.fit([data.astronaut(), data.coffee()]).predict(data.camera()).shape
        (512, 512, 3)
        """
        start = self._start()
        require("checkpoint_minutes", checkpoint_minutes, number(0, 1440))
        share = isinstance(validation, int | float | np.number)
        if share:
            require("validation", validation, _SHARE)
        pictures, held_out = self._training_pictures(X, cache), None
        if share:
            pictures, held_out = pictures.hold_out(validation)
        elif validation is not None:
            held_out = self._training_pictures(validation, cache, "validation")
        return self._fit(
            pictures,
            start,
            held_out=held_out,
            checkpoint=None if checkpoint is None else as_path("checkpoint", checkpoint),
            checkpoint_seconds=60 * checkpoint_minutes,
            callbacks=callbacks,
        )

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train for one pass over a portion of the pictures, at a constant learning rate, from the present model.

        Parameters
        ----------
        X : path, sequence of path, array, sequence of array, tf.data.Dataset or other iterable
            Color pictures, as for :meth:`fit`.
        y : None
            Ignored. It exists for scikit-learn.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        InputError, InputTypeError, PictureFileError, ModelFileError, LabcolorError
            As for :meth:`fit`.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> colorizer = Colorizer.from_pretrained()
        >>> for picture in [data.astronaut(), data.coffee()]:
        ...     colorizer = colorizer.partial_fit([picture])
        """
        start = self.model_ if self.__sklearn_is_fitted__() else self._start()
        return self._fit(self._training_pictures(X), start, constant=True)

    def _start(self) -> FittedModel | None:
        """Return the model from which a fit starts."""
        check_process()
        self.check_params()
        if self.start is None:
            return None
        if is_packaged(self.start, "start"):
            return load_packaged(self.start)
        return FittedModel.from_bytes(read_model(self.start), str(self.start))

    def _fit(self, pictures: PictureList, start: FittedModel | None, **options: Any) -> Self:
        """Train, and keep the trained model."""
        from labcolor.training.fit import fit_network

        self.model_ = fit_network(
            as_architecture(self.network), self, pictures, working_size=self.working_size, start=start, **options
        )
        if self.model_.training["ending"] == "diverged":
            raise InputError(
                f"learning_rate: the loss of step {self.model_.training['steps']} was not a number. Lower the learning "
                f"rate. The model has the last finite weights."
            )
        return self

    def fit_hints(self, X: Any, *, steps: int = 500) -> Self:
        """Teach the trained network to spread hints. Its predictions without hints do not change.

        Parameters
        ----------
        X : array, sequence of array, path, sequence of path, or tf.data.Dataset
            Color pictures, as for :meth:`fit`.
        steps : int, default 500
            Batches to train on.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        NotFittedError, InputError, InputTypeError, PictureFileError
            There is no trained network yet, a parameter cannot be used, or ``X`` contains no color picture.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> colorizer = Colorizer.from_pretrained().set_params(random_state=0)
        >>> list(colorizer.fit_hints([data.astronaut(), data.coffee()], steps=2).history_)
        ['loss']
        """
        pipeline = pipeline_of(self)
        require("steps", steps, COUNT)
        from labcolor.training.hints import fit_hints

        model = pipeline.model
        history, weights = fit_hints(pipeline.with_features, self._training_pictures(X), model.codec, self, steps)
        self.model_ = replace(model, hints=tuple(weights), history=history)
        return self

    def _training_pictures(self, X: Any, cache: PathLike | None = None, name: str = "X") -> PictureList:
        """Return pictures of the size from which crops are taken."""
        return training_pictures(X, self.short_side, least=self.crop_size, cache=cache, name=name)

    # ------------------------------------------------------------------ prediction

    @overload
    def predict(
        self,
        X: PictureInput,
        *,
        saturation: float = 1.0,
        hints: HintInput = None,
        like: Any = None,
        consistent: bool = False,
    ) -> Array: ...
    @overload
    def predict(
        self,
        X: list[Any],
        *,
        saturation: float = 1.0,
        hints: HintInput = None,
        like: Any = None,
        consistent: bool = False,
    ) -> list[Array]: ...
    @overload
    def predict(
        self,
        X: tuple[Any, ...],
        *,
        saturation: float = 1.0,
        hints: HintInput = None,
        like: Any = None,
        consistent: bool = False,
    ) -> tuple[Array, ...]: ...

    def predict(
        self,
        X: PictureInput | list[Any] | tuple[Any, ...],
        *,
        saturation: float = 1.0,
        hints: HintInput = None,
        like: Any = None,
        consistent: bool = False,
    ) -> Nested:
        """Color pictures.

        Parameters
        ----------
        X : array, path, bytes, open binary file, PIL image, or sequence of these
            One picture: an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, float in [0, 1] or bool,
            or a file or image, as for :func:`labcolor.read_picture`; a batch: an array with one axis more in front; or
            a list or tuple of pictures, which may differ. Only the lightness of RGB is used. ``X`` is not modified.
        saturation : float, default 1
            From 0 (grey) over 1 (as predicted) to 4. Below 1 the predicted chroma is multiplied by it, which gives
            paler colors. Above, the reference network's chroma is multiplied, too; a network that chooses among bins
            gives rarer, more colorful bins a greater chance, up to full rebalancing at 2, and multiplies chroma only
            beyond that. Known colors, from ``hints`` and ``like``, do not change: at 0 only they have a color.
        hints : list of labcolor.Hint, array, or list of these or None, optional
            Known colors at positions in a picture. For each picture a list of ``(x, y, color)`` or ``(x, y, color,
            radius)``: a disk around a position in pixels from the left and from the top, with a radius in pixels (4 by
            default). ``(x, y, x, y, color, radius)`` is a line; it may have more points. The color is "#RRGGBB", of
            which the lightness is ignored; "keep": the disk and similar regions keep the predicted color; or "fence":
            no hint reaches the disk. If hints overlap, the later one counts. Hints decide the color at their positions,
            and spread to similar regions that are connected with them. Hints in bars, which stay grey, are ignored.
            Instead of a list, an array (H, W, 2) of float may have ab in [-128, 128] where the color is known, and nan
            elsewhere; (N, H, W, 2) for a batch. For several pictures: a list with an entry for each, None where a
            picture has no hint.
        like : picture or sequence of picture, optional
            Colored photographs of any size, each in a form of ``X``. Regions that are similar to a part of a photograph
            take its color, to the degree of the similarity; all other regions keep their predicted color. Regions that
            are similar to a grey photograph stay grey. Hints take precedence. Each photograph is analyzed once, also
            for later calls.
        consistent : bool, default False
            Whether the pictures are an album, in which one place or person has one color: regions that are similar in
            several pictures take the mean of their colors. The time grows with the square of the number of similar
            pictures.

        Returns
        -------
        array, list or tuple
            RGB, or RGBA with unchanged alpha if the input has alpha, nested as ``X``, with the same sizes and dtypes
            (uint8 for bool; for files those of ``read_picture``). Lightness does not change; the chroma of a color
            outside the sRGB gamut is lowered until it fits. Uniform black or white bars at the edges, such as
            letterboxes and margins, are hidden from the network, and stay grey.

        Raises
        ------
        NotFittedError
            There is no trained network yet.
        InputError, InputTypeError
            ``X`` or a parameter is not as above, or the model cannot spread hints, which ``like`` and ``consistent``
            need, too.
        PictureFileError
            A file cannot be read.
        OutOfMemoryError
            It did not fit in memory.

        Examples
        --------
        A red hint in the middle of a grey picture:

        >>> import numpy as np
        >>> from labcolor import Colorizer
        >>> grey = np.full((48, 64), 128, np.uint8)
        >>> Colorizer.from_pretrained().predict(grey, hints=[(32, 24, "#c03030")])[24, 32].argmax()
        np.int64(0)

        A picture in the colors of another one:

        >>> from skimage import data
        >>> photo = data.coffee()
        >>> Colorizer.from_pretrained().predict(photo[:, 300:], like=photo[:, :300]).shape
        (400, 300, 3)
        """
        pipeline = pipeline_of(self)
        saturation = as_saturation(saturation)
        pictures, rebuild = as_pictures(X)
        known = as_hints(hints, [picture.shape for picture in pictures])
        if hints is not None:
            pipeline.check_hints()
        require("consistent", consistent, instance_of(bool))
        guide = guide_of(self, saturation, like, pictures if consistent else None)
        return rebuild(pipeline.colorize(pictures, saturation, known, guide))

    @overload
    def uncertainty(self, X: PictureInput) -> Array: ...
    @overload
    def uncertainty(self, X: list[Any]) -> list[Array]: ...
    @overload
    def uncertainty(self, X: tuple[Any, ...]) -> tuple[Array, ...]: ...

    def uncertainty(self, X: PictureInput | list[Any] | tuple[Any, ...]) -> Nested:
        """Return how unsure a network that chooses among bins is of the color of each pixel.

        Parameters
        ----------
        X : array, path, bytes, open binary file, PIL image, or sequence of these
            As for :meth:`predict`.

        Returns
        -------
        array, list or tuple
            For each picture (H, W) float32, nested as ``X``: the standard deviation of ab under the distribution that
            the network predicts, the root of the sum of both variances. Near 5 the network is sure; colors at 20 and
            more are guesses; black or white bars have 0.

        Raises
        ------
        NotFittedError, InputError, InputTypeError, PictureFileError
            As for :meth:`predict`, or the model predicts ab itself.
        OutOfMemoryError
            It did not fit in memory.

        Examples
        --------
        >>> import numpy as np
        >>> from labcolor import Colorizer
        >>> Colorizer.from_pretrained().uncertainty(np.full((48, 64), 128, np.uint8)).shape
        (48, 64)
        """
        pipeline = pipeline_of(self)
        pictures, rebuild = as_pictures(X)
        if isinstance(X, np.ndarray) and not pictures:
            return np.empty((0, *X.shape[1:3]), np.float32)
        return rebuild(pipeline.uncertainty(pictures))

    def score(self, X: PictureInput | list[Any] | tuple[Any, ...], y: Any = None) -> float:
        """Return the mean PSNR in dB of RGB between color pictures and predictions from their lightness.

        PSNR rewards grey, so compare only trainings of one kind. ``labcolor evaluate`` shows more metrics.

        Parameters
        ----------
        X : array, path, bytes, open binary file, PIL image, or sequence of these
            Color pictures, as for :meth:`predict`.
        y : None
            Ignored. It exists for scikit-learn.

        Returns
        -------
        float
            The mean PSNR. Higher is better.

        Raises
        ------
        NotFittedError, InputError, InputTypeError, PictureFileError
            As for :meth:`predict`, or a picture is grey.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> Colorizer.from_pretrained().score([data.astronaut()]) > 15
        True
        """
        pipeline = pipeline_of(self)
        pictures, _ = as_pictures(X)
        if not pictures:
            raise InputError("X: expected at least one picture, got none.")
        colored = pipeline.colorize([replace(picture, alpha=None) for picture in pictures])
        return float(np.mean([psnr(result, one.values) for result, one in zip(colored, pictures, strict=True)]))

    # ------------------------------------------------------------------ saving and loading

    def save(self, path: PathLike) -> None:
        """Write the trained model to one file, completely or not at all.

        The file does not contain the parameters of the training: :meth:`load` restores ``network``, ``working_size``
        and ``codec``, and sets ``start`` to the file. ``model_.training`` records the other parameters.

        Parameters
        ----------
        path : path
            The file, usually ``*.labcolor``. An existing file is replaced.

        Raises
        ------
        NotFittedError
            There is no trained network yet.
        ModelFileError, InputError
            The file cannot be written, or a parameter cannot be used.

        Examples
        --------
        >>> import tempfile
        >>> from labcolor import Colorizer
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Colorizer.from_pretrained("reference").save(f"{folder}/mine.labcolor")
        ...     Colorizer.load(f"{folder}/mine.labcolor").network
        'reference'
        """
        model = self._fitted()
        self.check_params()
        write_model(path, replace(model, working_size=self.working_size).to_bytes())

    def export(self, path: PathLike, *, int8: Any = None, whole: bool = False) -> None:
        """Write the trained model for other programs, as a network from scaled L to ab, or for whole pictures.

        Without ``whole``, each form except ``.labcolor`` is a network from "l", (N, H, W, 1) float32, (L - 50) / 50 for
        the default codec, to unscaled ab, (N, h, w, 2) float32, at saturation 1. H and W are multiples of 8 for the
        reference network, and of 32 for the default network.

        Parameters
        ----------
        path : path
            The destination, whose ending selects the form: ``.labcolor`` for a model file with an ONNX form, which
            :meth:`load` and :meth:`predict` use without TensorFlow; ``.onnx``, ``.tflite`` or ``.keras``; or no ending
            for a folder with a SavedModel. An existing file is replaced.
        int8 : array, sequence of array, path, sequence of path, or tf.data.Dataset, optional
            A few hundred color pictures like those to be colored, as for :meth:`fit`, from which the ranges of int8 are
            derived, for ``.labcolor``, ``.onnx`` and ``.tflite``. int8 is two to three times faster on many processors.
            ab of the default model then differs by 0.15 on average, and by 0.5 in ``.tflite``. By default everything is
            in float32.
        whole : bool, default False
            Whether the ``.onnx`` file colors whole pictures: from "picture", (H, W, C) uint8 of any size with 1, 3 or 4
            channels (grey, RGB, RGBA), and "saturation", (1,) float32 from 0 to 2, to "colored", (H, W, 3) or with
            alpha (H, W, 4) uint8. Its levels differ from those of :meth:`predict` with ``engine="onnxruntime"`` by at
            most one. It does not detect bars (letterboxes, margins of scans), and colors them like the picture.

        Raises
        ------
        NotFittedError, InputError, InputTypeError, PictureFileError
            There is no trained network yet, the ending is not supported, or a parameter cannot be used.
        ModelFileError
            The file cannot be written.
        LabcolorError
            A package that the form needs is not installed: ``pip install onnx``.

        Examples
        --------
        >>> import tempfile
        >>> from labcolor import Colorizer
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Colorizer.from_pretrained("reference").export(f"{folder}/reference.onnx")
        """
        from labcolor.networks.export import check_request, export_model

        model = self._fitted()
        self.check_params()
        path = as_path("path", path)
        require("whole", whole, instance_of(bool))
        check_request(path, int8=int8 is not None, whole=whole)
        calibration = self._calibration(model, int8)
        export_model(replace(model, working_size=self.working_size), path, calibration, whole=whole)

    def _calibration(self, model: FittedModel, X: Any) -> Sequence[Array]:
        """Return batches of one picture, scaled L at the working size, or no batches for None."""
        if X is None:
            return ()
        pictures = training_pictures(X, self.working_size, least=1, name="int8")
        multiple = model.architecture.multiple
        side = max(multiple, self.working_size // multiple * multiple)
        chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), _CALIBRATION)).round().astype(int)
        return [model.codec.encode(center_crop(pictures.draw(int(index)), side)[None])[0] for index in chosen]

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Read a model file. It contains only numbers and text, and no code.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        Colorizer

        Raises
        ------
        InputError
            The path is the name of a packaged model, or a URL.
        ModelFileError
            The file is missing, damaged, not a model file of labcolor, or from a newer version.

        Examples
        --------
        As for :meth:`save`.
        """
        if isinstance(path, str) and path in PACKAGED_MODELS and not os.path.exists(path):
            raise InputError(
                f"path: expected the path of a model file, got the packaged model {path!r}. Use "
                f"Colorizer.from_pretrained."
            )
        return cls._of(FittedModel.from_bytes(read_model(path), str(path)), str(Path(path).resolve()))

    @classmethod
    def from_pretrained(cls, name: PackagedName = DEFAULT_MODEL) -> Self:
        """Load a packaged model, without a network connection.

        It sets ``start``, so ``fit`` starts from its weights. ``sklearn.base.clone`` copies only the parameters, so a
        clone has the same start, but no trained network. ``copy.deepcopy`` and pickle keep the network.

        Parameters
        ----------
        name : {"efficientnet", "reference"}
            "efficientnet" is the stronger network, more colorful and closer to the true colors. "reference" is the
            reference network. The model cards are ``labcolor/weights/*.md``.

        Returns
        -------
        Colorizer

        Raises
        ------
        InputError
            There is no such model.
        ModelFileError
            The packaged file is missing or damaged.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer.from_pretrained("reference").network_.count_params()
        3099714
        """
        return cls._of(load_packaged(name), name)

    @classmethod
    def _of(cls, model: FittedModel, start: str) -> Self:
        """Return a Colorizer with a model and the parameters that describe it."""
        known = model.architecture if model.architecture.options else model.architecture.name
        codec = None if model.codec == LabCodec() else model.codec
        colorizer = cls().set_params(network=known, working_size=model.working_size, codec=codec, start=start)
        colorizer.model_ = model
        return colorizer

    def __copy__(self) -> Self:
        """Return a Colorizer with the same parameters and the same model, which nothing changes."""
        copied = type(self)().set_params(**self.get_params())
        if self.__sklearn_is_fitted__():
            copied.model_ = self.model_
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters and, packed, the trained model: enough for pickle, deep copies and other processes."""
        packed = self.model_.to_bytes() if self.__sklearn_is_fitted__() else None
        return {"params": self.get_params(), "packed": packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`__getstate__` returned."""
        self.__init__()  # type: ignore[misc]
        if state["packed"] is not None:
            try:
                self.model_ = FittedModel.from_bytes(state["packed"], "pickled Colorizer")
            except LabcolorError:
                if not forked():  # in a forked process, an error here would kill the worker; each use raises an error
                    raise
        self.set_params(**state["params"])


def pipeline_of(colorizer: Colorizer) -> Pipeline:
    """Return the steps from pictures to colored pictures, with the present model, engine and working size.

    Later changes of the Colorizer do not affect it.

    Raises
    ------
    NotFittedError
        There is no trained network yet.
    InputError, InputTypeError
        A parameter cannot be used.
    LabcolorError
        This process was forked from a process that had imported TensorFlow.

    Examples
    --------
    >>> from labcolor import Colorizer
    >>> from labcolor.colorizer import pipeline_of
    >>> pipeline_of(Colorizer.from_pretrained()).stride
    4
    """
    if not colorizer.__sklearn_is_fitted__():
        raise not_fitted()
    colorizer.check_params()
    key = colorizer.model_, colorizer.engine, colorizer.device
    with _lock:
        made: tuple[tuple[FittedModel, EngineName, DeviceName], Engine] | None = vars(colorizer).get("_engine")
        if made is None or made[0] != key:
            vars(colorizer)["_engine"] = made = key, make_engine(*key)
    return Pipeline(key[0], made[1], colorizer.working_size)


def exemplars_of(colorizer: Colorizer, like: Any) -> list[Exemplar]:
    """Analyze the photographs of the parameter ``like`` of :meth:`Colorizer.predict`.

    The exemplars are kept for the next call. Errors are those of ``predict``.
    """
    if like is None:
        return []
    pipeline = pipeline_of(colorizer)
    with _lock:
        cache: ExemplarCache = vars(colorizer).setdefault("_exemplars", ExemplarCache())
    with in_memory():
        return cache.get(pipeline, like)


def guide_of(colorizer: Colorizer, saturation: float, like: Any, album: Iterable[Picture] | None) -> Guide | None:
    """Return the guide that applies exemplars and the other pictures of an album to predicted colors, or None."""
    pipeline, exemplars = pipeline_of(colorizer), exemplars_of(colorizer, like)
    guide = partial(with_exemplars, pipeline, exemplars) if exemplars else None
    if album is None:
        return guide
    with in_memory():
        return album_guide(pipeline, album, saturation, guide)


def coloring(
    colorizer: Colorizer,
    saturation: float = 1.0,
    hints: HintInput = None,
    like: Any = None,
    album: Iterable[Picture] | None = None,
) -> Callable[[Array, bool], Array]:
    """Return the function that colors one picture as :meth:`Colorizer.predict` does, for picture files.

    Its second parameter is whether the result is for a file with chroma of half the size. ``album`` is None, or all
    pictures of the album. Errors are those of ``predict``.
    """
    pipeline, saturation = pipeline_of(colorizer), as_saturation(saturation)
    if hints is not None:
        pipeline.check_hints()
    guide = guide_of(colorizer, saturation, like, album)

    def color(array: Array, in_cells: bool) -> Array:
        picture = one_picture(array, "picture")
        (colored,) = pipeline.colorize([picture], saturation, as_hints(hints, [picture.shape]), guide, in_cells)
        return colored

    return color
