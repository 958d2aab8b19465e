// Backprop: runs a model over a batch, micro-batches in parallel, and turns it into gradients, scores or
// vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/result.h"
#include "worker/loss/loss.h"
#include "worker/models/model.h"
#include "worker/nn/gradients.h"
#include "worker/train/step_program.h"

namespace capstan {

// Results are the same to the bit on any number of threads of the caller's TBB arena; they depend on
// `micro_batch`, the examples of one task (rounded to whole groups and sequences; of a loss with in-batch
// negatives always the whole batch, which is their pool). Keeps its memory from step to step; one call at a
// time.
class Backprop {
 public:
  struct Trained {
    double loss_sum = 0.0;
    std::uint64_t count = 0;  // of losses summed: examples, or groups where the loss is one a group
  };

  Backprop(const Model& model, const Loss& loss, std::uint32_t micro_batch);

  // Reads keys and rows of each table, writes its gradients: of scale · Σ loss, and of L2 charged per
  // example. A sparse table that no example names may be left out. REQUIRES: batch not empty. kInvalid when
  // the loss is not finite or a gradient unusable (gradient_check.h), for an in-batch loss with a model
  // without vectors, and for a loss over groups without negatives.
  Result<Trained> train(const MicroBatch& batch, std::span<StepTable> tables, float scale);

  // scores [n]. Of the tables only those that the model reads need to be there, in any order.
  void score(const MicroBatch& batch, std::span<const StepTable> tables, std::span<float> scores);

  // [n, model.vector_size()] and [n, model.item_vector_size()]. REQUIRES: the size is above 0.
  void user_vectors(const MicroBatch& batch, std::span<const StepTable> tables, Matrix out);
  void item_vectors(const MicroBatch& batch, std::span<const StepTable> tables, Matrix out);

 private:
  struct Part {
    Tape tape;
    std::vector<FieldEntries> fields;
    MicroBatch batch;
    double loss = 0.0;
  };
  using Forward = std::function<Var(Tape&, const MicroBatch&)>;

  void split(const MicroBatch& batch, std::uint32_t micro_batch);
  void read(std::span<const StepTable> tables);
  void predict(const MicroBatch& batch, std::span<const StepTable> tables, const Forward& forward,
               Matrix out);
  void train_part(Part& part, float scale) const;
  std::vector<GradientTarget> targets(std::span<StepTable> tables, float scale);
  Status check_gradients(std::span<const StepTable> tables) const;

  const Model& model_;
  const Loss& loss_;
  std::uint32_t micro_batch_;
  std::vector<std::unique_ptr<Part>> parts_;  // kept; the first count_ are in use
  std::size_t count_ = 0;
  std::vector<ConstMatrix> rows_;               // by table; dense ones in key order
  std::vector<std::vector<float>> dense_rows_;  // by table, where the wire's order differs
  std::vector<std::vector<float>> dense_grads_;
  GradientCombiner combiner_;
};

}  // namespace capstan
