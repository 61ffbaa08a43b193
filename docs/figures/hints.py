"""A plot of hints.json: PSNR and CIEDE2000 by the number of hints."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

rows = json.loads(Path("hints.json").read_text(encoding="utf-8"))["rows"]
points = {int(name.split()[0]): row for name, row in rows.items() if name.endswith("hints")}

figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
for axis, metric, label in zip(axes, ("PSNR", "CIEDE2000"), ("PSNR (dB)", "CIEDE2000"), strict=True):
    axis.plot(list(points), [row[metric] for row in points.values()], "o-")
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xticks(list(points), [str(count) for count in points])
    axis.minorticks_off()
    axis.set(xlabel="hints", ylabel=label)
    axis.grid(alpha=0.3)
