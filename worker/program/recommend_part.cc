#include "worker/program/recommend_part.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "common/rng.h"
#include "worker/eval/fold_in_explainer.h"
#include "worker/eval/history.h"
#include "worker/eval/top_items.h"

namespace capstan {
namespace {

constexpr std::size_t kLikedShown = 5;
constexpr std::size_t kReasonsShown = 2;
constexpr std::size_t kHistoryWanted = 15;
constexpr double kFoldInReg = 10.0;

const std::string& title_of(const Dataset& data, std::uint32_t item) {
  return data.item_titles.empty() ? data.item_names[item] : data.item_titles[item];
}

// A user's train items, newest first.
std::vector<std::uint32_t> latest_items(const Dataset& data, std::uint32_t user, std::size_t most) {
  std::vector<std::uint64_t> rows;
  for (std::uint64_t row = 0; row < data.train.size; ++row) {
    if (data.train.user(row) == user) rows.push_back(row);
  }
  const auto time = [&](std::uint64_t row) { return data.train.times.empty() ? 0 : data.train.time(row); };
  std::stable_sort(rows.begin(), rows.end(), [&](auto a, auto b) { return time(a) > time(b); });
  std::vector<std::uint32_t> items;
  for (const auto row : rows) {
    if (items.size() < most) items.push_back(data.train.item(row));
  }
  return items;
}

}  // namespace

std::vector<std::uint32_t> users_to_show(const Dataset& data, std::uint32_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> users;
  for (std::uint32_t user = 0; user < data.num_users; ++user) {
    if (items_of(data.train_items, user).size() >= kHistoryWanted) users.push_back(user);
  }
  Rng rng(seed);
  for (std::size_t i = 0; i < std::min<std::size_t>(count, users.size()); ++i) {
    std::swap(users[i], users[i + rng.below(users.size() - i)]);
  }
  users.resize(std::min<std::size_t>(count, users.size()));
  return users;
}

RecommendPart::RecommendPart(const JobConfig& job, const Dataset& data, const Model& model,
                             std::vector<std::uint32_t> users, std::uint32_t count)
    : data_(data), users_(std::move(users)), count_(count), scorer_(job, data, data.train, model) {}

Status RecommendPart::build(const WorkItem&, std::uint64_t, Step& step) {
  scorer_.build_all(users_, step);
  return ok_status();
}

Status RecommendPart::compute(const WorkItem&, Step& step) {
  results_.clear();
  const std::vector<float> scores = scorer_.score_all(step);
  const std::vector<float> vectors = scorer_.item_vectors(step);
  std::optional<FoldInExplainer> explainer;
  if (!vectors.empty()) {
    CAPSTAN_ASSIGN(explainer,
                   FoldInExplainer::create(
                       vectors, static_cast<std::uint32_t>(vectors.size() / data_.num_items), kFoldInReg));
  }
  const auto counts = data_.item_counts.as<std::uint32_t>();
  const auto& titles = data_.item_titles.empty() ? data_.item_names : data_.item_titles;
  const UserItems seen = history_items(data_, History::kTrainValid);
  for (std::size_t i = 0; i < users_.size(); ++i) {
    UserRecommendations shown;
    shown.user = users_[i];
    shown.liked = latest_items(data_, users_[i], kLikedShown);
    std::vector<std::uint32_t> items;
    std::vector<float> item_scores;
    for (std::uint32_t item = 0; item < data_.num_items; ++item) {
      if (seen.contains(users_[i], item)) continue;
      items.push_back(item);
      item_scores.push_back(scores[i * data_.num_items + item]);
    }
    const TopItems top = top_items(items, item_scores, count_, users_[i]);
    const auto history = items_of(data_.train_items, users_[i]);
    for (std::size_t j = 0; j < top.list_size; ++j) {
      const std::uint32_t item = top.items[j];
      const auto reasons =
          explainer ? explainer->reasons(history, item, kReasonsShown) : std::vector<Contribution>();
      shown.items.push_back({item, top.scores[j], reason_line(reasons, titles, counts[item])});
    }
    results_.push_back(std::move(shown));
  }
  step.examples = users_.size();
  return ok_status();
}

Result<Buffer> RecommendPart::finish(const WorkItem&) {
  return Buffer::copy_of(to_json(results_, data_));
}

std::string to_json(const std::vector<UserRecommendations>& all, const Dataset& data) {
  boost::json::array users;
  for (const auto& shown : all) {
    boost::json::array liked, items;
    for (const auto item : shown.liked) liked.emplace_back(title_of(data, item));
    for (const auto& each : shown.items) {
      items.push_back({{"title", title_of(data, each.item)}, {"score", each.score}, {"reason", each.reason}});
    }
    users.push_back({{"user", data.user_names[shown.user]}, {"liked", liked}, {"items", items}});
  }
  return boost::json::serialize(users);
}

}  // namespace capstan
