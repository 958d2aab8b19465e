// Every model of the registry as an ONNX file, judged by ONNX's own checker and shape inference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/defs/printer.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "tests/paths.h"
#include "worker/models/registry.h"
#include "worker/nn/ops/cross_scores.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/sum_blocks.h"
#include "worker/onnx/net.h"
#include "worker/onnx/versions.h"

namespace capstan {
namespace {

using testing::HasSubstr;

FieldInfo field(const std::string& name, FieldSource source, bool dense = false) {
  return {.name = name, .table = name, .source = source, .dense = dense};
}

std::vector<FieldInfo> user_item() {
  return {field("user", FieldSource::kUser), field("item", FieldSource::kItem)};
}

// With lists, numbers, and two features that share a table.
std::vector<FieldInfo> many_fields() {
  std::vector<FieldInfo> fields = user_item();
  FieldInfo seen = field("seen items", FieldSource::kUser);
  seen.table = "item";
  seen.list = true;
  seen.pooling = Pooling::kMean;
  fields.push_back(seen);
  fields.push_back(field("price", FieldSource::kItem, true));
  fields.push_back(field("age", FieldSource::kUser, true));
  return fields;
}

JobConfig job_of(const std::string& type) {
  JobConfig job;
  job.name = "made";
  job.model.type = type;
  job.model.embedding_dim = 3;
  job.model.hidden = {6, 4};
  return job;
}

// The net's own rows, each value different.
class Rows {
 public:
  explicit Rows(const ModelTables& tables) {
    for (const ModelTable& table : tables.all()) {
      values_.emplace_back(table.spec.dense ? table.spec.num_rows * table.spec.dim : 0);
      for (float& value : values_.back()) value = static_cast<float>(++count_) / 64.0F;
    }
    for (std::size_t t = 0; t < values_.size(); ++t) {
      const std::uint32_t dim = tables.all()[t].spec.dim;
      matrices.push_back({values_[t].data(), static_cast<std::uint32_t>(values_[t].size() / dim), dim});
    }
  }
  std::vector<ConstMatrix> matrices;

 private:
  std::vector<std::vector<float>> values_;
  int count_ = 0;
};

struct Written {
  std::vector<NetInput> inputs;
  onnx::ModelProto model;
};

Written write_and_parse(const Model& model, bool probability = true) {
  const Rows rows(model.tables());
  auto net = write_net("made", model, rows.matrices, probability);
  EXPECT_TRUE(net.ok()) << net.error().message;
  Written written;
  if (!net.ok()) return written;
  written.inputs = net->inputs;
  EXPECT_TRUE(written.model.ParseFromString(net->bytes));
  return written;
}

Written write_model(const JobConfig& job, const std::vector<FieldInfo>& fields, bool probability = true) {
  const auto model = make_model(job, fields);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return write_and_parse(**model, probability);
}

// "batch,3"
std::string shape_of(const onnx::ValueInfoProto& value) {
  std::string shape;
  for (const auto& dim : value.type().tensor_type().shape().dim()) {
    shape += (shape.empty() ? "" : ",") +
             (dim.has_dim_param() ? dim.dim_param() : std::to_string(dim.dim_value()));
  }
  return shape;
}

// What ONNX itself says of it: names defined once and before use, operators and attributes of the operator
// set, shapes that agree.
void expect_sound(const Written& written) {
  onnx::ModelProto model = written.model;
  ASSERT_NO_THROW(onnx::checker::check_model(model));
  onnx::ShapeInferenceOptions strict{true, 1, true};
  ASSERT_NO_THROW(onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), strict));
  const onnx::GraphProto& graph = model.graph();
  EXPECT_EQ(model.ir_version(), kOnnxIrVersion);
  ASSERT_EQ(model.opset_import_size(), 1);
  EXPECT_EQ(model.opset_import(0).version(), kOnnxOpset);
  ASSERT_EQ(static_cast<std::size_t>(graph.input_size()), written.inputs.size());
  for (int i = 0; i < graph.input_size(); ++i) {
    const NetInput& input = written.inputs[static_cast<std::size_t>(i)];
    EXPECT_EQ(graph.input(i).name(), input.name);
    EXPECT_EQ(shape_of(graph.input(i)), "batch," + std::to_string(input.width));
  }
  for (const auto& output : graph.output()) EXPECT_EQ(shape_of(output), "batch,1") << output.name();
  std::set<std::string> used, names;
  for (const auto& node : graph.node()) {
    EXPECT_TRUE(names.insert(node.name()).second) << node.name();
    used.insert(node.input().begin(), node.input().end());
  }
  for (const auto& input : graph.input()) EXPECT_TRUE(used.contains(input.name())) << input.name();
  for (const auto& tensor : graph.initializer()) EXPECT_TRUE(used.contains(tensor.name())) << tensor.name();
}

std::vector<std::string> names_of(const Written& written) {
  std::vector<std::string> names;
  for (const NetInput& input : written.inputs) names.push_back(input.name);
  return names;
}

struct Variant {
  std::string name;
  std::function<void(ModelConfig&)> settings;
};

const std::vector<Variant>& variants() {
  static const std::vector<Variant> kVariants = {
      {"plain", [](auto&) {}},
      {"layer norm and prelu", [](auto& m) { m.layer_norm = true, m.activation = Activation::kPrelu; }},
      {"gelu and dropout", [](auto& m) { m.activation = Activation::kGelu, m.dropout = 0.5; }},
      {"mixture of crosses", [](auto& m) { m.cross_rank = 2, m.cross_experts = 3; }},
      {"stacked, several heads", [](auto& m) { m.cross_structure = CrossStructure::kStacked, m.heads = 2; }},
      {"without gates, biases, GMF", [](auto& m) { m.use_gates = m.use_bias = m.use_gmf = false; }},
  };
  return kVariants;
}

TEST(OnnxNet, OfEveryModelIsSound) {
  for (const ModelEntry& entry : all_models()) {
    if (entry.type == "sequence") continue;  // see below
    for (const Variant& variant : variants()) {
      for (const auto& fields : {user_item(), many_fields()}) {
        SCOPED_TRACE(std::string(entry.type) + ", " + variant.name + ", fields " +
                     std::to_string(fields.size()));
        JobConfig job = job_of(std::string(entry.type));
        variant.settings(job.model);
        expect_sound(write_model(job, fields));
      }
    }
  }
}

// The net's inputs are vectors of pooled rows, which say nothing of an order.
TEST(OnnxNet, IsRefusedForSequences) {
  auto fields = user_item();
  fields.push_back({.name = "before", .table = "item", .source = FieldSource::kEvent, .list = true});
  const auto model = make_model(job_of("sequence"), fields);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Rows rows((*model)->tables());
  const auto net = write_net("net", **model, rows.matrices, false);
  ASSERT_FALSE(net.ok());
  EXPECT_THAT(net.error().message, HasSubstr("operation sequence_embedding has no ONNX form"));
}

TEST(OnnxNet, HasAnInputForEachFeatureOfEachTable) {
  const Written written = write_model(job_of("deepfm"), many_fields());
  EXPECT_THAT(names_of(written), testing::ElementsAre("user_linear", "user", "item_linear", "item",
                                                      "seen_items_linear", "seen_items", "numbers"));
  std::map<std::string, NetInput> inputs;
  for (const NetInput& input : written.inputs) inputs[input.name] = input;
  EXPECT_EQ(inputs["item"].pooled->table, inputs["seen_items"].pooled->table);
  EXPECT_EQ(inputs["seen_items"].pooled->field, 2U);
  EXPECT_EQ(inputs["seen_items"].pooled->pooling, Pooling::kMean);
  EXPECT_EQ(inputs["seen_items"].width, 3U);
  EXPECT_EQ(inputs["seen_items_linear"].width, 1U);
  EXPECT_EQ(inputs["numbers"].width, 2U);
  EXPECT_FALSE(inputs["numbers"].pooled);
}

TEST(OnnxNet, LaysListsSideBySide) {
  std::vector<FieldInfo> fields = many_fields();
  fields[2].pooling = Pooling::kNone;
  fields[2].length = 4;
  const Written written = write_model(job_of("mlp"), fields);
  expect_sound(written);
  EXPECT_EQ(written.inputs[2].width, 12U);
  EXPECT_EQ(written.inputs[2].pooled->length, 4U);
}

TEST(OnnxNet, GivesNamesOnce) {
  std::vector<FieldInfo> fields = user_item();
  for (const char* name : {"score", "numbers", "a b", "a_b", "7days"})
    fields.push_back(field(name, FieldSource::kEvent));
  fields.push_back(field("price", FieldSource::kEvent, true));
  const Written written = write_model(job_of("mlp"), fields);
  expect_sound(written);
  EXPECT_THAT(names_of(written), testing::ElementsAre("user", "item", "score_2", "numbers", "a_b", "a_b_2",
                                                      "_7days", "numbers_2"));
}

TEST(OnnxNet, GivesAProbabilityWhereThatIsThePrediction) {
  const auto outputs = [](bool probability) {
    const Written written = write_model(job_of("lr"), user_item(), probability);
    std::vector<std::string> names;
    for (const auto& output : written.model.graph().output()) names.push_back(output.name());
    return names;
  };
  EXPECT_THAT(outputs(true), testing::ElementsAre("score", "probability"));
  EXPECT_THAT(outputs(false), testing::ElementsAre("score"));
}

TEST(OnnxNet, HoldsTheLayersAsTheyAre) {
  JobConfig job = job_of("mlp");
  const auto model = make_model(job, user_item());
  ASSERT_TRUE(model.ok());
  const ModelTables& tables = (*model)->tables();
  const Rows rows(tables);
  const Written written = write_and_parse(**model);
  std::map<std::string, std::vector<float>> held;
  for (const auto& tensor : written.model.graph().initializer()) {
    std::vector<float>& values = held[tensor.name()];
    values.resize(tensor.raw_data().size() / sizeof(float));
    std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  }
  std::size_t layers = 0;
  for (std::size_t t = 0; t < tables.all().size(); ++t) {
    const TableSpec& spec = tables.all()[t].spec;
    if (!spec.dense) continue;
    std::vector<float> both = held[spec.name + "_weights"];
    const std::vector<float>& bias = held[spec.name + "_bias"];
    both.insert(both.end(), bias.begin(), bias.end());
    const auto values = rows.matrices[t].values();
    EXPECT_EQ(both, std::vector<float>(values.begin(), values.end())) << spec.name;
    ++layers;
  }
  EXPECT_EQ(layers, 3U);
}

// tests/worker/onnx/golden/NAME.txt: the graph as ONNX prints it, without the constants.
TEST(OnnxNet, OfDeepFmIsAsRecorded) {
  JobConfig job = job_of("deepfm");
  job.model.layer_norm = true;
  onnx::GraphProto graph = write_model(job, many_fields()).model.graph();
  graph.clear_initializer();
  std::ostringstream text;
  text << graph;
  std::ifstream file(source_dir() / "tests/worker/onnx/golden/deepfm.txt");
  const std::string golden((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(text.str(), golden);
}

// What a model may do that has no place in an exported net.
class OddModel final : public Model {
 public:
  using Forward = std::function<Var(Tape&, const MicroBatch&, const std::vector<EmbeddingInput>&)>;
  explicit OddModel(Forward forward) : tables_(JobConfig(), user_item()), forward_(std::move(forward)) {
    inputs_ = {{tables_.embedding(0, ""), 0}, {tables_.embedding(1, ""), 1}};
  }
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override { return forward_(tape, batch, inputs_); }

 private:
  ModelTables tables_;
  Forward forward_;
  std::vector<EmbeddingInput> inputs_;
};

std::string refusal(OddModel::Forward forward) {
  const OddModel model(std::move(forward));
  const Rows rows(model.tables());
  const auto net = write_net("odd", model, rows.matrices, false);
  EXPECT_FALSE(net.ok());
  return net.ok() ? "" : net.error().message;
}

using Inputs = std::vector<EmbeddingInput>;

TEST(OnnxNet, NamesTheOperationThatHasNoForm) {
  EXPECT_THAT(refusal([](Tape& tape, const MicroBatch& batch, const Inputs& inputs) {
                const Var x = embedding(tape, batch, inputs);
                return sum_blocks(tape, cross_scores(tape, x, x), 1);
              }),
              HasSubstr("operation cross_scores has no ONNX form"));
}

TEST(OnnxNet, RefusesALayerThatIsNoTable) {
  EXPECT_THAT(refusal([](Tape& tape, const MicroBatch& batch, const Inputs& inputs) {
                const Var x = sum_blocks(tape, embedding(tape, batch, inputs), 1);
                return dense(tape, x, embedding(tape, batch, std::span(inputs).first(1)));
              }),
              HasSubstr("operation dense has an ONNX form only with a table's rows"));
}

TEST(OnnxNet, RefusesNumbersOfUnknownOrigin) {
  static const std::vector<float> kOnes(2, 1.0F);
  EXPECT_THAT(refusal([](Tape& tape, const MicroBatch&, const Inputs&) {
                return tape.constant({kOnes.data(), 2, 1});
              }),
              HasSubstr("neither the example's nor a table's"));
}

TEST(OnnxNet, RefusesANetThatReadsNothing) {
  EXPECT_THAT(refusal([](Tape& tape, const MicroBatch&, const Inputs&) {
                return tape.constant({nullptr, 2, 0});
              }),
              HasSubstr("reads nothing"));
}

}  // namespace
}  // namespace capstan
