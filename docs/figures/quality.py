"""Two plots of quality.json: PSNR and rebalanced AuC over grey, against colorfulness."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

rows = json.loads(Path("quality.json").read_text(encoding="utf-8"))["rows"]
grey, truth = rows["grey"], rows["truth"]["colorfulness"]

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8))
for axis, metric, unit in zip(axes, ("PSNR", "AuC rebalanced"), (" (dB)", ""), strict=True):
    below = 4 if metric == "PSNR" else -9
    for model in ("efficientnet", "reference"):
        points = [(name.split()[-1], row) for name, row in rows.items() if name.startswith(f"{model}, ")]
        x = [row["colorfulness"] for _, row in points]
        y = [row[metric] - grey[metric] for _, row in points]
        axis.plot(x, y, "o-", label=model)
        for (saturation, _), *place in zip(points, x, y, strict=True):
            axis.annotate(saturation, place, textcoords="offset points", xytext=(6, below), fontsize=8)
    for name, marker in (("grey", "s"), ("mean color", "^"), ("mean ab for each L", "v")):
        row = rows[name]
        axis.plot(row["colorfulness"], row[metric] - grey[metric], marker, color="gray", label=name)
    axis.axvline(truth, color="gray", linestyle=":", label="true colorfulness")
    axis.set(xlabel="colorfulness", ylabel=f"{metric} over grey{unit}")
    axis.grid(alpha=0.3)
axes[0].legend(fontsize=8, loc="lower left")
