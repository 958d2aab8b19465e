#include "worker/onnx/graph.h"

#include <bit>
#include <cctype>
#include <climits>

#include "worker/onnx/versions.h"

namespace capstan {
namespace {

static_assert(std::endian::native == std::endian::little, "ONNX's raw data are little-endian");

// Floats with a free number of rows.
void set_type(onnx::ValueInfoProto& value, const std::string& name, std::uint32_t width) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  tensor.mutable_shape()->add_dim()->set_dim_value(width);
}

template <typename T>
void set_data(onnx::TensorProto& tensor, std::span<const T> values) {
  tensor.set_raw_data(values.data(), values.size_bytes());
}

}  // namespace

OnnxGraph::OnnxGraph(const std::string& name, const std::vector<std::string>& outputs)
    : graph_(*model_.mutable_graph()), taken_(outputs.begin(), outputs.end()) {
  model_.set_ir_version(kOnnxIrVersion);
  model_.set_producer_name("capstan");
  model_.add_opset_import()->set_version(kOnnxOpset);
  graph_.set_name(name);
}

std::string OnnxGraph::unique(std::string_view wanted) {
  std::string base;
  for (const char c : wanted) base += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (base.empty() || std::isdigit(static_cast<unsigned char>(base[0])) != 0) base.insert(0, 1, '_');
  std::string name = base;
  for (int number = 2; !taken_.insert(name).second; ++number) name = base + "_" + std::to_string(number);
  return name;
}

std::string OnnxGraph::input(std::string_view wanted, std::uint32_t width) {
  std::string name = unique(wanted);
  set_type(*graph_.add_input(), name, width);
  return name;
}

void OnnxGraph::output(const std::string& name, const char* type, const std::string& input,
                       std::uint32_t width) {
  add_node(name, type, {input});
  set_type(*graph_.add_output(), name, width);
}

std::string OnnxGraph::weights(const std::string& wanted, ConstMatrix values) {
  return weights(wanted, values, {values.rows, values.cols});
}

std::string OnnxGraph::weights(const std::string& wanted, ConstMatrix values,
                               const std::vector<std::int64_t>& shape) {
  std::string& name = weights_[wanted];
  if (!name.empty()) return name;
  name = unique(wanted);
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : shape) tensor.add_dims(size);
  set_data(tensor, values.values());
  return name;
}

std::string OnnxGraph::whole_numbers(const std::vector<std::int64_t>& values) {
  std::string& name = whole_[values];
  if (!name.empty()) return name;
  name = unique("sizes");
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  set_data(tensor, std::span(values));
  return name;
}

onnx::NodeProto& OnnxGraph::add_node(const std::string& name, const char* type,
                                     const std::vector<std::string>& inputs) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_name(name);
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(name);
  return node;
}

std::string OnnxGraph::node(std::string_view label, const char* type, const std::vector<std::string>& inputs,
                            const std::vector<OnnxAttribute>& attributes) {
  std::string name = unique(label);
  onnx::NodeProto& node = add_node(name, type, inputs);
  for (const OnnxAttribute& each : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(std::string(each.name));
    if (const auto* one = std::get_if<std::int64_t>(&each.value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*one);
      continue;
    }
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : std::get<std::vector<std::int64_t>>(each.value))
      attribute.add_ints(value);
  }
  return name;
}

Result<std::string> OnnxGraph::serialize() const {
  if (model_.ByteSizeLong() > INT_MAX) {
    return make_error(ErrorCode::kInvalid,
                      "the net's layers are more than the 2 GiB that an ONNX file holds");
  }
  return model_.SerializeAsString();
}

}  // namespace capstan
