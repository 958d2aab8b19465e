// The tape's operations as nodes of an ONNX graph: one explicit list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "worker/nn/tape.h"
#include "worker/onnx/graph.h"

namespace capstan {

// One operation of a trace, and the graph that its nodes go to.
struct OnnxOp {
  struct Input {
    std::string name;   // its value in the graph; empty: it has no columns, or is a table (see table())
    std::string table;  // a parameter: the table's name
    ConstMatrix value;  // as the tape has it: its shape; of a table also its numbers
  };
  OnnxGraph& graph;
  std::string_view label;   // what the nodes are named after
  double number = 0.0;      // see Tape::make()
  std::uint32_t width = 0;  // of the result
  std::vector<Input> inputs = {};
  std::string_view first_input = {};  // of the graph: it has the batch's number of rows

  // The value of an input, be it a table's rows.
  std::string in(std::size_t i) const;
  std::uint32_t cols(std::size_t i) const { return inputs[i].value.cols; }
  std::string node(const char* type, const std::vector<std::string>& in,
                   const std::vector<OnnxAttribute>& attributes = {}) const {
    return graph.node(label, type, in, attributes);
  }
};

struct OnnxForm {
  std::string_view op;                  // as Tape::make() is told
  std::string (*write)(const OnnxOp&);  // gives the name of the result
  bool of_table = false;                // the second input is a table
};

// Without dropout, which is of training alone, and cross_scores, which mixes the examples of a batch.
std::span<const OnnxForm> all_onnx_forms();

}  // namespace capstan
