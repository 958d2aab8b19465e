#include "worker/program/judge_part.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "worker/loss/stable.h"
#include "worker/models/batch_builder.h"
#include "worker/program/example_writer.h"

namespace capstan {
namespace {

constexpr std::uint64_t kRowsEach = 8192;

struct JudgeData final : StepData {
  BatchData batch;
};

}  // namespace

JudgePart::JudgePart(const JobConfig& job, const Dataset& data, const Examples& rows, const Model& model)
    : job_(job),
      data_(data),
      rows_(rows),
      model_(model),
      loss_(loss_of(job)),
      backprop_(model, loss_, std::max(1024U, job.train.micro_batch)) {}

JudgePart::Rows JudgePart::rows_of(const WorkItem& item) const {
  return {rows_.size * item.partition / item.num_partitions,
          rows_.size * (item.partition + 1) / item.num_partitions};
}

JudgePart::Rows JudgePart::rows_of(const WorkItem& item, std::uint64_t batch) const {
  const Rows all = rows_of(item);
  const std::uint64_t begin = std::min(all.end, all.begin + batch * kRowsEach);
  return {begin, std::min(all.end, begin + kRowsEach)};
}

std::uint64_t JudgePart::num_batches(const WorkItem& item) const {
  const Rows all = rows_of(item);
  return (all.end - all.begin + kRowsEach - 1) / kRowsEach;
}

Status JudgePart::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  const Rows range = rows_of(item, batch);
  BatchBuilder builder(model_.tables(), job_.cluster.num_shards);
  ExampleWriter writer(data_, rows_, model_.tables(), builder);
  builder.data().num_dense = model_.tables().num_dense_fields();
  for (std::uint64_t row = range.begin; row < range.end; ++row) {
    writer.add(row, rows_.users.empty() ? 0 : rows_.user(row), rows_.items.empty() ? 0 : rows_.item(row));
  }
  step.tables = builder.finish();
  auto data = std::make_unique<JudgeData>();
  data->batch = std::move(builder.data());
  step.data = std::move(data);
  return ok_status();
}

Status JudgePart::compute(const WorkItem& item, Step& step) {
  const Rows range = rows_of(item, step.batch);
  BatchData& batch = static_cast<JudgeData&>(*step.data).batch;
  std::vector<float> scores(batch.size);
  backprop_.score(batch.view(), step.tables, scores);
  if (loss_.probability) {
    for (float& score : scores) score = static_cast<float>(sigmoid(score));
  }
  if (step.batch == 0) running_[item.partition] = PointwisePart();
  step.examples = batch.size;
  const std::uint64_t count = range.end - range.begin;
  const auto labels = rows_.labels.as<float>().subspan(range.begin, count);
  const auto users = rows_.users.empty() ? std::span<const std::uint32_t>()
                                         : rows_.users.as<std::uint32_t>().subspan(range.begin, count);
  return running_[item.partition].add(scores, labels, users, range.begin);
}

Result<Buffer> JudgePart::finish(const WorkItem& item) {
  const PointwisePart part = std::exchange(running_[item.partition], {});
  return encode(part);
}

}  // namespace capstan
