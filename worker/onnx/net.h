// write_net: a model's net, from pooled rows and numbers to scores, as an ONNX file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

struct NetInput {
  std::string name;
  std::uint32_t width = 0;
  std::optional<EmbeddingInput> pooled;  // whose rows it is; none: the numbers, as in MicroBatch::dense
};

struct OnnxNet {
  std::string bytes;  // a ModelProto
  std::vector<NetInput> inputs;
};

inline constexpr const char* kScoreOutput = "score";
inline constexpr const char* kProbabilityOutput = "probability";

// The graph follows from what forward() does on a tape, so a model needs nothing of its own for it. rows:
// parallel to model.tables().all(), of each dense table all in key order; sparse ones stay outside the net
// and are not read. Outputs: score [batch, 1], and with `probability` its sigmoid.
// kInvalid names the operation that has no ONNX form.
Result<OnnxNet> write_net(const std::string& name, const Model& model, std::span<const ConstMatrix> rows,
                          bool probability);

}  // namespace capstan
