#include "worker/onnx/net.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "worker/onnx/graph.h"
#include "worker/onnx/op_forms.h"

namespace capstan {
namespace {

// Two examples, so that a row for all of them is told from a row each.
constexpr std::uint32_t kExamples = 2;

// Examples without keys, whose numbers are 0: the operations are the same for all.
BatchData empty_examples(const ModelTables& tables) {
  BatchData batch;
  batch.size = kExamples;
  batch.fields.resize(tables.num_fields());
  for (BatchData::Field& field : batch.fields) field.offsets.assign(kExamples + 1, 0);
  batch.num_dense = tables.num_dense_fields();
  batch.dense.assign(std::size_t{kExamples} * batch.num_dense, 0.0F);
  return batch;
}

bool same(const EmbeddingInput& a, const EmbeddingInput& b) {
  return a.table == b.table && a.field == b.field && a.pooling == b.pooling && a.length == b.length;
}

class NetWriter {
 public:
  NetWriter(const std::string& name, const ModelTables& tables)
      : tables_(tables), graph_(name, {kScoreOutput, kProbabilityOutput}) {}

  Result<OnnxNet> write(const Model& model, std::span<const ConstMatrix> rows, bool probability) {
    BatchData data = empty_examples(tables_);
    const MicroBatch batch = data.view();
    tape_.start(rows, Tape::Mode::kPredict);
    tape_.trace_to(trace_);
    const Var last = model.forward(tape_, batch);
    CAPSTAN_TRY(add_inputs(batch));
    for (std::uint32_t id = 0; id < trace_.size(); ++id) {
      CAPSTAN_ASSIGN(std::string value, write(Var{id}));
      names_.push_back(std::move(value));
    }
    graph_.output(kScoreOutput, "Identity", names_[last.id], 1);
    if (probability) graph_.output(kProbabilityOutput, "Sigmoid", kScoreOutput, 1);
    CAPSTAN_ASSIGN(net_.bytes, graph_.serialize());
    return std::move(net_);
  }

 private:
  // What comes from outside, before any node: a node may have to ask an input for the number of rows. In the
  // order of features and tables, because compilers differ in the order in which a model calls operations.
  Status add_inputs(const MicroBatch& batch) {
    std::vector<EmbeddingInput> pooled;
    std::uint32_t num_numbers = 0;
    for (std::uint32_t id = 0; id < trace_.size(); ++id) {
      pooled.insert(pooled.end(), trace_[id].pooled.begin(), trace_[id].pooled.end());
      const ConstMatrix value = tape_.value({id});
      if (trace_[id].op != kConstantLeaf || value.cols == 0) continue;
      if (value.data != batch.dense.data) {
        return make_error(ErrorCode::kInvalid,
                          "the net has numbers that are neither the example's nor a table's");
      }
      num_numbers = value.cols;
    }
    std::stable_sort(pooled.begin(), pooled.end(), [](const EmbeddingInput& a, const EmbeddingInput& b) {
      return std::pair(a.field, a.table) < std::pair(b.field, b.table);
    });
    for (const EmbeddingInput& input : pooled) add_pooled(input);
    if (num_numbers > 0) numbers_ = add_input("numbers", num_numbers, std::nullopt);
    if (net_.inputs.empty()) return make_error(ErrorCode::kInvalid, "the net reads nothing of an example");
    return ok_status();
  }

  // Named after the feature and the table's part in the model: "user", "user_linear".
  void add_pooled(const EmbeddingInput& input) {
    if (find(input) != nullptr) return;
    const FieldInfo& field = tables_.field(input.field);
    const std::string& table = tables_.all()[input.table].spec.name;
    const std::uint32_t entries = input.pooling == Pooling::kNone ? input.length : 1;
    add_input(field.name + table.substr(field.table.size()), tables_.dim(input.table) * entries, input);
  }

  std::string add_input(const std::string& wanted, std::uint32_t width,
                        std::optional<EmbeddingInput> pooled) {
    net_.inputs.push_back({graph_.input(wanted, width), width, pooled});
    return net_.inputs.back().name;
  }

  const NetInput* find(const EmbeddingInput& input) const {
    const auto found = std::find_if(net_.inputs.begin(), net_.inputs.end(), [&](const NetInput& known) {
      return known.pooled && same(*known.pooled, input);
    });
    return found == net_.inputs.end() ? nullptr : &*found;
  }

  // The name of the value in the graph; empty for one without columns, and for a table, which each operation
  // takes in as it likes.
  Result<std::string> write(Var var) {
    const TracedValue& traced = trace_[var.id];
    const std::uint32_t width = tape_.value(var).cols;
    if (width == 0 || traced.op == kParameterLeaf) return std::string();
    if (traced.op == kConstantLeaf) return numbers_;
    if (!traced.pooled.empty()) return pooled(traced);
    const auto forms = all_onnx_forms();
    const auto form =
        std::find_if(forms.begin(), forms.end(), [&](const OnnxForm& each) { return each.op == traced.op; });
    if (form == forms.end())
      return make_error(ErrorCode::kInvalid, fmt::format("operation {} has no ONNX form", traced.op));
    OnnxOp op{.graph = graph_,
              .label = traced.op,
              .number = traced.number,
              .width = width,
              .first_input = net_.inputs[0].name};
    for (const Var input : traced.inputs) op.inputs.push_back(input_of(input));
    if (form->of_table && op.inputs[1].table.empty()) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("operation {} has an ONNX form only with a table's rows", traced.op));
    }
    return form->write(op);
  }

  std::string pooled(const TracedValue& traced) {
    std::vector<std::string> parts;
    for (const EmbeddingInput& input : traced.pooled) parts.push_back(find(input)->name);
    return parts.size() == 1 ? parts[0]
                             : graph_.node(traced.op, "Concat", parts, {{"axis", std::int64_t{1}}});
  }

  OnnxOp::Input input_of(Var var) const {
    const TracedValue& traced = trace_[var.id];
    const bool table = traced.op == kParameterLeaf;
    return {names_[var.id], table ? tables_.all()[traced.table].spec.name : "", tape_.value(var)};
  }

  const ModelTables& tables_;
  OnnxGraph graph_;
  Tape tape_;
  Trace trace_;
  OnnxNet net_;
  std::string numbers_;             // the input of that name
  std::vector<std::string> names_;  // by Var::id
};

}  // namespace

Result<OnnxNet> write_net(const std::string& name, const Model& model, std::span<const ConstMatrix> rows,
                          bool probability) {
  return NetWriter(name, model.tables()).write(model, rows, probability).wrap("write the net as ONNX");
}

}  // namespace capstan
