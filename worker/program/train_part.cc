#include "worker/program/train_part.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "worker/data/permutation.h"
#include "worker/models/batch_builder.h"
#include "worker/program/example_writer.h"

namespace capstan {
namespace {

struct TrainData final : StepData {
  BatchData batch;
};

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
      slots_(data.train.size, job.train.batch_size, job.train.consistency != Consistency::kAsync),
      negatives_(negatives_of(job)),
      backprop_(model, loss_, job.train.micro_batch) {
  if (job.task == Task::kRanking)
    sampler_ = std::make_unique<NegativeSampler>(data, job.data.negatives, job.seed);
}

std::uint64_t TrainPart::num_batches(const WorkItem& item) const {
  return slots_.num_batches(item.partition, item.num_partitions);
}

Status TrainPart::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  const Permutation order(job_.seed, item.pass, data_.train.size);
  const PositionRange range = slots_.batch(batch, item.partition, item.num_partitions);
  BatchBuilder builder(model_.tables(), job_.cluster.num_shards);
  ExampleWriter writer(data_, data_.train, model_.tables(), builder);
  BatchData& out = builder.data();
  out.group = negatives_ + 1;
  out.num_dense = model_.tables().num_dense_fields();
  for (std::uint64_t position = range.begin; position < range.end; ++position) {
    const std::uint64_t row = order[position];
    if (job_.task == Task::kRanking) {
      add_ranking_example(row, item.pass, writer, out);
      continue;
    }
    writer.add(row, data_.train.users.empty() ? 0 : data_.train.user(row),
               data_.train.items.empty() ? 0 : data_.train.item(row));
    out.labels.push_back(data_.train.label(row));
    out.dropout_seeds.push_back(combine(job_.seed, item.pass, row));
  }
  if (out.size > 0) step.tables = builder.finish();
  auto data = std::make_unique<TrainData>();
  data->batch = std::move(out);
  step.data = std::move(data);
  return ok_status();
}

// The positive, then its negatives.
void TrainPart::add_ranking_example(std::uint64_t row, std::uint32_t pass, ExampleWriter& writer,
                                    BatchData& batch) const {
  const std::uint32_t user = data_.train.user(row);
  for (std::uint32_t draw = 0; draw <= negatives_; ++draw) {
    const std::uint32_t item = draw == 0 ? data_.train.item(row) : sampler_->draw(pass, row, draw - 1);
    writer.add(row, user, item);
    batch.labels.push_back(draw == 0 ? 1.0F : 0.0F);
    batch.dropout_seeds.push_back(combine(job_.seed, pass, row, draw));
    if (job_.model.loss == LossKind::kSampledSoftmax) {
      batch.log_q.push_back(static_cast<float>(sampler_->log_q(item)));
      batch.items.push_back(item);
    }
  }
}

// Gradients are means: over the step in sync, where all slots' sums meet, else over the batch.
float TrainPart::scale(const WorkItem& item, std::uint64_t batch, const BatchData& data) const {
  const std::uint64_t losses_each = loss_.per_group ? 1 : negatives_ + 1;
  const std::uint64_t positives = job_.train.consistency == Consistency::kSync
                                      ? slots_.step(batch, item.num_partitions).size()
                                      : data.size / (negatives_ + 1);
  return 1.0F / static_cast<float>(std::max<std::uint64_t>(1, positives * losses_each));
}

Status TrainPart::compute(const WorkItem& item, Step& step) {
  BatchData& batch = static_cast<TrainData&>(*step.data).batch;
  if (batch.size == 0) return ok_status();
  const auto trained = backprop_.train(batch.view(), step.tables, scale(item, step.batch, batch));
  if (!trained.ok()) {
    return trained.error().wrap(
        fmt::format("pass {} partition {} batch {}", item.pass, item.partition, step.batch));
  }
  step.loss_sum = trained->loss_sum;
  step.examples = trained->count;
  return ok_status();
}

}  // namespace capstan
