"""The estimator: a network, trained or packaged, that colours pictures."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from PIL import Image

from labcolor import __version__, parameters
from labcolor.dataset import crop_batches, training_pictures
from labcolor.errors import InputError, ModelFileError, NotFittedError, OutOfMemoryError
from labcolor.hints import HintSpreader, as_hints
from labcolor.inference import ChromaPredictor, check_process, forked
from labcolor.lab import LabCodec
from labcolor.metrics import psnr
from labcolor.modelfiles import decode_model, encode_model, read_model, write_model
from labcolor.networks import ARCHITECTURES, Architecture
from labcolor.parameters import Check, number, one_of, optional, require, whole
from labcolor.pictures import Picture, as_pictures, working_shape
from labcolor.training import fit_bins, fit_hints, fit_regression

__all__ = ["Colorizer"]

Array = npt.NDArray[Any]
_TOGETHER = 16  # pictures that are reduced, predicted and joined together
_CACHE = 6 << 30  # bytes of training pictures kept in memory
_HINTS_LEARNING_RATE = 1e-2  # for some 1,500 weights
_MARGIN = 17 / 16  # training pictures' short side over the crop's: 136 for 128

# SHA-256 of the packaged model files
PRETRAINED = {
    "classifier": "00df096c09c12c8a181dd75b47ebc3e0f467f4f1e3609e777cb5b337c7fb1162",
    "reference": "064f32ae82e267c2b9325127f47c88fc6a73cd74eae390e78fbd822a420394fa",
}


_CHECKS: dict[str, Check] = {
    "network": one_of(*ARCHITECTURES),
    "working_size": whole(8),
    "crop_size": whole(32, multiple=32),
    "epochs": whole(1),
    "batch_size": whole(1),
    "learning_rate": number(1e-9, 10),
    "aged": number(0, 1),
    "precision": one_of("float32", "mixed_bfloat16"),
    "warm_start": one_of(False, True),
    "random_state": optional(whole(0, most=2**32 - 1)),
    "verbose": one_of(0, 1, 2, False, True),
}


@contextmanager
def _memory() -> Iterator[None]:
    """Say so where memory runs out."""
    try:
        yield
    except OutOfMemoryError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError("the pictures did not fit in memory. Pass fewer at a time.") from error


class Colorizer:
    """Colours black-and-white pictures, by a network that a fit has trained or that comes with the package.

    The parameters are stored as they are and checked when they are used, as scikit-learn expects.

    Parameters
    ----------
    network : {"reference", "classifier"}
        The reference autoencoder, which predicts ab itself (:func:`labcolor.build_autoencoder`), or the stronger
        network that chooses among bins of ab (:func:`labcolor.networks.build_classifier`).
    working_size : int, default 136
        Short side, in pixels, of the picture that the network sees; its aspect ratio is kept. Lightness always keeps
        the full resolution. The default is the size from which training crops of 128 are taken.
    crop_size : int, default 128
        Side of the square crops to train on; a multiple of 32.
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
    random_state : int or None, default None
        From 0 to 2**32 - 1. Fixes initial weights, order, crops and mirroring of a training.
    verbose : {0, 1, 2}, default 0
        How much Keras says while it trains: nothing, a progress bar, or a line an epoch.

    Attributes
    ----------
    network_ : keras.Model
        The trained network, float32.
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

    network_: keras.Model
    codec_: LabCodec
    history_: dict[str, list[float]]

    def __init__(
        self,
        network: str = "reference",
        *,
        working_size: int = 136,
        crop_size: int = 128,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        aged: float = 0.0,
        precision: str = "float32",
        warm_start: bool = False,
        random_state: int | None = None,
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
        self.random_state = random_state
        self.verbose = verbose

    # ------------------------------------------------------------------ scikit-learn's contract

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name.

        Parameters
        ----------
        deep : bool, default True
            It is there for scikit-learn and changes nothing.

        Returns
        -------
        dict

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer().get_params()["network"]
        'reference'
        """
        return {name: getattr(self, name) for name in _CHECKS}

    def set_params(self, **params: Any) -> Colorizer:
        """Set parameters by name. Their values are checked when they are used.

        Parameters
        ----------
        **params
            As for the class.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        InputError
            There is no such parameter.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer().set_params(epochs=5)
        Colorizer(epochs=5)
        """
        for name, value in params.items():
            if name not in _CHECKS:
                raise InputError(f"{name}: expected one of the parameters {', '.join(_CHECKS)}.")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __repr__(self) -> str:
        defaults = inspect.signature(Colorizer).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name].default]
        return f"Colorizer({', '.join(changed)})"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{name}</td><td>{value!r}</td></tr>" for name, value in self.get_params().items())
        state = "fitted" if self.__sklearn_is_fitted__() else "not fitted"
        return f"<details><summary><code>Colorizer</code> ({state})</summary><table>{rows}</table></details>"

    def _check_params(self) -> Architecture:
        for name, check in _CHECKS.items():
            require(name, getattr(self, name), check)
        return ARCHITECTURES[self.network]

    # ------------------------------------------------------------------ training

    def fit(self, X: Any, y: Any = None, *, callbacks: Sequence[keras.callbacks.Callback] = ()) -> Colorizer:
        """Train on colour pictures. What was trained before, hints too, is forgotten, unless ``warm_start`` is set.

        Parameters
        ----------
        X : array, sequence of array, path, sequence of path, or tf.data.Dataset
            Colour pictures: a batch (N, H, W, 3), a list of pictures of different sizes, a folder (searched with its
            subfolders), files, or a finite dataset of pictures, or of tuples that begin with one. Each is reduced so
            that its short side is 17/16 of ``crop_size``; files that cannot be used are logged and left out.
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
            A parameter is wrong, or there is no colour picture in ``X``.
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
        architecture = self._check_params()
        check_process()
        pictures = training_pictures(X, round(self.crop_size * _MARGIN), _CACHE)
        seed = self._seed()
        codec = LabCodec()
        network = architecture.build(seed=seed, dtype=self.precision)
        if self.warm_start and self.__sklearn_is_fitted__():
            self._check_same_network()
            codec = self.codec_
            network.set_weights(self.network_.get_weights())

        def batches(epochs: int) -> Any:
            return self._batches(pictures, codec, epochs, seed)

        train = fit_bins if architecture.classifies else fit_regression
        history, log_weights = train(
            network,
            batches,
            codec.ab_scale,
            steps_per_epoch=math.ceil(len(pictures) / self.batch_size),
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            callbacks=callbacks,
            verbose=int(self.verbose),
        )
        self._adopt(self.network, network.get_weights(), codec, log_weights, history)
        return self

    def fit_hints(self, X: Any, *, steps: int = 500) -> Colorizer:
        """Teach a trained classifier to spread hints, by simulated ones. What it predicts without hints stays.

        Parameters
        ----------
        X : array, sequence of array, path, sequence of path, or tf.data.Dataset
            Colour pictures, as for :meth:`fit`.
        steps : int, default 500
            Batches to train on.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        NotFittedError, InputError, InputTypeError, PictureFileError
            There is no trained classifier yet, a parameter is wrong, or there is no colour picture in ``X``.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> colorizer = Colorizer.from_pretrained().set_params(random_state=0)
        >>> list(colorizer.fit_hints([data.astronaut(), data.coffee()], steps=2).history_)
        ['loss']
        """
        self._check_ready()
        require("steps", steps, whole(1))
        if not self._predictor.architecture.classifies:
            raise InputError("network: expected a classifier, which alone takes hints, got the reference network.")
        pictures = training_pictures(X, round(self.crop_size * _MARGIN), _CACHE)
        seed = self._seed()
        epochs = math.ceil(steps / math.ceil(len(pictures) / self.batch_size))
        self.history_, weights = fit_hints(
            self._predictor.with_features,
            self._batches(pictures, self.codec_, epochs, seed),
            self.codec_.ab_scale,
            steps=steps,
            seed=seed,
            learning_rate=_HINTS_LEARNING_RATE,
            verbose=int(self.verbose),
        )
        self._adopt_hints(weights)
        return self

    def _seed(self) -> int:
        return int(np.random.default_rng().integers(1 << 31) if self.random_state is None else self.random_state)

    def _batches(self, pictures: Sequence[Array], codec: LabCodec, epochs: int, seed: int) -> Any:
        return crop_batches(
            pictures,
            codec,
            size=self.crop_size,
            batch_size=self.batch_size,
            epochs=epochs,
            seed=seed,
            aged=self.aged,
        )

    def _check_same_network(self) -> None:
        if self._trained_as != self.network:
            raise InputError(
                f"network: the trained network is {self._trained_as!r}, got {self.network!r}. Set it back, or fit "
                f"with warm_start=False."
            )

    def _adopt(
        self, name: str, weights: list[Array], codec: LabCodec, log_weights: Array, history: dict[str, list[float]]
    ) -> None:
        """Take a network's weights for prediction."""
        check_process()
        architecture = ARCHITECTURES[name]
        network = architecture.build(seed=0)  # without a seed Keras would draw one from the global random state
        network.set_weights(weights)
        predictor = ChromaPredictor(network, architecture, codec, log_weights)
        self.network_, self.codec_, self.history_ = network, codec, history
        self._trained_as, self._log_weights, self._predictor = name, log_weights, predictor
        self._spreader: HintSpreader | None = None

    def _adopt_hints(self, weights: list[Array]) -> None:
        spreader = HintSpreader(name="hints")
        spreader.build([(None, None, 2), (None, None, len(weights[0]))])
        spreader.set_weights(weights)
        self._spreader = spreader

    # ------------------------------------------------------------------ prediction

    def _check_ready(self) -> None:
        """Say what is wrong, if the process, the network or a parameter is."""
        check_process()
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                "this Colorizer has no trained network yet. Call fit, or use Colorizer.from_pretrained() or "
                "Colorizer.load(path)."
            )
        self._check_params()

    def predict(self, X: Any, *, saturation: float = 1.0, hints: Any = None) -> Any:
        """Colour pictures.

        Parameters
        ----------
        X : array or sequence of array
            One picture, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); a batch of equal ones with one axis more in front;
            or a list or tuple of pictures of different sizes. uint8, uint16, float in [0, 1] or bool. Of RGB only the
            lightness is used. It is not modified.
        saturation : float, default 1
            From 0 (grey) over 1 (as predicted) to 4. Below 1 the predicted chroma is multiplied by it, which gives
            paler colours. Above, the reference network's chroma is multiplied, too; the classifier gives rarer, more
            colourful bins a greater chance, up to full rebalancing at 2, and multiplies chroma only beyond that.
        hints : array or sequence of array or None, optional
            Colours that are known: for each picture an array (H, W, 2) of float, ab in [-128, 128] where there is a
            hint, however small, and nan elsewhere. They are spread to what looks alike and is near. One array for one
            picture; an array (N, H, W, 2) or a list, None where a picture has no hint, for several.

        Returns
        -------
        array, list or tuple
            RGB, or RGBA where alpha came in (untouched), nested as ``X``, of the same sizes and dtypes (uint8 for
            bool). Lightness stays as it was; a colour outside the sRGB gamut has its chroma lowered until it fits.
            Even bars of black or white at the edges, a letterbox or margins, are not shown to the network, and stay
            grey.

        Raises
        ------
        NotFittedError
            There is no network yet.
        InputError, InputTypeError
            ``X`` or a parameter is not as above, or the model takes no hints.
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
        self._check_ready()
        saturation = parameters.saturation(saturation)
        pictures, rebuild = as_pictures(X)
        known = as_hints(hints, [picture.shape for picture in pictures])
        if hints is not None and self._spreader is None:
            raise InputError("hints: this model takes none. Use the packaged classifier, or train yours by fit_hints.")
        results: list[Array] = []
        with _memory():
            for start in range(0, len(pictures), _TOGETHER):
                part = slice(start, start + _TOGETHER)
                results += self._colour(pictures[part], saturation, known[part])
            return rebuild(results)

    def uncertainty(self, X: Any) -> Any:
        """How unsure a classifier is of the colour of each pixel.

        Parameters
        ----------
        X : array or sequence of array
            As for :meth:`predict`.

        Returns
        -------
        array, list or tuple
            For each picture (H, W) float32, nested as ``X``: the standard deviation of ab under the distribution that
            the network predicts, the root of the sum of both variances. Near 5 it is sure; 20 and more are guesses;
            bars of black or white have none.

        Raises
        ------
        NotFittedError, InputError, InputTypeError
            As for :meth:`predict`, or the model is no classifier.
        OutOfMemoryError
            It did not fit in memory.

        Examples
        --------
        >>> import numpy as np
        >>> from labcolor import Colorizer
        >>> Colorizer.from_pretrained().uncertainty(np.full((48, 64), 128, np.uint8)).shape
        (48, 64)
        """
        self._check_ready()
        if not self._predictor.architecture.classifies:
            raise InputError("network: expected a classifier, which alone tells this, got the reference network.")
        pictures, rebuild = as_pictures(X)
        if isinstance(X, np.ndarray) and not pictures:
            return np.empty((0, *X.shape[1:3]), np.float32)
        maps = []
        with _memory():
            for picture, lightness in zip(pictures, self._small_lightness(pictures), strict=True):
                height, width = picture.shape
                rows, columns = self._chroma_scales(picture.shape, lightness)
                small = Image.fromarray(self._predictor.deviation(lightness))
                box = (0, 0, columns * width, rows * height)  # less than the map where the stride does not divide
                maps.append(np.asarray(small.resize((width, height), Image.Resampling.BILINEAR, box)))
            return rebuild(maps)

    def _small_lightness(self, pictures: Sequence[Picture]) -> list[Array]:
        """What the network gets of checked pictures: L at the working size.

        Parameters
        ----------
        pictures : sequence of Picture
            As ``labcolor.pictures.as_pictures`` gives them.

        Returns
        -------
        list of ndarray, each (h, w), float32
        """
        return [picture.small_lightness(*working_shape(picture.shape, self.working_size)) for picture in pictures]

    def _small_chroma(self, lightness: Sequence[Array], saturation: float) -> list[Array]:
        """What the network makes of small L.

        Parameters
        ----------
        lightness : sequence of ndarray
            As :meth:`_small_lightness` gives it.
        saturation : float
            As for :meth:`predict`.

        Returns
        -------
        list of ndarray, each (h / stride, w / stride, 2), float32
            Sizes rounded up.
        """
        return self._predictor(lightness, saturation)

    def _chroma_scales(self, shape: tuple[int, int], lightness: Array) -> tuple[float, float]:
        """A pixel's height and width, of a picture of ``shape``, in pixels of its small chroma."""
        stride = self._predictor.architecture.stride
        return lightness.shape[0] / (stride * shape[0]), lightness.shape[1] / (stride * shape[1])

    def _colour(self, pictures: Sequence[Picture], saturation: float, hints: Sequence[Array | None]) -> list[Array]:
        small = self._small_lightness(pictures)
        unaided = [lightness for lightness, hint in zip(small, hints, strict=True) if hint is None]
        plain = iter(self._small_chroma(unaided, saturation))
        results = []
        for picture, lightness, hint in zip(pictures, small, hints, strict=True):
            pixel = self._chroma_scales(picture.shape, lightness)
            if hint is None or self._spreader is None:
                ab = next(plain)
            else:
                ab = self._predictor.with_hints(lightness, hint, pixel, self._spreader, saturation)
            results.append(picture.coloured(ab, *pixel))
        return results

    def score(self, X: Any, y: Any = None) -> float:
        """Mean PSNR, in dB of RGB, between colour pictures and what ``predict`` makes of their lightness.

        PSNR rewards grey: it serves to compare trainings of one kind. ``labcolor evaluate`` shows more.

        Parameters
        ----------
        X : array or sequence of array
            Colour pictures, as for :meth:`predict`.
        y : None
            Ignored; it is there for scikit-learn.

        Returns
        -------
        float
            Higher is better.

        Raises
        ------
        NotFittedError, InputError, InputTypeError
            As for :meth:`predict`, or a picture is grey.

        Examples
        --------
        >>> from skimage import data
        >>> from labcolor import Colorizer
        >>> Colorizer.from_pretrained().score([data.astronaut()]) > 15
        True
        """
        self._check_ready()
        pictures, _ = as_pictures(X)
        if not pictures:
            raise InputError("X: expected at least one picture, got none.")
        originals = [picture.values for picture in pictures]
        coloured = self.predict(originals)
        return float(np.mean([psnr(result, original) for result, original in zip(coloured, originals, strict=True)]))

    # ------------------------------------------------------------------ saving and loading

    def _pack(self, params: dict[str, Any], *, half: bool) -> bytes:
        about = {
            "labcolor": __version__,
            "network": self._trained_as,
            "codec": self.codec_.get_config(),
            "params": {
                name: value.item() if isinstance(value, np.generic) else value for name, value in params.items()
            },
            "history": self.history_,
        }
        weights = self.network_.get_weights()
        kept = [weight.astype(np.float16) if half else weight for weight in weights]
        arrays = {f"weight{index:03d}": weight for index, weight in enumerate(kept)}
        if self._spreader is not None:
            arrays.update({f"hints{index}": weight for index, weight in enumerate(self._spreader.get_weights())})
        return encode_model(about, {**arrays, "log_weights": self._log_weights})

    def _unpack(self, about: dict[str, Any], arrays: dict[str, Array], where: str) -> None:
        try:
            name = about["network"]
            if name not in ARCHITECTURES:
                raise ModelFileError(f"{where}: expected a network of {', '.join(ARCHITECTURES)}, got {name!r}.")
            self.set_params(**about["params"])
            self._check_params()
            codec = LabCodec(**about["codec"])
            log_weights = arrays.pop("log_weights").astype(np.float32)
            hints = [arrays.pop(key) for key in sorted(arrays) if key.startswith("hints")]
            weights = [arrays[key].astype(np.float32) for key in sorted(arrays)]
            if not all(np.isfinite(array).all() for array in (*weights, *hints, log_weights)):
                raise ModelFileError(f"{where}: damaged: a weight is not finite. Copy the file again.")
            history = {str(key): [float(value) for value in values] for key, values in about["history"].items()}
            self._adopt(name, weights, codec, log_weights, history)
            if hints:
                self._adopt_hints(hints)
        except ModelFileError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(f"{where}: not a model that this version can use: {error}") from error

    def save(self, path: str | os.PathLike[str], *, half: bool = False) -> None:
        """Write the parameters and the trained network to one file; it appears whole or not at all.

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
        self._check_ready()
        write_model(path, self._pack(self.get_params(), half=half))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Colorizer:
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
        colorizer = cls()
        colorizer._unpack(*read_model(path), str(path))
        return colorizer

    @classmethod
    def from_pretrained(cls, name: str = "classifier") -> Colorizer:
        """Load a model that comes with the package. It needs no network connection.

        Parameters
        ----------
        name : {"classifier", "reference"}
            "classifier": the stronger network, more colourful and nearer to the truth. "reference": the reference
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
        if not isinstance(name, str) or name not in PRETRAINED:
            raise InputError(f"name: expected one of {', '.join(PRETRAINED)}, got {name!r}.")
        with resources.as_file(resources.files("labcolor") / "weights" / f"{name}.labcolor") as path:
            colorizer = cls()
            colorizer._unpack(*read_model(path, PRETRAINED[name]), str(path))
        return colorizer

    def __getstate__(self) -> dict[str, Any]:
        """The parameters and, packed, the trained network: enough for pickle, copy and other processes."""
        packed = self._pack({}, half=False) if self.__sklearn_is_fitted__() else None
        return {"params": self.get_params(), "packed": packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        # In a forked process every use is refused, with the remedy; to refuse here would only kill a pool's worker.
        if state["packed"] is not None and not forked():
            self._unpack(*decode_model(state["packed"], "pickled Colorizer"), "pickled Colorizer")
        self.set_params(**state["params"])
