// Tape: records the operations of one forward pass and runs their hand-written backward steps in reverse.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/config/job_config.h"
#include "worker/nn/matrix.h"
#include "worker/nn/trace.h"

namespace capstan {

// What an embedding operation leaves for combine(): the gradient of columns [column, column + dim) of its
// output, where the pooled rows of `table` for `field` stand; or, with `sequence`, those rows one by one.
struct EmbeddingGradient {
  std::uint32_t table = 0;
  std::uint32_t field = 0;
  Pooling pooling = Pooling::kSum;
  std::uint32_t column = 0;
  std::uint32_t length = 0;               // kNone: entries side by side
  std::span<const std::uint32_t> winner;  // kMax: [n, dim], the entry that gave each value
  ConstMatrix output;                     // gradient of the whole output [n, cols]
  bool sequence = false;
  std::span<const std::uint32_t> entries = {};  // sequence: the field's entry that each row stands for
};

// One thread at a time. Values live until the next start().
class Tape {
 public:
  enum class Mode { kTrain, kPredict };
  struct Output {
    Var var;
    Matrix value;
  };

  // tables: the pulled rows of each of the model's tables [keys, dim], those of dense layers in key order.
  void start(std::span<const ConstMatrix> tables, Mode mode);
  bool training() const { return mode_ == Mode::kTrain; }
  // Writes down where every value of this pass comes from. REQUIRES: nothing was computed since start(); the
  // trace outlives the pass.
  void trace_to(Trace& trace);

  // Leaves.
  Var constant(ConstMatrix value);     // must outlive the pass
  Var variable(ConstMatrix value);     // the same, with a gradient
  Var parameter(std::uint32_t table);  // a dense table's rows; the same Var each time

  // For operations. backward is a trivially copyable callable; it is kept only when `out` needs a gradient,
  // and adds to the gradients of those inputs that need one.
  ConstMatrix value(Var var) const { return nodes_[var.id].value; }
  bool needs_gradient(Var var) const { return nodes_[var.id].gradient.data != nullptr; }
  Matrix gradient(Var var) const { return nodes_[var.id].gradient; }
  // The result of operation `op`, not initialised; it needs a gradient when an input does. number: what the
  // operation is told beside its inputs (a dim, a factor), so that a trace says all that it does.
  Output make(std::string_view op, std::span<const Var> inputs, std::uint32_t rows, std::uint32_t cols,
              double number = 0.0);
  Output make(std::string_view op, std::initializer_list<Var> inputs, std::uint32_t rows, std::uint32_t cols,
              double number = 0.0) {
    return make(op, std::span(inputs.begin(), inputs.size()), rows, cols, number);
  }
  Output make_embedding(std::span<const EmbeddingInput> inputs, std::uint32_t rows, std::uint32_t cols);
  Output make_sequence(std::uint32_t rows, std::uint32_t cols);  // of a list's rows one by one
  template <typename Backward>
  void on_backward(Var out, Backward backward) {
    static_assert(std::is_trivially_copyable_v<Backward>);
    if (!needs_gradient(out)) return;
    const auto copy = arena_.copy(std::span<const Backward>(&backward, 1));
    steps_.push_back({[](const void* closure) { (*static_cast<const Backward*>(closure))(); }, copy.data()});
  }
  ConstMatrix table(std::uint32_t table) const { return tables_[table]; }
  void leave(const EmbeddingGradient& gradient) { embeddings_.push_back(gradient); }
  Arena& arena() { return arena_; }

  // REQUIRES: mode kTrain, gradient has the shape of `last`.
  void backward(Var last, ConstMatrix gradient);

  // After backward().
  std::span<const EmbeddingGradient> embedding_gradients() const { return embeddings_; }
  ConstMatrix table_gradient(std::uint32_t table) const;  // of a dense table; empty when it was not used

 private:
  struct Node {
    ConstMatrix value;
    Matrix gradient;  // data is null: needs none
  };
  struct Step {
    void (*run)(const void* closure);
    const void* closure;
  };
  Var add(ConstMatrix value, bool needs_gradient, std::string_view op, std::span<const Var> inputs = {});

  Mode mode_ = Mode::kPredict;
  Trace* trace_ = nullptr;  // none: nobody asked
  Arena arena_;
  std::vector<ConstMatrix> tables_;
  std::vector<Node> nodes_;
  std::vector<Step> steps_;
  std::vector<std::uint32_t> parameters_;  // per table: node + 1, or 0
  std::vector<EmbeddingGradient> embeddings_;
};

}  // namespace capstan
