#include "worker/models/backprop.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "common/assert.h"
#include "common/gradient_check.h"
#include "common/parallel.h"
#include "worker/nn/ops/cross_scores.h"

namespace capstan {
namespace {

// The wire sorts a dense table's keys by shard; layers need them in order. REQUIRES: all keys of the table
// are there.
void to_key_order(std::span<const Key> keys, std::uint32_t dim, const float* wire, float* ordered) {
  for (std::size_t i = 0; i < keys.size(); ++i) std::copy_n(wire + i * dim, dim, ordered + keys[i] * dim);
}

void to_wire_order(std::span<const Key> keys, std::uint32_t dim, const float* ordered, float* wire) {
  for (std::size_t i = 0; i < keys.size(); ++i) std::copy_n(ordered + keys[i] * dim, dim, wire + i * dim);
}

}  // namespace

Backprop::Backprop(const Model& model, const Loss& loss, std::uint32_t micro_batch)
    : model_(model), loss_(loss), micro_batch_(std::max<std::uint32_t>(1, micro_batch)) {
  const std::size_t tables = model.tables().all().size();
  dense_rows_.resize(tables);
  dense_grads_.resize(tables);
}

void Backprop::split(const MicroBatch& batch, std::uint32_t micro_batch) {
  const std::uint32_t step = std::max(1U, micro_batch / batch.group) * batch.group;
  count_ = 0;
  for (std::uint32_t begin = 0; begin < batch.size;) {
    std::uint32_t end = std::min(begin + step, batch.size);
    while (end < batch.size && batch.shares(end)) ++end;
    if (count_ == parts_.size()) parts_.push_back(std::make_unique<Part>());
    Part& part = *parts_[count_++];
    part.batch = slice(batch, begin, end - begin, part.fields);
    begin = end;
  }
}

void Backprop::read(std::span<const StepTable> tables) {
  const auto& declared = model_.tables().all();
  rows_.clear();
  for (const ModelTable& table : declared) rows_.push_back({nullptr, 0, table.spec.dim});
  for (const StepTable& table : tables) {
    const TableSpec& spec = declared[table.table].spec;
    const auto keys = static_cast<std::uint32_t>(table.keys.size());
    CAPSTAN_ASSERT(table.rows.size() == table.keys.size() * spec.dim, "a step's table without its rows");
    ConstMatrix& rows = rows_[table.table];
    rows = {table.rows.data(), keys, spec.dim};
    if (!spec.dense) continue;
    CAPSTAN_ASSERT(keys == spec.num_rows, "a dense table is pulled whole");
    auto& ordered = dense_rows_[table.table];
    ordered.resize(table.rows.size());
    to_key_order(table.keys, spec.dim, table.rows.data(), ordered.data());
    rows.data = ordered.data();
  }
}

void Backprop::train_part(Part& part, float scale) const {
  Tape& tape = part.tape;
  tape.start(rows_, Tape::Mode::kTrain);
  const Var scores = loss_.in_batch ? cross_scores(tape, model_.user_vectors(tape, part.batch),
                                                   model_.item_vectors(tape, part.batch))
                                    : model_.forward(tape, part.batch);
  const ConstMatrix values = tape.value(scores);
  const Matrix gradient = tape.arena().matrix(values.rows, values.cols);
  part.loss = loss_.function(values, part.batch, scale, gradient);
  tape.backward(scores, gradient);
}

Result<Backprop::Trained> Backprop::train(const MicroBatch& batch, std::span<StepTable> tables, float scale) {
  const auto& declared = model_.tables().all();
  if (loss_.per_group && batch.group < 2) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("loss {} needs negatives beside each positive", loss_.name));
  }
  if (loss_.in_batch && model_.vector_size() == 0) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("model {} has no vectors, which an in-batch loss needs",
                                  model_.tables().job().model.type));
  }
  CAPSTAN_ASSERT(batch.size > 0, "a batch without examples");
  split(batch, loss_.in_batch ? batch.size : micro_batch_);  // each example's negatives are the whole batch
  read(tables);
  parallel_for(count_, [&](std::size_t i) { train_part(*parts_[i], scale); });

  Trained result;
  result.count = loss_.count(batch);
  std::vector<GradientCombiner::Part> parts;
  for (std::size_t i = 0; i < count_; ++i) {
    result.loss_sum += parts_[i]->loss;
    parts.push_back({&parts_[i]->tape, &parts_[i]->batch});
  }
  if (!std::isfinite(result.loss_sum)) {
    return make_error(ErrorCode::kInvalid, fmt::format("the loss of the batch is {}",
                                                       std::isnan(result.loss_sum) ? "nan" : "infinite"));
  }
  combiner_.combine(targets(tables, scale), parts);
  for (StepTable& table : tables) {
    const TableSpec& spec = declared[table.table].spec;
    if (spec.dense)
      to_wire_order(table.keys, spec.dim, dense_grads_[table.table].data(), table.gradients.data());
  }
  CAPSTAN_TRY(check_gradients(tables));
  return result;
}

std::vector<GradientTarget> Backprop::targets(std::span<StepTable> tables, float scale) {
  std::vector<GradientTarget> result;
  for (std::uint32_t t = 0; t < rows_.size(); ++t) {
    const auto& [spec, key_set] = model_.tables().all()[t];
    const float l2 = spec.optimizer.l2_mode == L2Mode::kPerExample ? spec.optimizer.l2 * scale : 0.0F;
    result.push_back({spec.dense, key_set, l2, rows_[t], {nullptr, rows_[t].rows, spec.dim}});
  }
  for (StepTable& table : tables) {
    table.gradients.resize(table.rows.size());
    dense_grads_[table.table].resize(result[table.table].dense ? table.rows.size() : 0);
    result[table.table].gradient.data =
        result[table.table].dense ? dense_grads_[table.table].data() : table.gradients.data();
  }
  return result;
}

Status Backprop::check_gradients(std::span<const StepTable> tables) const {
  for (const StepTable& table : tables) {
    const std::size_t bad = first_unusable(table.gradients);
    if (bad == table.gradients.size()) continue;
    const TableSpec& spec = model_.tables().all()[table.table].spec;
    const float value = table.gradients[bad];
    const std::string what = std::isfinite(value)
                                 ? fmt::format("{:g}, beyond the {:g} that a row takes", value, kMaxGradient)
                                 : "not finite";
    return make_error(ErrorCode::kInvalid, fmt::format("the gradient of table {}, key {} is {}", spec.name,
                                                       table.keys[bad / spec.dim], what));
  }
  return ok_status();
}

void Backprop::predict(const MicroBatch& batch, std::span<const StepTable> tables, const Forward& forward,
                       Matrix out) {
  CAPSTAN_ASSERT(out.rows == batch.size, "a row for every example");
  split(batch, micro_batch_);
  read(tables);
  std::vector<std::uint32_t> first(count_, 0);
  for (std::size_t i = 1; i < count_; ++i) first[i] = first[i - 1] + parts_[i - 1]->batch.size;
  parallel_for(count_, [&](std::size_t i) {
    Part& part = *parts_[i];
    part.tape.start(rows_, Tape::Mode::kPredict);
    const ConstMatrix values = part.tape.value(forward(part.tape, part.batch));
    CAPSTAN_ASSERT(values.cols == out.cols, "predict: width");
    std::copy_n(values.data, values.size(), out.row(first[i]));
  });
}

void Backprop::score(const MicroBatch& batch, std::span<const StepTable> tables, std::span<float> scores) {
  const auto forward = [this](Tape& tape, const MicroBatch& part) { return model_.forward(tape, part); };
  predict(batch, tables, forward, {scores.data(), static_cast<std::uint32_t>(scores.size()), 1});
}

void Backprop::user_vectors(const MicroBatch& batch, std::span<const StepTable> tables, Matrix out) {
  const auto forward = [this](Tape& tape, const MicroBatch& part) { return model_.user_vectors(tape, part); };
  predict(batch, tables, forward, out);
}

void Backprop::item_vectors(const MicroBatch& batch, std::span<const StepTable> tables, Matrix out) {
  const auto forward = [this](Tape& tape, const MicroBatch& part) { return model_.item_vectors(tape, part); };
  predict(batch, tables, forward, out);
}

}  // namespace capstan
