// Color a picture by ONNX Runtime alone: the exported file takes pixels and gives pixels.
//
// labcolor export efficientnet -o whole.onnx --whole
// npm install --prefix examples
// node examples/onnx_whole.mjs whole.onnx old.png colored.png

import * as ort from "onnxruntime-web"; // the same lines work in a browser, and with onnxruntime-node
import sharp from "sharp";

const [model, source, destination] = process.argv.slice(2);
const { data, info } = await sharp(source).toColorspace("srgb").raw().toBuffer({ resolveWithObject: true });
const session = await ort.InferenceSession.create(model);
const { colored } = await session.run({
  picture: new ort.Tensor("uint8", data, [info.height, info.width, info.channels]), // RGB or RGBA, row by row
  saturation: new ort.Tensor("float32", [1], [1]), // 0 is grey, 2 is vivid
});
const [height, width, channels] = colored.dims;
await sharp(colored.data, { raw: { width, height, channels } }).toFile(destination);
