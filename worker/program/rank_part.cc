#include "worker/program/rank_part.h"

#include <utility>

namespace capstan {
namespace {

constexpr std::size_t kUsersSampled = 256;

}  // namespace

Result<RankingOptions> ranking_options(const JobConfig& job, EvalSplit split) {
  RankingOptions options;
  options.judged = {split, job.evaluate.sampled_negatives, job.seed, job.data.positive_from};
  if (split == EvalSplit::kTest && job.train.include_valid) options.trained_on = History::kTrainValid;
  CAPSTAN_ASSIGN(options.metrics, metrics_of(job.evaluate, Task::kRanking));
  return options;
}

Result<std::unique_ptr<RankPart>> RankPart::create(const JobConfig& job, const Dataset& data,
                                                   const Model& model, EvalSplit split) {
  CAPSTAN_ASSIGN(const RankingOptions options, ranking_options(job, split));
  CAPSTAN_ASSIGN(RankingEvaluator evaluator, RankingEvaluator::create(data, options));
  const Examples& rows = split == EvalSplit::kTest ? data.test : data.valid;
  return std::unique_ptr<RankPart>(new RankPart(job, data, model, options, rows, std::move(evaluator)));
}

RankPart::RankPart(const JobConfig& job, const Dataset& data, const Model& model,
                   const RankingOptions& options, const Examples& rows, RankingEvaluator evaluator)
    : data_(data),
      options_(options),
      sampled_(options.judged.sampled(data)),
      scorer_(job, data, rows, model),
      asked_(std::move(evaluator)) {}

std::span<const std::uint32_t> RankPart::users_of(const WorkItem& item, std::uint64_t batch) const {
  const auto mine = partition_of(asked_.users(), item.partition, item.num_partitions);
  const std::size_t each = sampled_ ? kUsersSampled : scorer_.users_each();
  const std::size_t first = std::min(mine.size(), batch * each);
  return mine.subspan(first, std::min(each, mine.size() - first));
}

std::uint64_t RankPart::num_batches(const WorkItem& item) const {
  const auto mine = partition_of(asked_.users(), item.partition, item.num_partitions);
  const std::size_t each = sampled_ ? kUsersSampled : scorer_.users_each();
  return (mine.size() + each - 1) / each;
}

Status RankPart::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  const auto users = users_of(item, batch);
  if (!sampled_) {
    scorer_.build_all(users, step);
    return ok_status();
  }
  std::vector<std::uint32_t> left, right;
  for (const std::uint32_t user : users) {
    const auto judged = asked_.judged_items(user);
    left.insert(left.end(), judged.size(), user);
    right.insert(right.end(), judged.begin(), judged.end());
  }
  scorer_.build_pairs(left, right, step);
  return ok_status();
}

Status RankPart::compute(const WorkItem& item, Step& step) {
  if (step.batch == 0) running_.erase(item.partition);  // begun anew after a lost lease
  auto found = running_.find(item.partition);
  if (found == running_.end()) {
    CAPSTAN_ASSIGN(RankingEvaluator evaluator, RankingEvaluator::create(data_, options_));
    found = running_.emplace(item.partition, std::move(evaluator)).first;
  }
  const auto users = users_of(item, step.batch);
  step.examples = users.size();
  if (!sampled_) return found->second.add(users, scorer_.score_all(step));
  const auto scores = scorer_.score_pairs(step);
  std::size_t at = 0;
  for (const std::uint32_t user : users) {
    const std::size_t judged = asked_.judged_items(user).size();
    CAPSTAN_TRY(found->second.add_judged(user, std::span(scores).subspan(at, judged)));
    at += judged;
  }
  return ok_status();
}

Result<Buffer> RankPart::finish(const WorkItem& item) {
  const auto found = running_.find(item.partition);
  if (found == running_.end()) {  // a partition without users
    CAPSTAN_ASSIGN(RankingEvaluator evaluator, RankingEvaluator::create(data_, options_));
    return encode(evaluator.take());
  }
  const RankingPart part = found->second.take();
  running_.erase(found);
  return encode(part);
}

}  // namespace capstan
