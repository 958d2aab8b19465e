// Runs a net in ONNX Runtime. Usage: evaluate.cjs MODEL FOLDER ROWS, with FOLDER/shapes.json {"INPUT": width}
// and FOLDER/INPUT.f32; writes FOLDER/OUTPUT.f32 for each of the net's outputs.
const fs = require("fs");
const path = require("path");
const ort = require("onnxruntime-node");

async function main(model, folder, rows) {
  const session = await ort.InferenceSession.create(model);
  const shapes = JSON.parse(fs.readFileSync(path.join(folder, "shapes.json"), "utf8"));
  const feeds = {};
  for (const [name, width] of Object.entries(shapes)) {
    const bytes = fs.readFileSync(path.join(folder, name + ".f32"));
    const copy = new Uint8Array(bytes);  // aligned
    feeds[name] = new ort.Tensor("float32", new Float32Array(copy.buffer), [rows, width]);
  }
  const results = await session.run(feeds);
  for (const name of session.outputNames) {
    const data = results[name].data;
    fs.writeFileSync(path.join(folder, name + ".f32"), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
}

main(process.argv[2], process.argv[3], Number(process.argv[4])).catch((error) => {
  console.error(error);
  process.exit(1);
});
