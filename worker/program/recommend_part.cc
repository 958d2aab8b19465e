#include "worker/program/recommend_part.h"

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "common/rng.h"
#include "worker/eval/fold_in.h"
#include "worker/eval/history.h"
#include "worker/eval/top_items.h"

namespace capstan {
namespace {

constexpr std::size_t kLikedShown = 5;
constexpr std::size_t kReasonsShown = 2;
constexpr std::size_t kHistoryWanted = 15;

bool is_in(const std::vector<std::uint32_t>& items, std::uint32_t item) {
  return std::find(items.begin(), items.end(), item) != items.end();
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
                             RecommendRequest request)
    : job_(job),
      data_(data),
      model_(model),
      request_(std::move(request)),
      scorer_(job, data, data.train, model, EventRow::kLast) {}

History RecommendPart::trained_on() const {
  return job_.train.include_valid ? History::kTrainValid : History::kTrain;
}

std::vector<std::uint32_t> RecommendPart::liked(std::uint32_t user) const {
  std::vector<std::tuple<float, std::int64_t, std::uint32_t>> events;
  const auto add = [&](const Examples& rows) {
    for (std::uint64_t row = 0; row < rows.size; ++row) {
      if (rows.user(row) != user || is_in(request_.without, rows.item(row))) continue;
      events.emplace_back(rows.ratings.empty() ? 0.0F : rows.rating(row),
                          rows.times.empty() ? 0 : rows.time(row), rows.item(row));
    }
  };
  add(data_.train);
  if (trained_on() == History::kTrainValid) add(data_.valid);
  std::sort(events.begin(), events.end(), std::greater<>());
  std::vector<std::uint32_t> items;
  for (const auto& [rating, time, item] : events) {
    if (items.size() < kLikedShown) items.push_back(item);
  }
  return items;
}

Status RecommendPart::build(const WorkItem&, std::uint64_t, Step& step) {
  scorer_.build_all(request_.users, step);
  scorer_.build_item_vectors(step);
  return ok_status();
}

Status RecommendPart::compute(const WorkItem&, Step& step) {
  results_.clear();
  const std::vector<float> scores = scorer_.score_all(step);
  std::optional<FoldIn> fold_in;
  if (model_.taste_size() > 0) {
    CAPSTAN_ASSIGN(
        fold_in, FoldIn::create(scorer_.item_vectors(step), model_.item_vector_size(), model_.taste_size()));
  }
  const std::vector<float> tastes = model_.vector_size() > 0 ? scorer_.taste_scores(step) : scores;
  const UserItems seen = history_items(data_, History::kTrainValid);
  const UserItems trained = history_items(data_, trained_on());
  for (std::size_t i = 0; i < request_.users.size(); ++i) {
    const std::uint32_t user = request_.users[i];
    const auto own = std::span(scores).subspan(i * data_.num_items, data_.num_items);
    const auto taste = std::span(tastes).subspan(i * data_.num_items, data_.num_items);
    const UserFoldIn folded = fold_in ? fold_in->user(trained.of(user), taste) : UserFoldIn();
    std::vector<std::uint32_t> items;
    std::vector<float> item_scores;
    for (std::uint32_t item = 0; item < data_.num_items; ++item) {
      if (seen.contains(user, item) || is_in(request_.without, item)) continue;
      double score = static_cast<double>(own[item]);
      for (const std::uint32_t out : request_.without) score -= folded.contribution(out, item);
      items.push_back(item);
      item_scores.push_back(static_cast<float>(score));
    }
    const TopItems top = top_items(items, item_scores, request_.count, user);
    UserRecommendations shown{user, liked(user), {}};
    for (std::size_t j = 0; j < top.list_size; ++j) {
      shown.items.push_back({top.items[j], static_cast<double>(top.scores[j]),
                             folded.reasons(top.items[j], kReasonsShown, request_.without)});
    }
    results_.push_back(std::move(shown));
  }
  step.examples = request_.users.size();
  return ok_status();
}

Result<Buffer> RecommendPart::finish(const WorkItem&) {
  return Buffer::copy_of(to_json(results_, data_));
}

std::string to_json(const std::vector<UserRecommendations>& all, const Dataset& data) {
  const auto& titles = data.item_titles.empty() ? data.item_names : data.item_titles;
  const auto counts = data.item_counts.as<std::uint32_t>();
  boost::json::array users;
  for (const auto& shown : all) {
    boost::json::array liked, items;
    for (const auto item : shown.liked) liked.emplace_back(titles[item]);
    for (const auto& each : shown.items) {
      boost::json::array because;
      for (const auto& reason : each.reasons) {
        because.push_back({{"item", data.item_names[reason.item]},
                           {"title", titles[reason.item]},
                           {"value", reason.value}});
      }
      items.push_back({{"item", data.item_names[each.item]},
                       {"title", titles[each.item]},
                       {"score", each.score},
                       {"reason", reason_line(each.reasons, titles, counts[each.item])},
                       {"because", because}});
    }
    users.push_back({{"user", data.user_names[shown.user]},
                     {"liked", liked},
                     {"liked_by", data.train.ratings.empty() ? "time" : "rating"},
                     {"items", items}});
  }
  return boost::json::serialize(users);
}

}  // namespace capstan
