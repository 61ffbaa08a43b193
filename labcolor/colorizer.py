"""The estimator: a network, trained or packaged, that colors pictures."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np

from labcolor import _validation
from labcolor._estimator import Estimator
from labcolor._typing import Array, PathLike, PictureInput
from labcolor._validation import Check, instance_of, number, one_of, optional, require, whole
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError, not_fitted
from labcolor.inference.engine import Engine, check_process, forked
from labcolor.inference.pipeline import Pipeline
from labcolor.io.inputs import Nested, as_pictures
from labcolor.metrics import psnr
from labcolor.networks.files import read_model, write_model
from labcolor.networks.fitted import WORKING_SIZE, FittedModel
from labcolor.networks.pretrained import DEFAULT_MODEL, load_packaged
from labcolor.networks.registry import Architecture, as_architecture
from labcolor.pictures.hints import as_hints
from labcolor.training.data import crop_batches, training_pictures
from labcolor.training.hints import fit_hints
from labcolor.training.loop import fit_network
from labcolor.training.seeds import RANDOM_STATE, RandomState, as_seed

if TYPE_CHECKING:
    import keras

__all__ = ["Colorizer"]

_CACHE = 6 << 30  # bytes of training pictures kept in memory
_HINTS_LEARNING_RATE = 1e-2  # for some 1,500 weights
_MOST = 1_000_000  # epochs, pictures in a batch, and steps
_MARGIN = 17 / 16  # training pictures' short side over the crop's: 136 for 128
_lock = threading.Lock()


class Colorizer(Estimator):
    """Colors black-and-white pictures, by a network that a fit has trained or that comes with the package.

    The parameters are stored as they are and checked when they are used, as scikit-learn expects.

    Parameters
    ----------
    network : str or labcolor.networks.Architecture
        "reference": the reference autoencoder, which predicts ab itself (:func:`labcolor.build_autoencoder`);
        "efficientnet" and "classifier": stronger networks, which choose among bins of ab, with a pretrained encoder
        (:func:`labcolor.networks.build_efficientnet`; start it from the packaged model) and without
        (:func:`labcolor.networks.build_classifier`); or an architecture of your own, by its registered name or itself.
    working_size : int, default 136
        Short side, in pixels, of the picture that the network sees, from 8 to 8192; its aspect ratio is kept. Lightness
        always keeps the full resolution. The default is the size from which training crops of 128 are taken.
    crop_size : int, default 128
        Side of the square crops to train on; a multiple of 32, at most 4096.
    epochs : int, default 20
        Passes over the training pictures.
    batch_size : int, default 32
        Crops in a training step.
    learning_rate : float, default 1e-3
        Peak of Adam's learning rate.
    aged : float, default 0
        Share of training crops, 0 to 1, whose L is faded, softened and grained like an old film's.
    precision : {"float32", "mixed_bfloat16"}
        Arithmetic of the training. Prediction is always in float32.
    warm_start : bool, default False
        Whether ``fit`` goes on from the present network rather than from new weights.
    codec : LabCodec, optional
        How a training scales L and ab; by default ``LabCodec()``.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Fixes initial weights, order, crops and mirroring of a training: a seed from 0 to 2**32 - 1, or a generator from
        which each training draws one. ``model_.training`` tells the seed.
    verbose : {0, 1, 2}, default 0
        How much Keras says while it trains: nothing, a progress bar, or a line an epoch.

    Attributes
    ----------
    model_ : labcolor.networks.FittedModel
        The trained model: network, codec, head and what it was trained on. All other attributes read it.
    network_ : keras.Model
        The trained network, float32. Changing it does not change what is saved; put another model into ``model_``.
    codec_ : LabCodec
        How its input and output are scaled.
    history_ : dict
        The loss of each epoch of the last ``fit``, or of the last ``fit_hints`` since.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import Colorizer
    >>> colorizer = Colorizer.from_pretrained("reference")
    >>> colorizer.predict(np.full((48, 64), 128, np.uint8)).shape
    (48, 64, 3)
    """

    parameter_checks: ClassVar[Mapping[str, Check]] = {
        "working_size": WORKING_SIZE,
        "crop_size": whole(32, multiple=32, most=4096),
        "epochs": whole(1, most=_MOST),
        "batch_size": whole(1, most=_MOST),
        "learning_rate": number(1e-9, 10),
        "aged": number(0, 1),
        "precision": one_of("float32", "mixed_bfloat16"),
        "warm_start": one_of(False, True),
        "codec": optional(instance_of(LabCodec)),
        "random_state": RANDOM_STATE,
        "verbose": one_of(0, 1, 2, False, True),
    }

    model_: FittedModel

    def __init__(
        self,
        network: str | Architecture = "reference",
        *,
        working_size: int = 136,
        crop_size: int = 128,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        aged: float = 0.0,
        precision: str = "float32",
        warm_start: bool = False,
        codec: LabCodec | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.network = network
        self.working_size = working_size
        self.crop_size = crop_size
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.aged = aged
        self.precision = precision
        self.warm_start = warm_start
        self.codec = codec
        self.random_state = random_state
        self.verbose = verbose

    def check_params(self) -> None:
        """Check the values of all parameters.

        Raises
        ------
        InputError, InputTypeError
            One cannot be used.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer(epochs=5).check_params()
        """
        as_architecture(self.network)
        super().check_params()

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a trained model."""
        return hasattr(self, "model_")

    @property
    def network_(self) -> keras.Model:
        """The trained network."""
        return self._fitted().network

    @property
    def codec_(self) -> LabCodec:
        """How the network's input and output are scaled."""
        return self._fitted().codec

    @property
    def history_(self) -> dict[str, list[float]]:
        """The loss of each epoch of the last training."""
        return dict(self._fitted().history)

    def _fitted(self) -> FittedModel:
        if not self.__sklearn_is_fitted__():
            raise not_fitted()
        return self.model_

    # ------------------------------------------------------------------ training

    def fit(self, X: Any, y: Any = None, *, callbacks: Sequence[keras.callbacks.Callback] = ()) -> Self:
        """Train on color pictures. What was trained before, hints too, is forgotten, unless ``warm_start`` is set.

        Parameters
        ----------
        X : array, sequence of array, path, sequence of path, or tf.data.Dataset
            Color pictures: a batch (N, H, W, 3), a list of pictures of different sizes, a folder (searched with its
            subfolders), files, or a finite dataset of pictures, or of tuples that begin with one. Each is reduced so
            that its short side is 17/16 of ``crop_size``; of one that is more than eight times as long as wide only the
            middle is taken. Files that cannot be used are logged and left out.
        y : None
            Ignored; it is there for scikit-learn.
        callbacks : sequence of keras.callbacks.Callback
            Passed to Keras.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        InputError, InputTypeError, PictureFileError
            A parameter is wrong, or there is no color picture in ``X``.
        LabcolorError
            This process was forked from one that had loaded TensorFlow.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> colorizer = Colorizer(epochs=1, crop_size=32, random_state=0).fit([data.astronaut(), data.coffee()])
        >>> colorizer.predict(data.camera()).shape
        (512, 512, 3)
        """
        self.check_params()
        check_process()
        pictures = self._training_pictures(X)
        start = self.model_ if self.warm_start and self.__sklearn_is_fitted__() else None
        codec = LabCodec() if self.codec is None else self.codec
        self.model_ = fit_network(
            as_architecture(self.network),
            pictures,
            codec if start is None else start.codec,
            working_size=self.working_size,
            crop_size=self.crop_size,
            batch_size=self.batch_size,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            aged=self.aged,
            precision=self.precision,
            seed=self._seed(),
            start=start,
            callbacks=callbacks,
            verbose=int(self.verbose),
        )
        return self

    def fit_hints(self, X: Any, *, steps: int = 500) -> Self:
        """Teach the trained network to spread hints, by simulated ones. What it predicts without hints stays.

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
            There is no trained network yet, a parameter is wrong, or there is no color picture in ``X``.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> colorizer = Colorizer.from_pretrained().set_params(random_state=0)
        >>> list(colorizer.fit_hints([data.astronaut(), data.coffee()], steps=2).history_)
        ['loss']
        """
        pipeline = self.pipeline()
        require("steps", steps, whole(1, most=_MOST))
        pictures = self._training_pictures(X)
        seed = self._seed()
        codec = pipeline.model.codec

        def batches() -> Iterator[tuple[Array, Array]]:
            return crop_batches(
                pictures,
                codec,
                size=self.crop_size,
                batch_size=self.batch_size,
                epochs=math.ceil(steps / math.ceil(len(pictures) / self.batch_size)),
                seed=seed,
                aged=self.aged,
            )

        history, weights = fit_hints(
            pipeline.with_features,
            batches(),
            codec.ab_scale,
            steps=steps,
            seed=seed,
            learning_rate=_HINTS_LEARNING_RATE,
            verbose=int(self.verbose),
        )
        self.model_ = replace(pipeline.model, hints=tuple(weights), history=history)
        return self

    def _training_pictures(self, X: Any) -> Sequence[Array]:
        return training_pictures(X, round(self.crop_size * _MARGIN), _CACHE)

    def _seed(self) -> int:
        return as_seed(self.random_state)

    # ------------------------------------------------------------------ prediction

    def pipeline(self) -> Pipeline:
        """Return what takes pictures to colored pictures step by step, with the present model and working size.

        Returns
        -------
        labcolor.inference.pipeline.Pipeline
            For work on the small maps of chroma, as videos and benchmarks do it. It does not follow later changes of
            this Colorizer.

        Raises
        ------
        NotFittedError
            There is no trained model yet.
        InputError, InputTypeError
            A parameter is wrong.
        LabcolorError
            This process was forked from one that had loaded TensorFlow.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer.from_pretrained().pipeline().stride
        4
        """
        check_process()
        model = self._fitted()
        self.check_params()
        with _lock:
            engine: tuple[FittedModel, Engine] | None = self.__dict__.get("_engine")
            if engine is None or engine[0] is not model:
                engine = self._engine = (model, Engine(model.network))
        return Pipeline(model, engine[1], self.working_size)

    @overload
    def predict(self, X: PictureInput, *, saturation: float = 1.0, hints: Any = None) -> Array: ...
    @overload
    def predict(self, X: list[Any], *, saturation: float = 1.0, hints: Any = None) -> list[Array]: ...
    @overload
    def predict(self, X: tuple[Any, ...], *, saturation: float = 1.0, hints: Any = None) -> tuple[Array, ...]: ...

    def predict(
        self, X: PictureInput | list[Any] | tuple[Any, ...], *, saturation: float = 1.0, hints: Any = None
    ) -> Nested:
        """Color pictures.

        Parameters
        ----------
        X : array, path, bytes, open binary file, PIL image, or sequence of these
            One picture: an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, float in [0, 1] or bool,
            or a file or image, as for :func:`labcolor.read_picture`; a batch: an array with one axis more in front; or
            a list or tuple of pictures, which may differ. Of RGB only the lightness is used. It is not modified.
        saturation : float, default 1
            From 0 (grey) over 1 (as predicted) to 4. Below 1 the predicted chroma is multiplied by it, which gives
            paler colors. Above, the reference network's chroma is multiplied, too; a network that chooses among bins
            gives rarer, more colorful bins a greater chance, up to full rebalancing at 2, and multiplies chroma only
            beyond that.
        hints : array or sequence of array or None, optional
            Colors that are known: for each picture an array (H, W, 2) of float, ab in [-128, 128] where there is a
            hint, however small, and nan elsewhere. They win where they are, and are spread to what looks alike and
            is near; in bars, which stay grey, they are left out. One array for one picture; an array (N, H, W, 2) or a
            list, None where a picture has no hint, for several.

        Returns
        -------
        array, list or tuple
            RGB, or RGBA where alpha came in (untouched), nested as ``X``, of the same sizes and dtypes (uint8 for
            bool; for files those that ``read_picture`` gives). Lightness stays as it was; a color outside the sRGB
            gamut has its chroma lowered until it fits. Even bars of black or white at the edges, a letterbox or
            margins, are not shown to the network, and stay grey.

        Raises
        ------
        NotFittedError
            There is no network yet.
        InputError, InputTypeError
            ``X`` or a parameter is not as above, or the model takes no hints.
        PictureFileError
            A file cannot be read.
        OutOfMemoryError
            It did not fit in memory.

        Examples
        --------
        A red hint in the middle of a grey picture:

        >>> import numpy as np
        >>> from labcolor import Colorizer
        >>> hints = np.full((48, 64, 2), np.nan)
        >>> hints[20:28, 28:36] = 60, 40  # a and b
        >>> grey = np.full((48, 64), 128, np.uint8)
        >>> Colorizer.from_pretrained().predict(grey, hints=hints)[24, 32].argmax()
        np.int64(0)
        """
        pipeline = self.pipeline()
        saturation = _validation.saturation(saturation)
        pictures, rebuild = as_pictures(X)
        known = as_hints(hints, [picture.shape for picture in pictures])
        if hints is not None:
            pipeline.hint_spreader()  # or say that the model takes none
        return rebuild(pipeline.colorize(pictures, saturation, known))

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
            the network predicts, the root of the sum of both variances. Near 5 it is sure; 20 and more are guesses;
            bars of black or white have none.

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
        pipeline = self.pipeline()
        pictures, rebuild = as_pictures(X)
        if isinstance(X, np.ndarray) and not pictures:
            return np.empty((0, *X.shape[1:3]), np.float32)
        return rebuild(pipeline.uncertainty(pictures))

    def score(self, X: PictureInput | list[Any] | tuple[Any, ...], y: Any = None) -> float:
        """Mean PSNR, in dB of RGB, between color pictures and what ``predict`` makes of their lightness.

        PSNR rewards grey: it serves to compare trainings of one kind. ``labcolor evaluate`` shows more.

        Parameters
        ----------
        X : array, path, bytes, open binary file, PIL image, or sequence of these
            Color pictures, as for :meth:`predict`.
        y : None
            Ignored; it is there for scikit-learn.

        Returns
        -------
        float
            Higher is better.

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
        pipeline = self.pipeline()
        pictures, _ = as_pictures(X)
        if not pictures:
            raise InputError("X: expected at least one picture, got none.")
        colored = pipeline.colorize([replace(picture, alpha=None) for picture in pictures])
        return float(np.mean([psnr(result, one.values) for result, one in zip(colored, pictures, strict=True)]))

    # ------------------------------------------------------------------ saving and loading

    def save(self, path: PathLike, *, half: bool = False) -> None:
        """Write the trained model to one file; it appears whole or not at all.

        Parameters of the training are not part of the model: :meth:`load` restores ``network``, ``working_size`` and
        ``codec``, and ``model_.training`` tells the rest.

        Parameters
        ----------
        path : path
            The file, usually ``*.labcolor``. One that exists is replaced.
        half : bool, default False
            Whether to keep the weights in float16: half the size, results that differ by less than can be seen.

        Raises
        ------
        NotFittedError
            There is no network yet.
        ModelFileError, InputError
            The file cannot be written, or a parameter is wrong.

        Examples
        --------
        >>> import tempfile
        >>> from labcolor import Colorizer
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Colorizer.from_pretrained("reference").save(f"{folder}/mine.labcolor")
        ...     Colorizer.load(f"{folder}/mine.labcolor")
        Colorizer()
        """
        model = self._fitted()
        self.check_params()
        write_model(path, replace(model, working_size=self.working_size).to_bytes(half=half))

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Read what :meth:`save` wrote. A file holds numbers and text only: nothing in it is executed.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        Colorizer

        Raises
        ------
        ModelFileError
            The file is missing, damaged, not one of labcolor's, or from a newer version.

        Examples
        --------
        As for :meth:`save`.
        """
        return cls._of(FittedModel.from_bytes(read_model(path), str(path)))

    @classmethod
    def from_pretrained(cls, name: str = DEFAULT_MODEL) -> Self:
        """Load a model that comes with the package. It needs no network connection.

        ``sklearn.base.clone`` copies the parameters only: a clone has no trained network. ``copy.deepcopy`` and pickle
        keep it.

        Parameters
        ----------
        name : {"efficientnet", "reference"}
            "efficientnet": the stronger network, more colorful and nearer to the truth. "reference": the reference
            network. Their model cards are ``labcolor/weights/*.md``.

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
        return cls._of(load_packaged(name))

    @classmethod
    def _of(cls, model: FittedModel) -> Self:
        colorizer = cls()
        colorizer._adopt(model)
        return colorizer

    def _adopt(self, model: FittedModel) -> None:
        """Take a model, and the parameters that describe it."""
        known = model.architecture.name if not model.architecture.options else model.architecture
        codec = None if model.codec == LabCodec() else model.codec
        self.set_params(network=known, working_size=model.working_size, codec=codec)
        self.model_ = model

    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters and, packed, the trained model: enough for pickle, copy and other processes."""
        packed = self.model_.to_bytes() if self.__sklearn_is_fitted__() else None
        return {"params": self.get_params(), "packed": packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`__getstate__` returned, in this version or in 0.1."""
        self.__init__()  # type: ignore[misc]
        # In a forked process every use is refused, with the remedy; to refuse here would only kill a pool's worker.
        if state["packed"] is not None and not forked():
            self.model_ = FittedModel.from_bytes(state["packed"], "pickled Colorizer")
        self.set_params(**state["params"])
