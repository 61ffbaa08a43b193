"""labcolor colors black-and-white pictures and video.

>>> from labcolor import Colorizer, read_picture, write_picture
>>> colorizer = Colorizer.from_pretrained()
"""

import lazy_loader

from labcolor._version import __version__ as __version__

# Each name is imported on first use, so that `import labcolor` is quick and loads neither Keras nor TensorFlow. The
# names stand once, in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
