#include "worker/program/train_part.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <utility>

#include "worker/data/permutation.h"
#include "worker/loss/ultragcn.h"
#include "worker/models/batch_builder.h"
#include "worker/program/example_writer.h"

namespace capstan {
namespace {

struct TrainData final : StepData {
  BatchData batch;
};

std::uint64_t examples_of(const JobConfig& job, const Dataset& data) {
  return data.train.size + (job.train.include_valid ? data.valid.size : 0);
}

std::optional<TrainingSequences> sequences_of(const JobConfig& job, const Dataset& data, const Model& model) {
  const auto& fields = model.tables().sequence();
  if (!fields) return std::nullopt;
  return TrainingSequences(data, fields->list, job.model.max_length, job.train.include_valid);
}

std::uint32_t negatives_of(const JobConfig& job) {
  const bool drawn = job.task == Task::kRanking && job.data.negatives.sampler != Sampler::kInBatch;
  return drawn ? job.data.negatives.per_positive : 0;
}

}  // namespace

TrainPart::TrainPart(const JobConfig& job, const Dataset& data, const Model& model)
    : job_(job),
      data_(data),
      model_(model),
      loss_(loss_of(job)),
      sequences_(sequences_of(job, data, model)),
      slots_(units(), job.train.batch_size, job.train.consistency != Consistency::kAsync),
      negatives_(negatives_of(job)),
      backprop_(model, loss_, job.train.micro_batch) {
  if (job.task == Task::kRanking) {
    sampler_ = std::make_unique<NegativeSampler>(data, job.data.negatives, job.seed, job.train.include_valid);
  }
}

std::uint64_t TrainPart::num_batches(const WorkItem& item) const {
  return slots_.num_batches(item.partition, item.num_partitions);
}

Status TrainPart::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  const Permutation order(job_.seed, item.pass, units());
  const PositionRange range = slots_.batch(batch, item.partition, item.num_partitions);
  BatchBuilder builder(model_.tables(), job_.cluster.num_shards);
  ExampleWriter train_writer(data_, data_.train, model_.tables(), builder);
  ExampleWriter valid_writer(data_, data_.valid, model_.tables(), builder);
  BatchData& out = builder.data();
  out.group = negatives_ + 1;
  out.num_dense = model_.tables().num_dense_fields();
  for (std::uint64_t position = range.begin; position < range.end; ++position) {
    if (sequences_) {
      add_sequence(order[position], item.pass, train_writer, valid_writer, out);
      continue;
    }
    const Example example = example_at(order[position]);
    ExampleWriter& writer = &example.rows == &data_.train ? train_writer : valid_writer;
    if (job_.task == Task::kRanking) {
      add_ranking(example, item.pass, std::nullopt, writer, out);
    } else {
      add_pointwise(example, item.pass, writer, out);
    }
  }
  if (out.size > 0) step.tables = builder.finish();
  auto data = std::make_unique<TrainData>();
  data->batch = std::move(out);
  step.data = std::move(data);
  return ok_status();
}

TrainPart::Example TrainPart::example_at(std::uint64_t id) const {
  if (id < data_.train.size) return {data_.train, id, id};
  return {data_.valid, id - data_.train.size, id};
}

std::uint64_t TrainPart::units() const {
  return sequences_ ? sequences_->size() : examples_of(job_, data_);
}

std::uint64_t TrainPart::examples_in(const PositionRange& range, std::uint32_t pass) const {
  if (!sequences_) return range.size();
  const Permutation order(job_.seed, pass, units());
  std::uint64_t examples = 0;
  for (std::uint64_t at = range.begin; at < range.end; ++at)
    examples += sequences_->targets(order[at]).size();
  return examples;
}

void TrainPart::add_sequence(std::uint64_t sequence, std::uint32_t pass, ExampleWriter& train,
                             ExampleWriter& valid, BatchData& batch) const {
  train.begin_sequence(sequences_->keys(sequence));
  for (const auto& [id, length] : sequences_->targets(sequence)) {
    const Example example = example_at(id);
    add_ranking(example, pass, length, &example.rows == &data_.train ? train : valid, batch);
  }
}

// The positive, then its negatives.
void TrainPart::add_ranking(const Example& example, std::uint32_t pass, Past past, ExampleWriter& writer,
                            BatchData& batch) const {
  const std::uint32_t user = example.rows.user(example.row);
  for (std::uint32_t draw = 0; draw <= negatives_; ++draw) {
    const std::uint32_t item =
        draw == 0 ? example.rows.item(example.row) : sampler_->draw_for(user, pass, example.id, draw - 1);
    if (past) {
      writer.add_to_sequence(example.row, user, item, *past);
    } else {
      writer.add(example.row, user, item);
    }
    batch.labels.push_back(draw == 0 ? 1.0F : 0.0F);
    batch.dropout_seeds.push_back(combine(job_.seed, pass, example.id, draw));
    if (job_.model.loss == LossKind::kSampledSoftmax) {
      batch.log_q.push_back(static_cast<float>(sampler_->log_q(item)));
      batch.items.push_back(item);
    }
    if (job_.model.loss == LossKind::kUltraGcn) add_pair_weights(user, item, batch);
  }
}

void TrainPart::add_pair_weights(std::uint32_t user, std::uint32_t item, BatchData& batch) const {
  const PairWeights weights =
      ultragcn_weights({.user = static_cast<double>(data_.train_items.of(user).size()),
                        .item = static_cast<double>(data_.item_counts.as<std::uint32_t>()[item])},
                       std::exp(sampler_->log_q(item)) * data_.num_items, job_.model.negative_weight);
  batch.items.push_back(item);
  batch.user_weights.push_back(weights.user);
  batch.item_weights.push_back(weights.item);
  batch.negative_weights.push_back(weights.negative);
}

void TrainPart::add_pointwise(const Example& example, std::uint32_t pass, ExampleWriter& writer,
                              BatchData& batch) const {
  const Examples& rows = example.rows;
  writer.add(example.row, rows.users.empty() ? 0 : rows.user(example.row),
             rows.items.empty() ? 0 : rows.item(example.row));
  batch.labels.push_back(rows.label(example.row));
  batch.dropout_seeds.push_back(combine(job_.seed, pass, example.id));
}

// Gradients are means: over the step in sync, where all slots' sums meet, else over the batch.
float TrainPart::scale(const WorkItem& item, std::uint64_t batch, const BatchData& data) const {
  const std::uint64_t losses_each = loss_.per_group ? 1 : negatives_ + 1;
  const std::uint64_t positives = job_.train.consistency == Consistency::kSync
                                      ? examples_in(slots_.step(batch, item.num_partitions), item.pass)
                                      : data.size / (negatives_ + 1);
  return 1.0F / static_cast<float>(std::max<std::uint64_t>(1, positives * losses_each));
}

Status TrainPart::compute(const WorkItem& item, Step& step) {
  BatchData& batch = static_cast<TrainData&>(*step.data).batch;
  if (batch.size == 0) return ok_status();
  const auto trained = backprop_.train(batch.view(), step.tables, scale(item, step.batch, batch));
  if (!trained.ok()) {
    return trained.error().wrap(
        fmt::format("pass {} partition {} batch {}", item.pass + 1, item.partition, step.batch));
  }
  step.loss_sum = trained->loss_sum;
  step.examples = trained->count;
  return ok_status();
}

}  // namespace capstan
