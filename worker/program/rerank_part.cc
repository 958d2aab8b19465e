#include "worker/program/rerank_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/parallel.h"
#include "worker/program/rank_part.h"

namespace capstan {
namespace {

Result<RankingOptions> rerank_options(const JobConfig& job) {
  CAPSTAN_ASSIGN(RankingOptions options, ranking_options(job, EvalSplit::kTest));
  options.metrics.clear();
  for (const char* name : {"recall", "ndcg", "novelty", "coverage", "gini"}) {
    CAPSTAN_ASSIGN(const MetricName metric, parse_metric(name, Task::kRanking, job.evaluate.at.front()));
    options.metrics.push_back(metric);
  }
  return options;
}

void add_column(RankingPart& part, const std::string& name, const std::vector<double>& values) {
  const std::size_t columns = part.metrics.size();
  std::vector<double> all, warm;
  for (std::size_t user = 0; user < values.size(); ++user) {
    for (std::size_t column = 0; column < columns; ++column) {
      all.push_back(part.values[user * columns + column]);
      warm.push_back(part.warm_values[user * columns + column]);
    }
    all.push_back(values[user]);
    warm.push_back(values[user]);
  }
  part.metrics.push_back(name);
  part.values = std::move(all);
  part.warm_values = std::move(warm);
}

}  // namespace

Result<std::vector<RerankSetting>> judged_settings(const Reranking& reranking) {
  std::vector<RerankSetting> settings = {{"model", {}, 1.0}};
  CAPSTAN_ASSIGN(auto asked, rerank_settings(reranking.steps));
  for (auto& setting : asked) settings.push_back(std::move(setting));
  return settings;
}

Buffer encode_rerank_parts(const std::vector<RankingPart>& parts) {
  ByteWriter writer;
  writer.put(static_cast<std::uint64_t>(parts.size()));
  for (const RankingPart& part : parts) writer.put_string(encode(part).text());
  return writer.take();
}

Result<std::vector<RankingPart>> decode_rerank_parts(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto count = reader.get<std::uint64_t>();
  std::vector<std::string> encoded;
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) encoded.push_back(reader.get_string());
  CAPSTAN_TRY(reader.finish().wrap("decode re-ranked parts"));
  std::vector<RankingPart> parts;
  for (const std::string& each : encoded) {
    CAPSTAN_ASSIGN(RankingPart part, decode_ranking_part(std::as_bytes(std::span(each))));
    parts.push_back(std::move(part));
  }
  return parts;
}

Status check_rerank_vectors(const RerankChain& chain, const Model& model) {
  if (!chain.needs_vectors() || model.taste_size() > 0) return ok_status();
  return make_error(ErrorCode::kInvalid,
                    "the model has no item vectors to compare; name the items' column of categories behind a "
                    "step, such as mmr=0.5@genres");
}

Result<std::unique_ptr<RerankPart>> RerankPart::create(const JobConfig& job, const Dataset& data,
                                                       const Model& model, const Reranking& reranking) {
  CAPSTAN_ASSIGN(RankingOptions options, rerank_options(job));
  if (options.judged.sampled(data)) {
    return make_error(ErrorCode::kInvalid,
                      "re-ranking is judged on the whole catalogue, and the job asks for sampled ranking");
  }
  CAPSTAN_ASSIGN(RankingEvaluator asked, RankingEvaluator::create(data, options));
  CAPSTAN_ASSIGN(auto settings, judged_settings(reranking));
  RerankChain chain(reranking, job.evaluate.at.front());
  CAPSTAN_TRY(check_rerank_vectors(chain, model));
  return std::unique_ptr<RerankPart>(new RerankPart(job, data, model, std::move(options), std::move(asked),
                                                    std::move(chain), std::move(settings)));
}

RerankPart::RerankPart(const JobConfig& job, const Dataset& data, const Model& model, RankingOptions options,
                       RankingEvaluator asked, RerankChain chain, std::vector<RerankSetting> settings)
    : job_(job),
      data_(data),
      model_(model),
      options_(std::move(options)),
      settings_(std::move(settings)),
      history_(history_items(data, History::kTrainValid)),
      scorer_(job, data, data.test, model),
      asked_(std::move(asked)),
      chain_(std::move(chain)) {}

std::span<const std::uint32_t> RerankPart::users_of(const WorkItem& item, std::uint64_t batch) const {
  const auto mine = partition_of(asked_.users(), item.partition, item.num_partitions);
  const std::size_t first = std::min<std::size_t>(mine.size(), batch * scorer_.users_each());
  return mine.subspan(first, std::min<std::size_t>(scorer_.users_each(), mine.size() - first));
}

std::uint64_t RerankPart::num_batches(const WorkItem& item) const {
  const std::size_t users = partition_of(asked_.users(), item.partition, item.num_partitions).size();
  return (users + scorer_.users_each() - 1) / scorer_.users_each();
}

Status RerankPart::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  scorer_.build_all(users_of(item, batch), step);
  if (chain_.needs_vectors()) scorer_.build_item_vectors(step);
  return ok_status();
}

Result<RerankPart::Judges> RerankPart::make_judges() const {
  Judges judges;
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    CAPSTAN_ASSIGN(RankingEvaluator judge, RankingEvaluator::create(data_, options_));
    judges.push_back(std::move(judge));
  }
  return judges;
}

std::vector<float> RerankPart::ordered(const RerankSetting& setting, std::span<const std::uint32_t> users,
                                       std::span<const float> scores) const {
  std::vector<float> result(scores.size(), 0.0F);
  parallel_for(users.size(), [&](std::size_t i) {
    const std::uint32_t user = users[i];
    const std::size_t begin = i * data_.num_items;
    const auto items = asked_.judged_items(user);
    std::vector<float> own;
    own.reserve(items.size());
    for (const std::uint32_t item : items) own.push_back(scores[begin + item]);
    // What is not of the pool stays at 0, behind all that is.
    const auto order = reranked(chain_, setting, items, own, history_.of(user), combine(job_.seed, user));
    for (std::size_t place = 0; place < order.size(); ++place)
      result[begin + order[place]] = static_cast<float>(order.size() - place);
  });
  return result;
}

Status RerankPart::compute(const WorkItem& item, Step& step) {
  if (step.batch == 0) running_.erase(item.partition);  // begun anew after a lost lease
  auto found = running_.find(item.partition);
  if (found == running_.end()) {
    CAPSTAN_ASSIGN(Judges judges, make_judges());
    found = running_.emplace(item.partition, std::move(judges)).first;
  }
  const auto users = users_of(item, step.batch);
  step.examples = users.size();
  const std::vector<float> scores = scorer_.score_all(step);
  if (chain_.needs_vectors()) {
    chain_.set_vectors(scorer_.item_vectors(step), model_.item_vector_size(), model_.taste_size());
  }
  CAPSTAN_TRY(found->second.front().add(users, scores));
  for (std::size_t i = 1; i < settings_.size(); ++i)
    CAPSTAN_TRY(found->second[i].add(users, ordered(settings_[i], users, scores)));
  return ok_status();
}

void RerankPart::add_list_figures(RankingPart& part) const {
  std::vector<double> distances, calibrations;
  for (std::size_t user = 0; user < part.users.size(); ++user) {
    const auto row = std::span(part.lists).subspan(user * part.list_length, part.list_length);
    const auto end = std::find(row.begin(), row.end(), kNoItem);
    const auto list = row.first(static_cast<std::size_t>(end - row.begin()));
    distances.push_back(chain_.distance_in(list));
    calibrations.push_back(chain_.calibration(history_.of(part.users[user]), list));
  }
  const std::string cut = fmt::format("@{}", part.list_length);
  add_column(part, "distance" + cut, distances);
  if (chain_.has_categories()) add_column(part, "calibration" + cut, calibrations);
}

Result<Buffer> RerankPart::finish(const WorkItem& item) {
  auto found = running_.find(item.partition);
  if (found == running_.end()) {  // a partition without users
    CAPSTAN_ASSIGN(Judges judges, make_judges());
    found = running_.emplace(item.partition, std::move(judges)).first;
  }
  std::vector<RankingPart> parts;
  for (RankingEvaluator& judge : found->second) {
    parts.push_back(judge.take());
    add_list_figures(parts.back());
  }
  running_.erase(found);
  return encode_rerank_parts(parts);
}

}  // namespace capstan
