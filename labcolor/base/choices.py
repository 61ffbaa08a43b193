"""Choices by name, which annotations, checks and the command line share."""

from typing import Literal

EngineName = Literal["auto", "onnxruntime", "onnxruntime-int8", "tensorflow"]
DeviceName = Literal["cpu", "cuda", "directml", "coreml", "openvino"]
PackagedName = Literal["efficientnet", "reference"]  # the packaged models, the default first
Precision = Literal["float32", "mixed_bfloat16"]
CodecName = Literal["h264", "hevc", "vp9", "prores", "dnxhr", "ffv1"]  # codecs of video
PresetName = Literal[  # presets of h264 and hevc
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
HueName = Literal["red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink"]
ShotListEnding = Literal[".csv", ".edl", ".xml", ".aaf", ".otio"]  # endings of lists of shots
Deinterlacing = Literal["auto", "never", "always"]
