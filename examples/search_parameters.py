"""Parameters of a fine-tuning, chosen on a few pictures: by scikit-learn's grid, or by Optuna.

    python examples/search_parameters.py [PHOTOS] [--optuna] [--epochs N]

PHOTOS is a folder of color pictures, some dozens of one kind; by default some photographs of scikit-image. The grid
needs scikit-learn, the other search Optuna (``pip install scikit-learn optuna``). A Colorizer is an estimator of
scikit-learn, and its clones keep ``start``, so that each candidate goes on from the packaged model.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from skimage import data

from labcolor import Colorizer
from labcolor.io.pictures import picture_paths

RATES = [1e-5, 1e-4, 1e-3]


def search_grid(colorizer: Colorizer, pictures: list[Any]) -> dict[str, Any]:
    """Try all combinations, each on two splits, by the score of the Colorizer: the mean PSNR."""
    from sklearn.model_selection import GridSearchCV

    grid = {"learning_rate": RATES, "encoder_rate": [0.0, 0.1]}
    search = GridSearchCV(colorizer, grid, cv=2, refit=False).fit(pictures)
    for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        print(f"{params}: {score:.2f} dB")
    return dict(search.best_params_)


def search_optuna(colorizer: Colorizer, pictures: list[Any]) -> dict[str, Any]:
    """Try what Optuna suggests, by the lowest held-out loss, which each epoch reports; hopeless trials end early."""
    import keras
    import optuna

    def objective(trial: Any) -> float:
        def report(epoch: int, logs: dict[str, float]) -> None:
            trial.report(logs["val_loss"], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        params = {
            "learning_rate": trial.suggest_float("learning_rate", RATES[0], RATES[-1], log=True),
            "encoder_rate": trial.suggest_float("encoder_rate", 0.0, 0.3),
            "film_aging": trial.suggest_float("film_aging", 0.0, 0.3),
        }
        candidate = Colorizer(**{**colorizer.get_params(), **params})
        watch = keras.callbacks.LambdaCallback(on_epoch_end=report)
        candidate.fit(pictures, validation=0.34, callbacks=[watch])
        return float(min(candidate.history_["val_loss"]))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=6)
    return dict(study.best_params)


def main() -> None:
    """Search, train with the best parameters, and show what they reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path)
    parser.add_argument("--optuna", action="store_true", help="search with Optuna rather than in a grid")
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()

    pictures: list[Any]
    if arguments.photos is None:
        pictures = [getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket", "cat", "retina")]
    else:
        pictures = list(picture_paths([arguments.photos]))
    colorizer = Colorizer.from_pretrained().set_params(epochs=arguments.epochs, random_state=0)
    best = (search_optuna if arguments.optuna else search_grid)(colorizer, pictures)
    print(f"best: {best}")
    colorizer.set_params(**best).fit(pictures, validation=0.34)
    before, after = colorizer.model_.training["before"]["loss"], np.min(colorizer.history_["val_loss"])
    print(f"held-out loss: {before:.3f} before, {after:.3f} after")


if __name__ == "__main__":
    main()
