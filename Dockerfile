# Serves the page and the HTTP endpoint of `labcolor demo`, without TensorFlow, which only training needs.
#
#   docker build -t labcolor .
#   docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 labcolor
#
# Options of `labcolor demo` may follow: ... labcolor --name color.example.org --workers 4
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /tmp/source/
COPY labcolor /tmp/source/labcolor/
RUN pip install --no-cache-dir imageio imageio-ffmpeg lazy-loader numba numpy onnxruntime pillow protobuf scikit-image scipy \
    tifffile tqdm python-multipart starlette uvicorn
RUN pip install --no-cache-dir --no-deps /tmp/source
RUN useradd --create-home labcolor
USER labcolor
WORKDIR /home/labcolor
# compiles what numba compiles once, and keeps it
RUN python -c "import numpy, labcolor; labcolor.Colorizer.from_pretrained().predict(numpy.zeros((64, 64), numpy.uint8))"
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
ENTRYPOINT ["labcolor", "demo", "--host", "0.0.0.0"]
