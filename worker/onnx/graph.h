// OnnxGraph: an ONNX graph that is being put together, node by node.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/result.h"
#include "worker/nn/matrix.h"

namespace capstan {

struct OnnxAttribute {
  std::string_view name;
  std::variant<std::int64_t, std::vector<std::int64_t>> value;
};

// A value is known by its name. Names are C identifiers, each given once.
class OnnxGraph {
 public:
  // outputs: names that nothing else is given; see output().
  OnnxGraph(const std::string& name, const std::vector<std::string>& outputs);

  // Floats [batch, width], the number of rows being the caller's.
  std::string input(std::string_view wanted, std::uint32_t width);
  // The result of one node of `type` as an output of the graph, under one of the names set aside.
  void output(const std::string& name, const char* type, const std::string& input, std::uint32_t width);

  // Constants of the graph: [rows, cols], and a list of numbers. What was made before under `wanted`, or with
  // the same numbers, is given again.
  std::string weights(const std::string& wanted, ConstMatrix values);
  std::string weights(const std::string& wanted, ConstMatrix values, const std::vector<std::int64_t>& shape);
  std::string whole_numbers(const std::vector<std::int64_t>& values);

  // One node; its result is named after `label`.
  std::string node(std::string_view label, const char* type, const std::vector<std::string>& inputs,
                   const std::vector<OnnxAttribute>& attributes = {});

  // The bytes of the model file. kInvalid beyond the 2 GiB that Protobuf holds.
  Result<std::string> serialize() const;

 private:
  std::string unique(std::string_view wanted);
  onnx::NodeProto& add_node(const std::string& name, const char* type,
                            const std::vector<std::string>& inputs);

  onnx::ModelProto model_;
  onnx::GraphProto& graph_;
  std::set<std::string> taken_;
  std::map<std::string, std::string> weights_;  // by what was wanted
  std::map<std::vector<std::int64_t>, std::string> whole_;
};

}  // namespace capstan
